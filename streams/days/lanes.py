"""The records of a recorded day as they will lie in the partitions of its topics.

A *lane* is what one partition receives during the day, in order. Trades and quotes kept as Parquet go out
as frames, everything else as JSON, one record an event. An account's lane is its home partition, a
security's that of its key; so the offline run and a replay through Kafka hand the very same records to the
very same partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.batches import QuoteBatch, TradeBatch
from schemas.frames import CONTENT_TYPE_FRAME, encode_quotes, encode_trades
from schemas.topics import MARKET_SESSION, TOPICS
from streams.days.reader import JsonTopic, RecordedDay
from streams.days.tickbatches import quote_batch, trade_batch
from streams.headers import CONTENT_TYPE
from streams.routes import Routes

NOT_REPLAYED = frozenset({MARKET_SESSION, "security.signals"})
"""Session records are made anew, each with its cut; signals are what a replay brings forth again."""
FRAME_ROWS = 4096
_FRAME_HEADER = ((CONTENT_TYPE, CONTENT_TYPE_FRAME),)
_BATCHES: dict[str, Callable[[RecordedDay], TradeBatch | QuoteBatch]] = {
    "market.trades": trade_batch,
    "market.quotes": quote_batch,
}


@dataclass(frozen=True, slots=True)
class Record:
    """One record to publish; ``events`` is the number of events in it."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    events: int


class Lane(Protocol):
    """What one partition receives: ``ts`` int64[n] in order, one entry an event."""

    @property
    def topic(self) -> str:
        """Logical topic."""
        ...

    @property
    def partition(self) -> int:
        """Partition of the topic."""
        ...

    @property
    def ts(self) -> NDArray[np.int64]:
        """Time of each event, in order."""
        ...

    def records(self, start: int, stop: int) -> Iterator[Record]:
        """The records that carry the events ``start`` to ``stop`` (exclusive)."""
        ...


@dataclass(frozen=True, slots=True)
class JsonLane:
    """Events that are published as JSON, one a record."""

    topic: str
    partition: int
    ts: NDArray[np.int64]
    keys: list[bytes]
    values: list[bytes]

    def records(self, start: int, stop: int) -> Iterator[Record]:
        """One record an event."""
        for key, value in zip(self.keys[start:stop], self.values[start:stop], strict=True):
            yield Record(self.topic, self.partition, key or None, value, (), 1)


@dataclass(frozen=True, slots=True)
class FrameLane:
    """Ticks that are published as frames of at most FRAME_ROWS rows."""

    topic: str
    partition: int
    ts: NDArray[np.int64]
    batch: TradeBatch | QuoteBatch

    def records(self, start: int, stop: int) -> Iterator[Record]:
        """As few frames as hold the events."""
        for first in range(start, stop, FRAME_ROWS):
            part = self.batch.take(slice(first, min(first + FRAME_ROWS, stop))).compact()
            value = encode_trades(part) if isinstance(part, TradeBatch) else encode_quotes(part)
            yield Record(self.topic, self.partition, None, value, _FRAME_HEADER, len(part))


def partition_counts(account_partitions: int, market_partitions: int) -> dict[str, int]:
    """Partitions of every published topic, by topic."""
    return {
        topic.name: topic.partition_count(account_partitions, market_partitions)
        for topic in TOPICS.values()
        if topic.direction == "in"
    }


def day_lanes(day: RecordedDay, partitions: Mapping[str, int]) -> list[Lane]:
    """All lanes of ``day`` that receive anything, topics in registry order; session records are no lane."""
    routes = Routes(partitions)
    lanes: list[Lane] = []
    for topic in day.topics:
        if topic in NOT_REPLAYED:
            continue
        if topic in _BATCHES and not day.is_json(topic):
            lanes += _frame_lanes(topic, _BATCHES[topic](day), routes)
        else:
            lanes += _json_lanes(day.json_topic(topic), routes)
    return lanes


def _frame_lanes(topic: str, batch: TradeBatch | QuoteBatch, routes: Routes) -> list[Lane]:
    place = np.array([routes.place(topic, name)[1] for name in batch.securities], dtype=np.int32)[
        batch.security
    ]
    lanes: list[Lane] = []
    for partition in np.unique(place).tolist():
        part = batch.take(np.flatnonzero(place == partition))
        lanes.append(FrameLane(topic, partition, part.ts, part))
    return lanes


def _json_lanes(events: JsonTopic, routes: Routes) -> list[Lane]:
    keys = [key.decode("utf-8", "replace") for key in events.keys]
    place = np.fromiter((routes.place(events.topic, key)[1] for key in keys), np.int32, len(keys))
    lanes: list[Lane] = []
    for partition in np.unique(place).tolist():
        rows = np.flatnonzero(place == partition)
        own = rows.tolist()
        lanes.append(
            JsonLane(
                events.topic,
                partition,
                events.ts[rows],
                [events.keys[i] for i in own],
                [events.values[i] for i in own],
            )
        )
    return lanes
