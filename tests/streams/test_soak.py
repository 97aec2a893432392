"""Long runs, by `make soak`: hours of publishing and following leave memory and open files where they were.

SOAK_SECONDS sets how long (default 600).
"""

from __future__ import annotations

import asyncio
import os
import time

import orjson
import psutil
import pytest

from streams import Publisher, Subscriber
from streams.topics import create_topics
from tests.brokers import Broker

CHUNK = 1_000
CHUNKS_A_SECOND = 20
TRADES = [
    {"security": f"6{n:05d}.SH", "ts": 1_743_991_200_000 + n, "price": "15.12", "qty": 100}
    for n in range(CHUNK)
]


def footprint() -> tuple[int, int]:
    """Resident bytes and open files of this process."""
    process = psutil.Process()
    return process.memory_info().rss, process.num_fds()


@pytest.mark.soak
async def test_publishing_and_following_at_twenty_thousand_a_second_does_not_grow(
    broker: Broker,
) -> None:
    seconds = float(os.environ.get("SOAK_SECONDS", "600"))
    await create_topics(broker.settings)
    events = [orjson.dumps(trade) for trade in TRADES]
    seen, expected = 0, -1
    arrived = asyncio.Event()

    async def follow(subscriber: Subscriber) -> None:
        nonlocal seen
        async for _ in subscriber:
            seen += 1
            if seen == expected:
                arrived.set()

    async with (
        Subscriber("market.trades", settings=broker.settings) as subscriber,
        Publisher(broker.settings) as publisher,
    ):
        following = asyncio.create_task(follow(subscriber))
        begin, sent, warm = time.monotonic(), 0, footprint()
        while (passed := time.monotonic() - begin) < seconds:
            await publisher.publish_many("market.trades", events)
            sent += CHUNK
            if passed < min(30.0, seconds / 2):
                warm = footprint()
            await asyncio.sleep(max(0.0, begin + sent / CHUNK / CHUNKS_A_SECOND - time.monotonic()))
        await publisher.flush()
        expected = sent + 1
        await publisher.publish_many("market.trades", events[:1])
        await asyncio.wait_for(arrived.wait(), 60)
        following.cancel()
    memory, files = footprint()
    assert seen == sent + 1
    assert files <= warm[1]
    assert memory < warm[0] * 1.2
