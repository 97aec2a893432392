"""deploy/kafka/kafka.sh starts a single Apache Kafka node, says where it is, and stops that one."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from streams.brokers.process import accepts_connections, free_port
from tests.brokers import KAFKA_SCRIPT, KafkaNode


def kafka_sh(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [KAFKA_SCRIPT, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_wrong_usage_is_answered_with_the_usage() -> None:
    for arguments in ((), ("dance",), ("start", "--port")):
        done = kafka_sh(*arguments)
        assert done.returncode == 2
        assert "usage: kafka.sh" in done.stderr


@pytest.mark.broker
@pytest.mark.usefixtures("kafka_broker")
def test_a_node_is_started_once_and_stopped_by_its_data_directory(tmp_path: Path) -> None:
    port = free_port()
    here = ["--port", str(port), "--controller-port", str(free_port()), "--data", str(tmp_path / "data")]
    assert kafka_sh("status", *here).returncode == 1
    try:
        started = kafka_sh("start", *here)
        assert f"KAFKA_BOOTSTRAP=127.0.0.1:{port}" in started.stdout, started.stderr
        assert kafka_sh("start", *here).stdout == started.stdout
        assert kafka_sh("status", *here).stdout == started.stdout
    finally:
        stopped = kafka_sh("stop", *here)
    assert "has ended" in stopped.stdout
    assert not accepts_connections("127.0.0.1", port)
    assert kafka_sh("status", *here).returncode == 1
    assert kafka_sh("stop", *here).returncode == 0


@pytest.mark.broker
def test_a_port_in_use_is_one_clear_message(kafka_broker: KafkaNode, tmp_path: Path) -> None:
    assert kafka_broker.process.alive
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = kafka_sh("start", "--port", port, "--data", str(tmp_path))
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use" in done.stderr
