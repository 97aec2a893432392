"""Recording topics as recorded days (`liangrong record`): what was published becomes a directory that can
be replayed.

An event belongs to the day of its ``ts`` in Shanghai, or, if that day has no session records, to the next
one that has. Reference data carries no market time: what was published before its day's first session
record belongs to the start of the day, anything later gets the time of the session record that came before
it (by Kafka's time). Session records lose their cuts. Records that are no valid events are counted and left
out: where they matter they are dead letters.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas import decode, encode
from schemas.batches import QuoteBatch, TradeBatch
from schemas.errors import BadRecord
from schemas.frames import CONTENT_TYPE_FRAME, decode_frame
from schemas.topics import MARKET_SESSION, TOPICS
from schemas.units import parse_day, shanghai_day
from streams.connections import reader
from streams.days.tables import event_table, quote_table, trade_table
from streams.days.writer import DayLabel, day_directory, write_day
from streams.ends import end_offsets
from streams.errors import UserError
from streams.headers import CONTENT_TYPE, header
from streams.settings import Settings
from streams.topics import check_topics

INPUTS = tuple(name for name, topic in TOPICS.items() if topic.direction == "in")
_POLL_MS = 200


@dataclass(frozen=True, slots=True)
class Noted:
    """One valid JSON event: Kafka's time, its canonical fields and its key."""

    published: int
    row: dict[str, Any]
    key: str


@dataclass(slots=True)
class Recording:
    """What has been read so far, by topic; `write` makes days of it."""

    events: dict[str, list[Noted]] = field(default_factory=lambda: defaultdict(list))
    ticks: dict[str, list[TradeBatch | QuoteBatch]] = field(default_factory=lambda: defaultdict(list))
    count: int = 0
    refused: int = 0

    def add(self, topic: str, record: ConsumerRecord[bytes, bytes]) -> None:
        """Take one record of logical ``topic``."""
        try:
            if header(record.headers, CONTENT_TYPE) == CONTENT_TYPE_FRAME:
                self._add_frame(topic, record)
                return
            event = decode(topic, record.value)
        except BadRecord:
            self.refused += 1
            return
        self._note(topic, event, record)

    def _add_frame(self, topic: str, record: ConsumerRecord[bytes, bytes]) -> None:
        _, batch = decode_frame(record.value or b"")
        if isinstance(batch, TradeBatch | QuoteBatch):
            self.ticks[topic].append(batch)
            self.count += len(batch)
            return
        for row in range(len(batch)):
            self._note(topic, decode(topic, batch.raw_of(row)), record)  # type: ignore[attr-defined]

    def _note(self, topic: str, event: Any, record: ConsumerRecord[bytes, bytes]) -> None:
        row = _fields(event)
        row.pop("cut", None)
        key = record.key.decode("utf-8", "replace") if record.key else str(row.get(TOPICS[topic].key, ""))
        self.events[topic].append(Noted(record.timestamp, row, key))
        self.count += 1

    def write(self, destination: Path, label: DayLabel) -> list[Path]:
        """Write every day below ``destination``; UserError if there is no session record to tell the days
        by."""
        sessions = sorted(self.events[MARKET_SESSION], key=lambda noted: noted.published)
        if not sessions:
            raise UserError("nothing was recorded that names a day: there is no session record")
        days = sorted({parse_day(noted.row["date"]) for noted in sessions})
        tables: dict[int, dict[str, pa.Table]] = defaultdict(dict)
        for topic, noted in self.events.items():
            for day, own in _by_day(topic, noted, sessions, days).items():
                rows, keys = [event.row for event in own], [event.key for event in own]
                tables[day][topic] = event_table(topic, rows, keys)
        for topic, batches in self.ticks.items():
            for day, table in _ticks_by_day(batches, days).items():
                both = [tables[day][topic], table] if topic in tables[day] else [table]
                tables[day][topic] = pa.concat_tables(both, promote_options="permissive")
        return [
            write_day(day_directory(destination, day), day, own, label) for day, own in sorted(tables.items())
        ]


def _fields(event: Any) -> dict[str, Any]:
    import orjson

    row: dict[str, Any] = orjson.loads(encode(event))
    return row


def _day_of(date: int, days: Sequence[int]) -> int:
    """The first day with session records from ``date`` on, else the last one."""
    place = bisect_right(days, date - 1)
    return days[min(place, len(days) - 1)]


def _by_day(
    topic: str, noted: Sequence[Noted], sessions: Sequence[Noted], days: Sequence[int]
) -> dict[int, list[Noted]]:
    found: dict[int, list[Noted]] = defaultdict(list)
    times = [session.published for session in sessions]
    for event in noted:
        if topic == MARKET_SESSION:
            found[parse_day(event.row["date"])].append(event)
        elif isinstance(event.row.get("ts"), int):
            found[_day_of(shanghai_day(event.row["ts"]), days)].append(event)
        else:
            day, ts = _place(event, sessions, times, days)
            row = event.row if ts is None else {**event.row, "ts": ts}
            found[day].append(Noted(event.published, row, event.key))
    return found


def _place(
    event: Noted, sessions: Sequence[Noted], times: Sequence[int], days: Sequence[int]
) -> tuple[int, int | None]:
    """Day and market time of reference data: just after the session record that was published before it."""
    own = event.row.get("date") or event.row.get("ex_date") or event.row.get("effective")
    meant = _day_of(parse_day(own), days) if isinstance(own, str) else None
    place = bisect_right(times, event.published) - 1
    if place < 0:
        return (days[0] if meant is None else meant), None
    before = sessions[place].row
    day = parse_day(before["date"])
    if meant is not None and meant > day:
        return meant, None
    return day, int(before["ts"]) + 1


def _ticks_by_day(batches: Sequence[TradeBatch | QuoteBatch], days: Sequence[int]) -> dict[int, pa.Table]:
    found: dict[int, list[pa.Table]] = defaultdict(list)
    for batch in batches:
        place = [_day_of(shanghai_day(ts), days) for ts in batch.ts.tolist()]
        for day in sorted(set(place)):
            part = batch.take([row for row, own in enumerate(place) if own == day])
            found[day].append(trade_table(part) if isinstance(part, TradeBatch) else quote_table(part))
    return {day: pa.concat_tables(tables, promote_options="permissive") for day, tables in found.items()}


async def record_topics(
    destination: Path,
    settings: Settings,
    *,
    topics: Sequence[str] = INPUTS,
    follow: asyncio.Event | None = None,
    watch: Callable[[int], None] | None = None,
) -> tuple[list[Path], Recording]:
    """Record ``topics`` from their beginning to their end now, or, with ``follow``, until that event is set.

    Returns the days' directories and what was recorded.
    """
    counts = await check_topics(settings, topics)
    places = {
        TopicPartition(settings.topic(t), p): t for t, n in counts.items() if t in topics for p in range(n)
    }
    recording = Recording()
    async with reader(settings) as probe, reader(settings) as consumer:
        ends = await end_offsets(probe, list(places))
        consumer.assign(list(places))
        await consumer.seek_to_beginning(*places)
        while not await _complete(consumer, ends) if follow is None else not follow.is_set():
            for place, records in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                for record in records:
                    if follow is not None or record.offset < ends[place]:
                        recording.add(places[place], record)
            if watch is not None:
                watch(recording.count)
    label = DayLabel(f"recorded from {', '.join(sorted(counts))}", "as the sources'")
    return recording.write(destination, label), recording


async def _complete(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    return all([await consumer.position(place) >= end for place, end in ends.items()])
