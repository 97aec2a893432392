"""A firm under test: its topics on a broker, its workers as processes, and a plain Kafka client.

The client is nothing but aiokafka and JSON, as a stranger would write it from the contract alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.brokers import Broker

Record = dict[str, Any]
ROOT = Path(__file__).parents[2]
CONSOLE_SCRIPT = "import sys; from streams.cli import main; sys.exit(main())"
"""What the installed command `liangrong` runs."""
PATIENCE = 120.0
"""Seconds after which something expected counts as lost."""


class MissingError(AssertionError):
    """What was waited for did not come; carries what did, and the worker's last words."""


@dataclass
class Worker:
    """A `liangrong worker` process; everything it prints goes to `log`."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """SIGKILL: no chance to say goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """An orderly end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


@dataclass
class Firm:
    """Topics of one test on one broker."""

    broker: Broker
    home: Path
    settings: dict[str, str]
    producer: AIOKafkaProducer
    workers: list[Worker] = field(default_factory=list)

    # -- processes

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", CONSOLE_SCRIPT, *arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), **self.broker.env, **self.settings}

    def liangrong(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of contract section 4, run to its end."""
        return subprocess.run(
            self.command(*arguments), env=self.environment(), capture_output=True, text=True, check=False
        )

    def start_worker(self, *options: str) -> Worker:
        return self.start_process(self.command("worker", *options))

    def start_process(self, command: Sequence[str]) -> Worker:
        log = self.home / f"worker-{len(self.workers)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, env=self.environment(), stdout=out, stderr=subprocess.STDOUT, cwd=self.home
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        return worker

    def stop_workers(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()

    # -- the plain client

    async def publish(self, topic: str, key: str, value: Record | bytes, **more: Any) -> tuple[int, int]:
        """Publishes one record and waits for the broker's acknowledgement: (partition, offset)."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        sent = await self.producer.send_and_wait(self.broker.prefix + topic, body, key=key.encode(), **more)
        return sent.partition, sent.offset

    async def account_events(self, *events: Record) -> None:
        for event in events:
            await self.publish("account.events", event["account"], event)

    async def session(self, phase: str, ts: int, date: str, **more: Any) -> None:
        record = {"ts": ts, "date": date, "market": "ALL", "phase": phase, **more}
        await self.publish("market.session", "ALL", record)

    async def until(
        self, topic: str, enough: Callable[[list[Record]], bool], *, what: str = "the records expected"
    ) -> list[Record]:
        """Everything on a topic without repetitions of an id, once `enough` says it is complete."""
        seen: list[Record] = []
        async with self._reader(topic) as consumer:
            deadline = time.monotonic() + PATIENCE
            while not enough(seen):
                if time.monotonic() > deadline:
                    words = "\n".join(worker.said() for worker in self.workers)
                    raise MissingError(f"{topic}: {what} did not come; came: {seen}\n{words}")
                batches = await consumer.getmany(timeout_ms=200)
                records = [record for batch in batches.values() for record in batch]
                seen = without_repeats(seen + [json.loads(record.value) for record in records])
        return seen

    async def ready(self) -> None:
        """The worker holds every partition of the log, the firm's included."""
        shards = int(self.settings["LIANGRONG_PARTITIONS"]) + 1
        await self.until(
            "system.events",
            lambda seen: len({r["shard"] for r in seen if r["kind"] == "claimed"}) == shards,
            what="every partition of the log claimed",
        )

    async def now_on(self, topic: str) -> list[Record]:
        """What is on a topic at this moment."""
        async with self._reader(topic) as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
            values: list[Record] = []
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    values += [json.loads(record.value) for record in batch]
            return without_repeats(values)

    @asynccontextmanager
    async def _reader(self, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.broker.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        )
        await consumer.start()
        try:
            name = self.broker.prefix + topic
            partitions = await self._partitions(consumer, name)
            consumer.assign([TopicPartition(name, partition) for partition in partitions])
            await consumer.seek_to_beginning()
            yield consumer
        finally:
            await consumer.stop()

    async def _partitions(self, consumer: AIOKafkaConsumer, name: str) -> list[int]:
        """The partitions of a topic as the broker tells them; assigning one makes the client ask."""
        consumer.assign([TopicPartition(name, 0)])
        for _ in range(100):
            found = consumer.partitions_for_topic(name)
            if found:
                return sorted(found)
            await asyncio.sleep(0.05)
        raise MissingError(f"the broker does not know {name}")


def without_repeats(records: Sequence[Record]) -> list[Record]:
    """A subscriber who keeps ids sees each alert once; what has no id is the same when its content is."""
    kept: dict[str, Record] = {}
    for record in records:
        kept.setdefault(record.get("id") or json.dumps(record, sort_keys=True), record)
    return list(kept.values())


@asynccontextmanager
async def firm_on(broker: Broker, home: Path, **settings: str) -> AsyncIterator[Firm]:
    """Topics created, a client connected; everything started is gone afterwards."""
    chosen = {
        "LIANGRONG_PARTITIONS": "4",
        "LIANGRONG_CHECKPOINTS": str(home / "checkpoints"),
        "LIANGRONG_WEB": "127.0.0.1:0",
        **settings,
    }
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", linger_ms=0)
    firm = Firm(broker, home, chosen, producer)
    created = await asyncio.to_thread(firm.liangrong, "topics", "create")
    assert created.returncode == 0, created.stderr
    await producer.start()
    try:
        yield firm
    finally:
        await producer.stop()
        await asyncio.to_thread(firm.stop_workers)
