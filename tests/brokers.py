"""What tests know of the broker they run on, and how an Apache Kafka node is started for them."""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.brokers.process import BrokerProcess, free_port
from streams.settings import Settings, load

KAFKA_SCRIPT = Path(__file__).parent.parent / "deploy" / "kafka" / "kafka.sh"
JAVA_NEEDED = 17


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker with a topic prefix of one test alone; `env` configures a process, `settings` a call."""

    name: str
    bootstrap: str
    prefix: str

    @property
    def env(self) -> dict[str, str]:
        """The environment of a process that uses this broker."""
        return {"KAFKA_BOOTSTRAP": self.bootstrap, "LIANGRONG_TOPIC_PREFIX": self.prefix}

    @property
    def settings(self) -> Settings:
        """Settings with this broker and nothing else from outside."""
        return load(env=self.env)

    def settings_with(self, **options: str) -> Settings:
        """Settings with this broker and more, by variable name."""
        return load(env={**self.env, **options})


@dataclass(frozen=True, slots=True)
class KafkaNode:
    """A running Apache Kafka node."""

    bootstrap: str
    process: BrokerProcess


@contextmanager
def kafka_node(data: Path) -> Iterator[KafkaNode]:
    """An Apache Kafka node on free loopback ports for the time of the block."""
    port, controller_port = str(free_port()), str(free_port())
    command = [str(KAFKA_SCRIPT), "run", "--port", port, "--controller-port", controller_port]
    with BrokerProcess("Apache Kafka", [*command, "--data", str(data)]) as process:
        process.wait_until_listening(int(port), 90)
        yield KafkaNode(f"127.0.0.1:{port}", process)


def what_kafka_lacks() -> str | None:
    """Why Apache Kafka cannot be run here; None when it can, the jars included."""
    java = shutil.which("java")
    if java is None:
        return "there is no Java"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA_NEEDED:
        return f"Java {version[1] if version else '?'} is older than {JAVA_NEEDED}"
    if shutil.which("mvn") is None:
        return "there is no Maven"
    with KAFKA_SCRIPT.open() as script:
        fcntl.flock(script, fcntl.LOCK_EX)  # two test processes must not fetch into one folder at once
        fetched = subprocess.run([KAFKA_SCRIPT, "fetch"], capture_output=True, text=True, check=False)
    return None if fetched.returncode == 0 else f"{fetched.stdout}{fetched.stderr}".strip()
