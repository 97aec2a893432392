"""Following alerts, each once: whatever crashed and was sent again, an id is seen a single time.

    async with Subscriber("margin.calls") as calls:
        async for alert in calls:
            print(alert.key, alert.value["event"], alert.value["ratio"])

Of compacted topics (the latest state of a key) a record caused by an older place in the shard's log than
one already seen is dropped: a late writer may come last in Kafka.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from schemas.topics import TOPICS
from streams.connections import assign_held, client_options, reader
from streams.ends import end_offsets
from streams.errors import BrokerError, UsageError
from streams.headers import LOG_OFFSET, header
from streams.repeats import Repeats
from streams.settings import Settings, load
from streams.topics import check_topics

ALERT_TOPICS = tuple(name for name, topic in TOPICS.items() if topic.direction == "out")
_POLL_MS = 200
_SILENCE_SECONDS = 5.0
_GONE_SECONDS = 15.0
_CLOCK_SKEW_MS = 60_000


@dataclass(frozen=True, slots=True)
class Alert:
    """One record of an alert topic. `topic` is logical, `published` Kafka's time of it in ms."""

    topic: str
    key: str
    value: dict[str, Any]
    partition: int
    offset: int
    published: int


class Subscriber:
    """An async iterator over alert topics, without repeats; a context manager.

    `from_beginning`: everything the broker holds, then what comes. `since`: the same from the market time
    `ts` (ms) of an alert on. Otherwise only what is published from now on. `accounts`: only these.
    `follow=False`: ends at what is there when the block is entered.
    """

    def __init__(
        self,
        *topics: str,
        settings: Settings | None = None,
        from_beginning: bool = False,
        since: int | None = None,
        accounts: Collection[str] = (),
        follow: bool = True,
    ) -> None:
        for topic in topics:
            if topic not in TOPICS:
                raise UsageError(
                    f"there is no topic {topic}", advice=f"Alert topics: {', '.join(ALERT_TOPICS)}"
                )
        self.topics: Sequence[str] = topics or ALERT_TOPICS
        self.unreadable = 0
        self._settings = settings or load()
        self._from_beginning = from_beginning
        self._since = since
        self._accounts = frozenset(accounts)
        self._follow = follow
        self._stack = AsyncExitStack()
        self._consumer: AIOKafkaConsumer | None = None
        self._ends: dict[TopicPartition, int] = {}
        self._repeats = Repeats()
        self._heard = 0.0

    async def __aenter__(self) -> Self:
        """Connect and fix the starting positions: what is published after this returns is seen."""
        counts = await check_topics(self._settings, self.topics)
        partitions = [
            TopicPartition(self._settings.topic(name), number)
            for name in self.topics
            for number in range(counts[name])
        ]
        consumer: AIOKafkaConsumer = await self._stack.enter_async_context(reader(self._settings))
        assign_held(consumer, partitions)
        ends = await end_offsets(consumer, partitions)
        starts = await self._starts(consumer, ends)
        if not self._follow:
            self._ends = {partition: end for partition, end in ends.items() if end > starts[partition]}
        consumer.assign(partitions)
        for partition, offset in starts.items():
            consumer.seek(partition, offset)
        self._consumer = consumer
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def __aiter__(self) -> AsyncIterator[Alert]:
        """Alerts in the order of their partitions; BrokerError when the broker goes away for good."""
        while self._follow or self._ends:
            for record in await self._poll():
                alert = self._alert(record)
                if alert is not None:
                    yield alert

    async def _starts(
        self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        if self._since is not None:
            # An alert is never published before its market time, so the broker may skip what is older.
            # The embedded broker answers 0, which is right too: `_alert` looks at each record's `ts`.
            published = max(0, self._since - _CLOCK_SKEW_MS)
            found = await consumer.offsets_for_times(dict.fromkeys(ends, published))
            first = await consumer.beginning_offsets(list(ends))
            return {p: ends[p] if (at := found[p]) is None else max(first[p], at.offset) for p in ends}
        if self._from_beginning:
            return dict(await consumer.beginning_offsets(list(ends)))
        return ends

    async def _poll(self) -> list[ConsumerRecord]:
        assert self._consumer is not None, "the subscriber is used inside its context"
        try:
            batches = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=2000)
        except KafkaError as error:
            raise BrokerError(f"cannot read on: {error}") from error
        await self._check_alive(bool(batches))
        for partition in list(self._ends):
            if await self._consumer.position(partition) >= self._ends[partition]:
                del self._ends[partition]
        return [record for records in batches.values() for record in records]

    async def _check_alive(self, heard: bool) -> None:
        """aiokafka retries for ever in silence; a broker that is gone for good is an error here."""
        now = asyncio.get_running_loop().time()
        if heard or self._heard == 0.0:
            self._heard = now
        elif now - self._heard > _SILENCE_SECONDS:
            if await _answers(client_options(self._settings)["bootstrap_servers"]):
                self._heard = now
            elif now - self._heard > _GONE_SECONDS:
                raise BrokerError("the broker has gone away", advice="Subscribe again once it runs.")

    def _alert(self, record: ConsumerRecord) -> Alert | None:
        topic = self._settings.logical(record.topic)
        try:
            value = orjson.loads(record.value or b"")
        except orjson.JSONDecodeError:
            value = None
        if topic is None or not isinstance(value, dict):
            self.unreadable += 1
            return None
        key = (record.key or b"").decode(errors="replace")
        if self._accounts and key not in self._accounts and value.get("account") not in self._accounts:
            return None
        ts = value.get("ts")
        if self._since is not None and isinstance(ts, int) and ts < self._since:
            return None
        place = header(record.headers, LOG_OFFSET)
        if self._repeats.seen(topic, key, value, record.value, place):
            return None
        return Alert(topic, key, value, record.partition, record.offset, record.timestamp)


async def _answers(bootstrap: str) -> bool:
    """Whether one of the addresses accepts connections."""
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host.strip("[]"), int(port)), 2)
        except (OSError, TimeoutError):
            continue
        writer.close()
        return True
    return False
