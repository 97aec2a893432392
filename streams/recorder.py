"""Recording topics to a day directory: what the broker holds of one date, as Parquet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.structs import TopicPartition

from schemas.errors import BadRecord
from schemas.topics import TOPICS
from schemas.units import format_day, parse_day, shanghai_day
from streams.connections import reader
from streams.days.fromrecords import Row, rows_of, table_of
from streams.days.writer import DayLabel, day_directory, write_day
from streams.ends import end_offsets
from streams.errors import UsageError, UserError
from streams.headers import CONTENT_TYPE, header
from streams.routes import record_key
from streams.settings import Settings
from streams.topics import check_topics

RECORDED_TOPICS = tuple(name for name, topic in TOPICS.items() if topic.direction == "in")
_POLL_MS = 500
_ROWS_AT_ONCE = 50_000


@dataclass(slots=True)
class Recording:
    """What was written: rows by topic, and how many records were unreadable and left out."""

    date: str
    directory: Path
    rows: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0


async def record(
    settings: Settings, destination: Path, topics: Sequence[str] = RECORDED_TOPICS, date: str | None = None
) -> Recording:
    """Write the records of one Shanghai date under `destination/date=YYYY-MM-DD` and return what was
    written.

    The date is that of the newest session record unless given. A record without `ts` (reference data)
    belongs to the day when it names no date or this one. Clocks and cuts are left out: they belong to one
    broker's run. UserError when there is nothing, UsageError for an unknown topic or a day that is there
    already.
    """
    for name in topics:
        if name not in TOPICS or TOPICS[name].direction == "internal":
            raise UsageError(
                f"there is no topic {name} to record", advice=f"Topics: {', '.join(RECORDED_TOPICS)}"
            )
    counts = await check_topics(settings, {*topics, "market.session"})
    async with reader(settings) as consumer:
        day = await _session_day(settings, consumer) if date is None else _given_day(date)
        recording = Recording(format_day(day), day_directory(destination, day))
        tables = {}
        for name in topics:
            table = await _table(settings, consumer, name, counts[name], day, recording)
            if table.num_rows:
                tables[name] = table
                recording.rows[name] = table.num_rows
    if not tables:
        raise UserError(f"the broker holds nothing of {recording.date} in {', '.join(topics)}")
    label = DayLabel(
        f"recorded from Kafka, prefix {settings.topic_prefix or 'none'}", "that of its publishers"
    )
    write_day(recording.directory, day, tables, label)
    return recording


async def _session_day(settings: Settings, consumer: AIOKafkaConsumer) -> int:
    newest: int | None = None
    async for published in _records(settings, consumer, "market.session", 1):
        try:
            newest = parse_day(str(rows_of(published.value, None)[0].get("date")))
        except BadRecord:
            continue
    if newest is None:
        raise UserError("no session record tells the date", advice="Name it with --date YYYY-MM-DD.")
    return newest


def _given_day(text: str) -> int:
    try:
        return parse_day(text)
    except BadRecord as bad:
        raise UsageError(f"the date {bad}") from None


async def _table(
    settings: Settings,
    consumer: AIOKafkaConsumer,
    topic: str,
    partitions: int,
    day: int,
    recording: Recording,
) -> pa.Table:
    tables = [table_of(topic, [])[0]]
    rows: list[tuple[str, Row]] = []

    def put_away() -> None:
        table, unfit = table_of(topic, rows)
        tables.append(table)
        recording.unreadable += unfit
        rows.clear()

    async for published in _records(settings, consumer, topic, partitions):
        try:
            found = rows_of(published.value, header(published.headers, CONTENT_TYPE))
        except BadRecord:
            recording.unreadable += 1
            continue
        rows += [
            (record_key(topic, row) or "", {name: cell for name, cell in row.items() if name != "cut"})
            for row in found
            if belongs(topic, row, day)
        ]
        if len(rows) >= _ROWS_AT_ONCE:
            put_away()
    put_away()
    return pa.concat_tables(tables, promote_options="default")


def belongs(topic: str, row: Mapping[str, Any], day: int) -> bool:
    """Whether a record is part of the day: by its date, else its time, else it holds on every day."""
    if topic == "market.session" and row.get("phase") == "clock":
        return False
    named = row.get("date")
    if isinstance(named, str):
        return named == format_day(day)
    ts = row.get("ts")
    return not isinstance(ts, int) or shanghai_day(ts) == day


async def _records(
    settings: Settings, consumer: AIOKafkaConsumer, topic: str, partitions: int
) -> AsyncIterator[ConsumerRecord]:
    """Every record that a topic holds now, partition by partition."""
    everything = [TopicPartition(settings.topic(topic), number) for number in range(partitions)]
    ends = await end_offsets(consumer, everything)
    first = await consumer.beginning_offsets(everything)
    for partition in everything:
        consumer.assign([partition])
        consumer.seek(partition, first[partition])
        while await consumer.position(partition) < ends[partition]:
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                for published in records:
                    if published.offset < ends[partition]:
                        yield published
