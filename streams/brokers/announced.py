"""Where this user's embedded broker listens, so that `liangrong subscribe` finds that of a running demo.

One small file per user, written by who starts a broker for others and removed when it ends. An
announcement whose process is gone counts as absent.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from streams.brokers.process import accepts_connections, process_alive
from streams.errors import BrokerError
from streams.settings import Settings


def bootstrap_address(settings: Settings) -> str:
    """The broker to use: KAFKA_BOOTSTRAP, else the announced embedded one, else BrokerError."""
    address = settings.kafka.bootstrap or announced_address()
    if address is None:
        raise BrokerError(
            "there is no broker: KAFKA_BOOTSTRAP is not set and no embedded broker runs",
            advice="Set KAFKA_BOOTSTRAP=host:port, or start one with `liangrong broker` in another terminal.",
        )
    return address


def announced_address() -> str | None:
    """Address of the running embedded broker this user announced last; None when there is none."""
    try:
        found = orjson.loads(_file().read_bytes())
        address, pid = str(found["bootstrap"]), int(found["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    host, _, port = address.rpartition(":")
    return address if process_alive(pid) and accepts_connections(host, int(port)) else None


@contextmanager
def announce(address: str) -> Iterator[None]:
    """Tell this user's other commands of a broker for the time of the block."""
    path = _file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = orjson.dumps({"bootstrap": address, "pid": os.getpid()})
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(path)
    try:
        yield
    finally:
        if path.exists() and path.read_bytes() == content:
            path.unlink()


def _file() -> Path:
    folder = os.environ.get("XDG_RUNTIME_DIR") or f"{tempfile.gettempdir()}/liangrong-{os.getuid()}"
    return Path(folder) / "liangrong-broker.json"
