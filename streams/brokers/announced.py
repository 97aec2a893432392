"""Where this user's embedded broker listens, so that `liangrong subscribe` finds that of a running demo.

One small file per process that starts a broker for others, removed when it ends. The newest one counts; one
whose process is gone counts as absent.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from streams.brokers.process import accepts_connections, process_alive
from streams.errors import BrokerError
from streams.settings import Settings

_STEM = "liangrong-broker"


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
    """Address of the embedded broker this user announced last of those that run; None when there is none."""
    found = latest_announcement()
    return None if found is None else found[0]


def latest_announcement() -> tuple[str, int] | None:
    """The same with the process id of who announced it, which tells one in-memory broker from the next."""
    for path in sorted(_folder().glob(f"{_STEM}.*.json"), key=_written, reverse=True):
        try:
            value = orjson.loads(path.read_bytes())
            address, pid = str(value["bootstrap"]), int(value["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        host, _, port = address.rpartition(":")
        if process_alive(pid) and accepts_connections(host, int(port)):
            return address, pid
    return None


@contextmanager
def announce(address: str) -> Iterator[None]:
    """Tell this user's other commands of a broker for the time of the block."""
    path, kept = _folder() / f"{_STEM}.{os.getpid()}.json", checkpoints_of(os.getpid())
    shutil.rmtree(kept, ignore_errors=True)  # of a process that had this number before
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(orjson.dumps({"bootstrap": address, "pid": os.getpid()}))
    fresh.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        shutil.rmtree(kept, ignore_errors=True)


def checkpoints_of(pid: int) -> Path:
    """Folder for checkpoints of workers at the broker that process ``pid`` announced; gone with that broker,
    since they fit no other."""
    return Path(tempfile.gettempdir()) / f"liangrong-{os.getuid()}" / f"checkpoints-{pid}"


def _written(path: Path) -> int:
    """When a file was written last, ns; one that went away meanwhile comes last."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _folder() -> Path:
    return Path(os.environ.get("XDG_RUNTIME_DIR") or f"{tempfile.gettempdir()}/liangrong-{os.getuid()}")
