"""Tick published -> call received, beside a bare relay with the same number of Kafka hops, in the same run.

A worker process holds one account a security, each a hair above its warn line. Ticks are published at a
steady rate; one in ten brings its security below the line, so exactly one call follows. Beside it the same
ticks go through two relays that only copy bytes (input -> log -> output), the least that the path trade ->
shard.log -> margin.calls can cost. Embedded broker, or the one of KAFKA_BOOTSTRAP. `python -m
tests.bench.bench_latency [TICKS A SECOND]`
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import numpy as np
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.brokers import EmbeddedBroker
from streams.publisher import Publisher
from streams.settings import Settings, load
from streams.subscriber import Subscriber
from streams.topics import create_topics
from streams.worker.readers import FETCH_WAIT_MS

CALLS = 1_000
SHARE = 10
MORNING = 1_743_989_400_000
SECURITIES = [f"6{number:05d}.SH" for number in range(CALLS)]
ROOT = Path(__file__).parents[2]


def opening(number: int) -> dict[str, object]:
    """Assets of 15,010 against a debt of 10,000; preset D warns below 1.50."""
    security = SECURITIES[number]
    contract = {
        "contract": "1",
        "type": "financing",
        "security": security,
        "opened": "2025-03-03",
        "qty": 1_000,
        "price": 10,
        "principal": 10_000,
        "rate": 0,
        "accrued": 0,
    }
    return {
        "account": f"A{number:05d}",
        "ts": MORNING,
        "id": "o",
        "kind": "opening",
        "preset": "D",
        "cash": 10,
        "positions": [{"security": security, "qty": 1_000}],
        "contracts": [contract],
    }


def tick(number: int, step: int) -> bytes:
    """A trade: 15 yuan, or 14.90 for every tenth, each time another security."""
    falls = step % SHARE == 0
    price = "14.90" if falls else "15.00"
    security = SECURITIES[step // SHARE] if falls else SECURITIES[-1 - number % (CALLS // SHARE)]
    return orjson.dumps({"security": security, "ts": MORNING + 10_000 + step, "price": price, "qty": 100})


async def paced(rate: int, count: int, send: object) -> None:
    """Call `send(step)` at a steady rate."""
    begin = time.perf_counter()
    for step in range(count):
        ahead = begin + step / rate - time.perf_counter()
        if ahead > 0:
            await asyncio.sleep(ahead)
        await send(step)  # type: ignore[operator]


async def through_worker(settings: Settings, rate: int) -> list[float]:
    """Milliseconds from publishing a tick to receiving its call, for every call."""
    sent: dict[str, float] = {}
    heard: list[float] = []
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap, acks="all", linger_ms=0)
    await producer.start()

    async def send(step: int) -> None:
        value = tick(step, step)
        if step % SHARE == 0:
            sent[f"A{step // SHARE:05d}"] = time.perf_counter()
        key = orjson.loads(value)["security"].encode()
        await producer.send(settings.topic("market.trades"), value, key=key)

    async def hear() -> None:
        async with Subscriber("margin.calls", settings=settings) as calls:
            ready.set()
            async for call in calls:
                heard.append((time.perf_counter() - sent[call.key]) * 1000)
                if len(heard) == CALLS * 9 // 10:
                    return

    ready = asyncio.Event()
    listening = asyncio.create_task(hear())
    await ready.wait()
    await paced(rate, CALLS * 9, send)
    await asyncio.wait_for(listening, 60)
    await producer.stop()
    return heard


async def relay(bootstrap: str, source: str, target: str) -> None:
    """Copy every record as it comes, in batches."""
    consumer = AIOKafkaConsumer(source, bootstrap_servers=bootstrap, fetch_max_wait_ms=FETCH_WAIT_MS)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=0)
    await consumer.start()
    await producer.start()
    while True:
        for records in (await consumer.getmany(timeout_ms=50)).values():
            for future in [await producer.send(target, record.value) for record in records]:
                await future


async def through_relays(settings: Settings, rate: int) -> list[float]:
    """The same ticks, one in ten stamped and followed, through two relay processes."""
    bootstrap, names = str(settings.kafka.bootstrap), [settings.topic(f"relay{n}") for n in range(3)]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1) for name in names])
    await admin.close()
    relays = [
        subprocess.Popen(  # noqa: ASYNC220 - started before anything is timed
            [sys.executable, "-m", "tests.bench.bench_latency", "relay", bootstrap, *names[n : n + 2]],
            cwd=ROOT,
        )
        for n in range(2)
    ]
    heard: list[float] = []
    consumer = AIOKafkaConsumer(names[2], bootstrap_servers=bootstrap, fetch_max_wait_ms=FETCH_WAIT_MS)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=0)
    await consumer.start()
    await producer.start()
    await asyncio.sleep(3)

    async def send(step: int) -> None:
        await producer.send(names[0], orjson.dumps([time.perf_counter(), tick(step, step).decode()]))

    async def hear() -> None:
        while len(heard) < CALLS * 9:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                now = time.perf_counter()
                heard.extend((now - orjson.loads(record.value)[0]) * 1000 for record in records)

    listening = asyncio.create_task(hear())
    await paced(rate, CALLS * 9, send)
    await asyncio.wait_for(listening, 60)
    for process in relays:
        process.kill()
    await consumer.stop()
    await producer.stop()
    return heard


def report(name: str, times: list[float]) -> None:
    """Percentiles in milliseconds."""
    p50, p99, p999 = np.percentile(times, [50, 99, 99.9])
    print(f"{name:<34} p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   p99.9 {p999:7.1f} ms", flush=True)


async def main(bootstrap: str, rate: int, folder: str) -> None:
    """Worker first, then the relays."""
    environment = {
        "KAFKA_BOOTSTRAP": bootstrap,
        "LIANGRONG_TOPIC_PREFIX": f"b{uuid.uuid4().hex[:8]}.",
        "LIANGRONG_CHECKPOINTS": folder,
        "LIANGRONG_WEB": "127.0.0.1:0",
    }
    settings = load(env=environment)
    await create_topics(settings)
    async with Publisher(settings) as publisher:
        await publisher.publish_many("account.events", [opening(number) for number in range(CALLS)])
        prices = [{"security": s, "ts": MORNING + 1, "price": 15, "qty": 100} for s in SECURITIES]
        await publisher.publish_many("market.trades", prices)
    script = "import sys; from streams.cli import main; sys.exit(main(['worker', '--quiet']))"
    process = [sys.executable, "-c", script]
    worker = subprocess.Popen(process, env=os.environ | environment, cwd=ROOT)  # noqa: ASYNC220 - as above
    try:
        await asyncio.sleep(15)
        report(f"tick -> call, {rate:,} ticks/s", await through_worker(settings, rate))
    finally:
        worker.terminate()
        worker.wait()
    report(f"bare relay, {rate:,} records/s", await through_relays(settings, rate))


if __name__ == "__main__":
    if sys.argv[1:2] == ["relay"]:
        asyncio.run(relay(*sys.argv[2:]))
    speed = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    given = os.environ.get("KAFKA_BOOTSTRAP")
    with tempfile.TemporaryDirectory() as checkpoints:
        if given:
            asyncio.run(main(given, speed, checkpoints))
        else:
            with EmbeddedBroker() as broker:
                asyncio.run(main(broker.bootstrap, speed, checkpoints))
