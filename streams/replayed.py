"""What the topics hold already when a replay begins: dates, cuts, the rest of a window, days declared
final."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from agents.core import Source
from schemas.topics import MARKET_SESSION, SYSTEM_EVENTS
from schemas.units import format_day
from streams.days.reader import RecordedDay
from streams.ends import end_offsets
from streams.errors import TopicError
from streams.headers import WINDOW, header
from streams.settings import Settings
from streams.shardlog.positions import RETURNED_SOURCES, parse_cut

REPLAY = "replay"
"""Header of a replay's records: which day, window and partitions it is made of."""
OTHER_PREFIX = "replay it under another LIANGRONG_TOPIC_PREFIX (and start a worker with the same one)"


def fingerprint(day: RecordedDay, window_ms: int, counts: Mapping[str, int]) -> bytes:
    """What makes a replay of a day the same one: its files, the window and the partitions."""
    files = [[topic, [path.stat().st_size for path in day.files[topic]]] for topic in day.topics]
    facts = [format_day(day.date), files, window_ms, sorted(counts.items())]
    return hashlib.sha256(orjson.dumps(facts)).hexdigest()[:16].encode()


async def ends_of(
    probe: AIOKafkaConsumer, settings: Settings, partitions: Sequence[Source]
) -> dict[Source, int]:
    """End offsets now, by logical topic and partition; ``probe`` is a consumer used for nothing else."""
    named = {TopicPartition(settings.topic(topic), p): (topic, p) for topic, p in partitions}
    return {named[partition]: end for partition, end in (await end_offsets(probe, named)).items()}


@dataclass(frozen=True, slots=True)
class LastSession:
    """The last session record of a date: the replay it is from (None: from elsewhere), its window, its
    cut."""

    replay: bytes | None
    window: int
    cut: dict[Source, int]


@dataclass(frozen=True, slots=True)
class Past:
    """The last session record of every date on the broker, by date."""

    dates: dict[str, LastSession]

    def windows_done(self, date: str, replay: bytes) -> int:
        """How many windows of ``date`` the replay has published. TopicError if the date is from elsewhere."""
        known = self.dates.get(date)
        if known is None:
            return 0
        if known.replay != replay:
            raise TopicError(f"the topics already hold {date}", advice=OTHER_PREFIX)
        return known.window + 1

    def refuse_later_than(self, date: str) -> None:
        """TopicError if the topics hold a day after ``date``: market time does not go back."""
        later = sorted(other for other in self.dates if other > date)
        if later:
            raise TopicError(
                f"the topics already hold {later[0]}, which is after {date}", advice=OTHER_PREFIX
            )

    async def leftovers(
        self,
        consumer: AIOKafkaConsumer,
        settings: Settings,
        ends: Mapping[Source, int],
        replay: bytes,
        window: int,
    ) -> dict[Source, int]:
        """How many records of ``window`` each partition holds beyond the last cut: the replay was killed
        inside it."""
        cut = self.dates[max(self.dates)].cut if self.dates else dict.fromkeys(ends, 0)
        skip: dict[Source, int] = {}
        for source, start in cut.items():
            end = ends.get(source, start)
            if source[0] in {MARKET_SESSION, *RETURNED_SOURCES} or end <= start:
                continue
            partition = TopicPartition(settings.topic(source[0]), source[1])
            async for record in _records(consumer, partition, start, end):
                own = (
                    header(record.headers, REPLAY) == replay
                    and header(record.headers, WINDOW) == b"%d" % window
                )
                skip[source] = skip.get(source, 0) + own
        return skip


async def past_sessions(consumer: AIOKafkaConsumer, settings: Settings, end: int) -> Past:
    """Read `market.session` from its beginning to offset ``end``."""
    dates: dict[str, LastSession] = {}
    async for record in _records(consumer, TopicPartition(settings.topic(MARKET_SESSION), 0), None, end):
        try:
            session = orjson.loads(record.value or b"")
            number = int(header(record.headers, WINDOW) or b"-1")
            cut = parse_cut(session.get("cut") or {})
            dates[str(session["date"])] = LastSession(header(record.headers, REPLAY), number, cut)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # a broken session record says nothing about what was replayed
    return Past(dates)


async def _records(
    consumer: AIOKafkaConsumer, partition: TopicPartition, start: int | None, end: int
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """The records from ``start`` (None: the first there is) up to ``end``."""
    consumer.assign([partition])
    if start is None:
        await consumer.seek_to_beginning(partition)
    else:
        consumer.seek(partition, start)
    while end > 0 and await consumer.position(partition) < end:
        for record in (await consumer.getmany(partition, timeout_ms=500)).get(partition, ()):
            if record.offset < end:
                yield record


class Finals:
    """Which days the financing agent has declared final, read from `system.events`."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: Settings) -> None:
        self._consumer = consumer
        self._events = TopicPartition(settings.topic(SYSTEM_EVENTS), 0)
        self._dates: set[str] = set()

    async def start(self) -> None:
        """Read from the beginning: after a restart the day may be final already."""
        self._consumer.assign([self._events])
        await self._consumer.seek_to_beginning(self._events)

    async def seen(self, date: str, seconds: float) -> bool:
        """Whether `day_final` of ``date`` is known, after waiting at most ``seconds`` for more events."""
        if date in self._dates:
            return True
        fetched = await self._consumer.getmany(self._events, timeout_ms=int(seconds * 1000))
        for record in fetched.get(self._events, ()):
            event = orjson.loads(record.value or b"{}")
            if event.get("kind") == "day_final":
                self._dates.add(str(event.get("date")))
        return date in self._dates
