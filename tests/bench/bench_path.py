"""The whole path through a worker, beside a bare `getmany` + `orjson` reader of the same records in the
same run.

Openings, fills and ticks are published first; then a worker (this process) reads, sequences, appends, reads
back and applies them, and sends what they cause. Rates are events a second from the moment the worker may
read to the moment every shard has applied everything. At last the worker is opened again from its
checkpoints. Embedded broker, or the one of KAFKA_BOOTSTRAP. `python -m tests.bench.bench_path [ACCOUNTS]`
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator

import orjson
from aiokafka import AIOKafkaConsumer

from streams.brokers import EmbeddedBroker
from streams.publisher import Publisher
from streams.settings import Settings, load
from streams.topics import create_topics
from streams.worker.serve import WorkerOptions, running_worker
from streams.worker.worker import Worker

ACCOUNTS = 200_000
TICKS = 500_000
FILLS = 200_000
CHUNK = 5_000
SECURITIES = [f"6{number:05d}.SH" for number in range(3_000)]
MORNING = 1_743_989_400_000
ALL = frozenset(range(8))
QUIET = 1_000_000.0


def openings(count: int) -> Iterator[bytes]:
    """Accounts with five positions and two financing contracts, at ratios that no tick here brings to a
    line."""
    dice = random.Random(1)
    for number in range(count):
        held = dice.sample(SECURITIES, 5)
        positions = [{"security": security, "qty": 1_000} for security in held]
        contracts = [
            {
                "contract": f"c{i}",
                "type": "financing",
                "security": held[i],
                "opened": "2025-03-03",
                "qty": 1_000,
                "price": 10,
                "principal": 10_000,
            }
            for i in range(2)
        ]
        yield orjson.dumps(
            {
                "account": f"A{number:07d}",
                "ts": MORNING - 1_000_000,
                "id": "o",
                "kind": "opening",
                "cash": 1_000,
                "positions": positions,
                "contracts": contracts,
            }
        )


def fills(count: int, accounts: int) -> Iterator[bytes]:
    """Purchases of collateral for ten yuan a share, one fill each."""
    dice = random.Random(2)
    for number in range(count):
        yield orjson.dumps(
            {
                "account": f"A{dice.randrange(accounts):07d}",
                "ts": MORNING + number,
                "id": f"f{number}",
                "kind": "fill",
                "business": "collateral_buy",
                "security": dice.choice(SECURITIES),
                "qty": 1,
                "price": 10,
            }
        )


def ticks(count: int) -> Iterator[bytes]:
    """Trades around ten yuan."""
    dice = random.Random(3)
    for number in range(count):
        yield orjson.dumps(
            {
                "security": dice.choice(SECURITIES),
                "ts": MORNING + number,
                "price": dice.randrange(990, 1010) / 100,
                "qty": 100,
            }
        )


async def publish(settings: Settings, topic: str, values: Iterator[bytes]) -> None:
    """Publish all of them, acknowledged."""
    async with Publisher(settings, validate=False) as publisher:
        chunk: list[bytes] = []
        for value in values:
            chunk.append(value)
            if len(chunk) == CHUNK:
                await publisher.publish_many(topic, chunk)
                chunk = []
        await publisher.publish_many(topic, chunk)


async def bare(settings: Settings, topic: str, count: int) -> float:
    """Seconds of a reader that only parses."""
    consumer = AIOKafkaConsumer(
        settings.topic(topic), bootstrap_servers=settings.kafka.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    begin, seen = time.perf_counter(), 0
    while seen < count:
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            for record in records:
                orjson.loads(record.value)
            seen += len(records)
    seconds = time.perf_counter() - begin
    await consumer.stop()
    return seconds


def applied(worker: Worker, topic: str, count: int) -> bool:
    """Whether every shard's fold has passed all records of a topic."""
    market = topic.startswith("market.")
    total = 0
    for desk in worker.desks.values():
        if desk.partition == worker.sources.firm_partition:
            continue
        places = desk.unit.fold.layout.named(desk.unit.fold.positions)
        own = sum(position for source, position in places.items() if source[0] == topic)
        if market and own < count:
            return False
        total += own
    return market or total >= count


async def through(worker: Worker, topic: str, count: int, begin: float) -> float:
    """Seconds since `begin` until all is applied and sent."""
    while not applied(worker, topic, count) or any(len(d.unit.outbox) for d in worker.desks.values()):
        if worker.failed.done():
            worker.failed.result()
        await asyncio.sleep(0.01)
    return time.perf_counter() - begin


def report(name: str, count: int, ours: float, beside: float) -> None:
    """One line: our rate, the bare reader's, and the quotient."""
    print(
        f"{name:<34} {count / ours:>10,.0f} /s   bare {count / beside:>10,.0f} /s   "
        f"{beside / ours:5.3f} x   ({ours:.1f} s)",
        flush=True,
    )


async def main(bootstrap: str, accounts: int, checkpoints: str) -> None:
    """One phase after another on topics of this run."""
    settings = load(
        env={
            "KAFKA_BOOTSTRAP": bootstrap,
            "LIANGRONG_TOPIC_PREFIX": f"b{uuid.uuid4().hex[:8]}.",
            "LIANGRONG_CHECKPOINTS": checkpoints,
            "LIANGRONG_WEB": "127.0.0.1:16069",
        }
    )
    await create_topics(settings)
    await publish(settings, "account.events", openings(accounts))
    beside = await bare(settings, "account.events", accounts)
    options = WorkerOptions(ALL, name="bench", checkpoint_seconds=QUIET)
    async with running_worker(settings, options) as worker:
        begin = time.perf_counter()
        report(
            f"{accounts:,} openings",
            accounts,
            await through(worker, "account.events", accounts, begin),
            beside,
        )
    await publish(settings, "account.events", fills(FILLS, accounts))
    async with running_worker(settings, options) as worker:
        begin = time.perf_counter()
        total = accounts + FILLS
        seconds = await through(worker, "account.events", total, begin)
        report(f"{FILLS:,} fills", FILLS, seconds, beside * FILLS / accounts)
    await publish(settings, "market.trades", ticks(TICKS))
    beside = await bare(settings, "market.trades", TICKS)
    async with running_worker(settings, options) as worker:
        begin = time.perf_counter()
        report(
            f"{TICKS:,} ticks to all shards",
            TICKS,
            await through(worker, "market.trades", TICKS, begin),
            beside,
        )
        begin = time.perf_counter()
        recovered = [await worker.opener.open(partition) for partition in sorted(ALL)]
        seconds = time.perf_counter() - begin
        print(
            f"recovery of {accounts:,} accounts from {len(recovered)} checkpoints: {seconds:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    given = os.environ.get("KAFKA_BOOTSTRAP")
    with tempfile.TemporaryDirectory() as folder:
        if given:
            asyncio.run(main(given, number, folder))
        else:
            with EmbeddedBroker() as broker:
                asyncio.run(main(broker.bootstrap, number, folder))
