"""Brokers for the tests: the embedded one, and Apache Kafka where Java 17 and Maven are found.

LIANGRONG_TEST_KAFKA says what to do about Apache Kafka: `auto` (default: use it if possible, and say so if
not), `required` (fail without it; CI does this) or `no`.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings

from streams.brokers import EmbeddedBroker
from tests.brokers import Broker, KafkaNode, kafka_node, what_kafka_lacks

LEFT_OUT = "Apache Kafka left out"
_left_out: dict[str, None] = {}

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("soak", derandomize=False, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    """The test command draws the same examples every time; a soak draws new ones."""
    settings.load_profile("soak" if config.getoption("markexpr") == "soak" else "steady")


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """One embedded broker for the whole run; `.bootstrap` is its address."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaNode]:
    """One Apache Kafka node for the whole run; skips, or fails when required, where it cannot be had."""
    wish = os.environ.get("LIANGRONG_TEST_KAFKA", "auto")
    missing = "LIANGRONG_TEST_KAFKA=no" if wish == "no" else what_kafka_lacks()
    if missing is not None:
        if wish == "required":
            pytest.fail(f"Apache Kafka is required here, but: {missing}")
        pytest.skip(f"{LEFT_OUT}: {missing}")
    with kafka_node(tmp_path_factory.mktemp("kafka")) as node:
        yield node


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.broker)])
def broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """Each test runs on both brokers, with topics of its own; the environment names them."""
    node = request.getfixturevalue(f"{request.param}_broker")
    made = Broker(request.param, node.bootstrap, f"t{uuid.uuid4().hex[:10]}.")
    for name in [name for name in os.environ if name.startswith(("KAFKA_", "LIANGRONG_"))]:
        monkeypatch.delenv(name)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was left out, in whichever of several processes the test was to run."""
    if report.skipped and isinstance(report.longrepr, tuple) and LEFT_OUT in report.longrepr[2]:
        _left_out[report.longrepr[2].partition(f"{LEFT_OUT}: ")[2]] = None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say plainly what was left out."""
    for reason in _left_out:
        terminalreporter.write_line(f"Apache Kafka was left out of these tests: {reason}", yellow=True)
