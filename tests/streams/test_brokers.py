"""The embedded broker lives and dies with the process that owns it, and problems are one clear message."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from streams.brokers import EmbeddedBroker, announce, announced_address, bootstrap_address, checkpoints_of
from streams.brokers.process import BrokerProcess, accepts_connections
from streams.errors import BrokerError
from streams.settings import load

ROOT = Path(__file__).parents[2]

# The broker is started from a thread that ends, since the kernel's signal follows the starting thread.
OWNER = """
import threading, time
from streams.brokers import EmbeddedBroker
made = []
starter = threading.Thread(target=lambda: made.append(EmbeddedBroker()))
starter.start(); starter.join()
print(made[0].process.pid, made[0].port, flush=True)
{then}
"""


def gone(pid: int) -> bool:
    """Whether the process has ended, a zombie that nobody waits for included."""
    try:
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            process.wait(timeout=60)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    return True


def owner(then: str) -> tuple[subprocess.Popen[str], int, int]:
    """A process that owns an embedded broker: the process, the broker's process id and port."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(then=then)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    pid, port = process.stdout.readline().split()
    return process, int(pid), int(port)


def test_it_listens_on_the_loopback_interface_and_ends_when_told() -> None:
    with EmbeddedBroker() as broker:
        listening = [
            c.laddr.ip for c in psutil.Process(broker.process.pid).net_connections() if c.status == "LISTEN"
        ]
        assert listening == ["127.0.0.1"]
        assert accepts_connections("127.0.0.1", broker.port)
    assert not broker.process.alive
    assert not accepts_connections("127.0.0.1", broker.port)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's signal is Linux's")
def test_it_outlives_the_thread_that_started_it_but_not_an_owner_that_is_killed() -> None:
    process, pid, port = owner("time.sleep(60)")
    assert accepts_connections("127.0.0.1", port)
    process.kill()
    process.wait()
    assert gone(pid)


def test_it_ends_when_its_owner_returns_without_stopping_it() -> None:
    process, pid, _ = owner("")
    assert process.wait(timeout=60) == 0
    assert gone(pid)


def test_a_port_in_use_is_one_clear_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=f"port {port} of 127.0.0.1 is in use"):
            EmbeddedBroker(port)


def test_a_platform_without_the_binary_is_one_clear_message_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/no/such/tansu")
    with pytest.raises(BrokerError, match="no embedded broker for this platform") as refused:
        EmbeddedBroker()
    assert "KAFKA_BOOTSTRAP" in refused.value.advice


def test_a_broker_that_ends_while_starting_shows_what_it_said() -> None:
    process = BrokerProcess("test", [sys.executable, "-c", "print('no memory left')"])
    with pytest.raises(BrokerError, match="no memory left"):
        process.wait_until_listening(1, 20)


def test_the_owner_hears_of_a_death_it_did_not_order() -> None:
    heard: list[int] = []
    told = threading.Event()
    broker = EmbeddedBroker()

    def hear(code: int) -> None:
        heard.append(code)
        told.set()

    broker.process.on_death(hear)
    psutil.Process(broker.process.pid).kill()
    assert told.wait(20)
    assert heard == [-9]


def test_other_commands_find_an_announced_broker_and_not_one_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    settings = load(env={})
    with EmbeddedBroker() as broker:
        with announce(broker.bootstrap):
            assert bootstrap_address(settings) == broker.bootstrap
            assert bootstrap_address(load(env={"KAFKA_BOOTSTRAP": "kafka:9092"})) == "kafka:9092"
            broker.stop()
            assert announced_address() is None
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(BrokerError, match="there is no broker"):
        bootstrap_address(settings)


def test_checkpoints_go_with_the_broker_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = checkpoints_of(os.getpid())
    with announce("127.0.0.1:9"):
        folder.mkdir(parents=True)
        (folder / "0").write_text("kept")
    assert not folder.exists()


async def test_who_uses_a_broker_of_its_own_is_told_when_it_ends() -> None:
    told: asyncio.Future[BrokerError] = asyncio.get_running_loop().create_future()
    with EmbeddedBroker() as broker:
        broker.on_loss(told.set_result)
        psutil.Process(broker.process.pid).kill()
        assert "ended with code -9" in (await asyncio.wait_for(told, 20)).message
