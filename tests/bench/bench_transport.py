"""Publishing and reading ticks, beside a bare aiokafka client with the same records in the same run.

Embedded broker, or the one of KAFKA_BOOTSTRAP. Best of three rounds, records a second.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Awaitable, Callable

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.batch_decoding import decode_trades
from schemas.frames import CONTENT_TYPE_FRAME
from streams.brokers import EmbeddedBroker
from streams.publisher import Publisher
from streams.settings import Settings, load
from streams.topics import create_topics

RECORDS = 200_000
ROUNDS = 3
CHUNK = 2_000
TRADES = [
    orjson.dumps(
        {"security": f"6{n % 5000:05d}.SH", "ts": 1_743_991_200_000 + n, "price": "15.12", "qty": 100}
    )
    for n in range(RECORDS)
]


async def best(measure: Callable[[], Awaitable[float]]) -> float:
    """Records a second of the fastest round."""
    return RECORDS / min([await measure() for _ in range(ROUNDS)])


async def publish(settings: Settings, *, frames: bool) -> float:
    """Seconds to validate and publish all trades, acknowledged."""
    async with Publisher(settings, frames=frames) as publisher:
        begin = time.perf_counter()
        for at in range(0, RECORDS, CHUNK):
            await publisher.publish_many("market.trades", TRADES[at : at + CHUNK])
        await publisher.flush()
        return time.perf_counter() - begin


async def publish_bare(settings: Settings) -> float:
    """The same by `AIOKafkaProducer.send`, nothing validated."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap, acks="all", linger_ms=5)
    await producer.start()
    try:
        begin = time.perf_counter()
        for number, trade in enumerate(TRADES):
            await producer.send(settings.topic("market.trades"), trade, partition=number % 4)
        await producer.flush()
        return time.perf_counter() - begin
    finally:
        await producer.stop()


async def read(settings: Settings, *, decoded: bool) -> float:
    """Seconds to read all trades in batches: parsed by orjson alone, or validated into columns."""
    options = {"bootstrap_servers": settings.kafka.bootstrap, "auto_offset_reset": "earliest"}
    consumer = AIOKafkaConsumer(settings.topic("market.trades"), **options)
    await consumer.start()
    try:
        begin, seen = time.perf_counter(), 0
        while seen < RECORDS:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                if decoded:
                    types = [CONTENT_TYPE_FRAME if record.headers else None for record in records]
                    seen += len(decode_trades([record.value for record in records], types).batch)
                else:
                    for record in records:
                        orjson.loads(record.value)
                    seen += len(records)
        return time.perf_counter() - begin
    finally:
        await consumer.stop()


def report(name: str, rate: float, beside: float) -> None:
    """One line: our rate, the bare client's, and the quotient."""
    print(f"{name:<34} {rate:>12,.0f} /s   bare {beside:>12,.0f} /s   {rate / beside:5.2f} x", flush=True)


async def main(bootstrap: str) -> None:
    """Measure on topics of this run alone."""

    async def fresh() -> Settings:
        settings = load(
            env={"KAFKA_BOOTSTRAP": bootstrap, "LIANGRONG_TOPIC_PREFIX": f"b{uuid.uuid4().hex[:8]}."}
        )
        await create_topics(settings)
        return settings

    async def published(*, frames: bool) -> float:
        return await publish(await fresh(), frames=frames)

    async def published_bare() -> float:
        return await publish_bare(await fresh())

    bare = await best(published_bare)
    report("publish JSON, validated", await best(lambda: published(frames=False)), bare)
    report("publish frames, validated", await best(lambda: published(frames=True)), bare)
    as_json, as_frames = await fresh(), await fresh()
    await publish(as_json, frames=False)
    await publish(as_frames, frames=True)
    bare = await best(lambda: read(as_json, decoded=False))
    report("read JSON into columns, validated", await best(lambda: read(as_json, decoded=True)), bare)
    report("read frames into columns", await best(lambda: read(as_frames, decoded=True)), bare)


if __name__ == "__main__":
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        asyncio.run(main(given))
    else:
        with EmbeddedBroker() as broker:
            asyncio.run(main(broker.bootstrap))
