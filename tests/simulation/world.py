"""The world of the simulation: an in-memory broker and a day's events as anybody could publish them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from agents.core import Source
from schemas import decode
from schemas.account_decoding import decode_account_events
from schemas.batch_decoding import decode_quotes, decode_trades
from schemas.batches import AccountBatch, QuoteBatch, TradeBatch
from schemas.errors import BadRecord
from schemas.frames import CONTENT_TYPE_FRAME, MAGIC, encode_account_events
from schemas.routing import home_partition
from schemas.topics import MARKET_SESSION
from streams.shardlog.encoding import decode_record
from streams.shardlog.inputs import Input, Read
from streams.shardlog.outbox import Outgoing
from streams.shardlog.positions import Sources, format_cut
from streams.shardlog.records import Record

SESSION_SOURCE: Source = (MARKET_SESSION, 0)
DAY_MS = 86_400_000
OPEN_MS = 1_743_989_400_000
"""2025-04-07 09:30 in Shanghai."""
SECURITIES = ("600519.SH", "000001.SZ", "300750.SZ")
BROKEN = b'{"broken'


@dataclass(frozen=True)
class Rec:
    """A record of an input topic; ``origin`` is (partition, offset) of the original of a forwarded one."""

    value: bytes
    timestamp: int
    window: bool = False
    origin: tuple[int, int] | None = None
    home: int | None = None


@dataclass
class Broker:
    """Topics, logs and what was published, all in memory. Append-only, like Kafka."""

    sources: Sources
    topics: dict[Source, list[Rec]] = field(default_factory=lambda: defaultdict(list))
    logs: list[list[bytes]] = field(default_factory=list)
    published: list[list[Outgoing]] = field(default_factory=list)
    letters: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        count = self.sources.partitions + 1
        self.logs = [[] for _ in range(count)]
        self.published = [[] for _ in range(count)]

    def ends(self, partition: int) -> dict[Source, int]:
        """End offsets of the sources of one log."""
        return {source: len(self.topics[source]) for source in self.sources.of(partition).sources}

    def publish(self, partition: int, outgoing: Outgoing) -> None:
        """An output of the log ``partition`` reaches its topic; totals are an input of the firm log."""
        self.published[partition].append(outgoing)
        if outgoing.output.topic == "shard.totals":
            value = orjson.dumps(outgoing.output.value)
            self.topics[("shard.totals", partition)].append(Rec(value, 0))


decoded_record = lru_cache(maxsize=4096)(decode_record)


def events_of(record: Rec) -> list[dict[str, Any]]:
    """The account events in one record."""
    if record.value.startswith(MAGIC):
        batch = _decoded("account.events", record.value)
        return [orjson.loads(batch.raw_of(row)) for row in range(len(batch))]
    return [orjson.loads(record.value)]


def record_of(data: bytes) -> Record:
    """A log record, decoded once however often it is read."""
    return decoded_record(data)


@lru_cache(maxsize=100_000)
def _decoded(topic: str, value: bytes) -> Any:
    """One record's batch, or its event time for topics without batches, or the fault."""
    readers: dict[str, Callable[..., Any]] = {
        "account.events": decode_account_events,
        "market.trades": decode_trades,
        "market.quotes": decode_quotes,
    }
    if topic in readers:
        content_type = CONTENT_TYPE_FRAME if value.startswith(MAGIC) else None
        found = readers[topic]([value], [content_type])
        return found.bad[0][1] if found.bad else found.batch
    if topic == "shard.totals":
        return 0
    try:
        return getattr(decode(topic, value), "ts", 0)
    except BadRecord as bad:
        return bad


@dataclass(frozen=True)
class Taken:
    """Input made of a run of records, and what must be acknowledged before a frame passes their offsets."""

    data: Input
    forwards: list[tuple[int, int, Rec]]
    letters: list[tuple[int, str]]

    @property
    def pending(self) -> list[int]:
        return [offset for offset, *_ in self.forwards] + [offset for offset, _ in self.letters]


def take_in(broker: Broker, source: Source, start: int, count: int) -> Taken:
    """Read, decode, validate and route a run of records, as a worker's intake does."""
    topic, partition = source
    records = broker.topics[source][start : start + count]
    forwards, letters, rows, parts = [], [], [], []
    for i, record in enumerate(records):
        found = _decoded(topic, record.value)
        if isinstance(found, BadRecord):
            letters.append((start + i, f"{topic}/{partition}/{start + i}"))
        elif record.home is not None and record.home != partition:
            origin = record.origin or (partition, start + i)
            copy = Rec(record.value, record.timestamp, record.window, origin, record.home)
            forwards.append((start + i, record.home, copy))
        else:
            rows += [i] * (len(found) if isinstance(found, AccountBatch) else 1)
            parts.append(found)
    return Taken(_input(source, start, records, rows, parts), forwards, letters)


def _input(source: Source, start: int, records: list[Rec], rows: list[int], parts: list[Any]) -> Input:
    offsets = np.arange(start, start + len(records), dtype=np.int64)
    origins = [record.origin or (source[1], start + i) for i, record in enumerate(records)]
    read = Read(
        source,
        start,
        start + len(records),
        offsets,
        np.array([record.timestamp for record in records], dtype=np.int64),
        np.array([record.window for record in records], dtype=np.bool_),
        np.array([partition for partition, _ in origins], dtype=np.int32),
        np.array([offset for _, offset in origins], dtype=np.int64),
    )
    index = np.array(rows, dtype=np.int64)
    batches: dict[str, Any] = {
        "account.events": AccountBatch,
        "market.trades": TradeBatch,
        "market.quotes": QuoteBatch,
    }
    if source[0] in batches:
        cls = batches[source[0]]
        return Input.of_rows(read, index, cls.concat(parts) if parts else cls.empty())
    values = [records[i].value for i in rows]
    return Input.of_values(read, index, values, np.array(parts, dtype=np.int64))


# -- a day's events --


@dataclass(frozen=True)
class Event:
    """Something to publish: its source, and the account's home if it has one.

    ``also`` are further account events of the same home: all of them are one record, a frame.
    """

    source: Source
    value: dict[str, Any] | None
    home: int | None = None
    also: tuple[dict[str, Any], ...] = ()

    def record(self, window: bool) -> Rec:
        """The record as published."""
        if self.value is not None and self.also:
            batch = decode_account_events([orjson.dumps(value) for value in (self.value, *self.also)]).batch
            return Rec(encode_account_events(batch), self.value["ts"], window, None, self.home)
        if self.value is None:
            return Rec(BROKEN, 0, window)
        return Rec(orjson.dumps(self.value), self.value.get("ts", 0), window, None, self.home)


@dataclass
class Window:
    """Events in the order in which each source carries them, and the session record that ends the window."""

    events: list[Event]
    session: dict[str, Any]


def generate(seed: int, sources: Sources, replay: bool) -> list[Window]:
    """Windows of random events. Live, some windows have no session record and some events go astray."""
    r = random.Random(seed * 7919 + 1)
    writer = EventWriter(r, sources, replay)
    windows = []
    for number in range(r.randint(3, 6)):
        start = OPEN_MS + number * 10_000
        events = writer.with_frames([writer.event(start) for _ in range(r.randint(0, 9))])
        if number == 0:
            events = writer.openings(start) + events
        phase = "settled" if not replay or r.random() < 0.3 else "clock"
        session = {"ts": start + 9_999, "date": "2025-04-07", "market": "ALL", "phase": phase}
        windows.append(Window(events, session))
    return windows


class EventWriter:
    """Writes random events of a toy day."""

    def __init__(self, r: random.Random, sources: Sources, replay: bool) -> None:
        self.r, self.sources, self.replay = r, sources, replay
        self.accounts = [f"A{i}" for i in range(2 * sources.partitions)]
        self.number = 0

    def openings(self, start: int) -> list[Event]:
        return [
            self._account(start, a, kind="opening", cash=50, positions=[], contracts=[])
            for a in self.accounts
        ]

    def event(self, start: int) -> Event:
        r, x = self.r, self.r.random()
        self.number += 1
        ts = start + r.randint(0, 9) * 1000
        name = r.choice(self.accounts)
        if x < 0.3:
            amount = r.choice([-30, -7, 11, 40])
            return self._account(ts, name, kind="cash", amount=amount, reason="adjustment")
        if x < 0.5:
            fill = {"security": r.choice(SECURITIES), "qty": r.randint(1, 4), "price": r.randint(5, 25)}
            return self._account(ts, name, kind="fill", business="collateral_buy", **fill)
        if x < 0.54:
            return Event(r.choice([("account.events", 0), ("commands", 0), ("market.trades", 0)]), None)
        if x < 0.6:
            value = {"id": f"c{self.number}", "ts": ts, "by": "desk", "command": "hold"}
            return Event(("commands", 0), value)
        if x < 0.66:
            return self._rules()
        if x < 0.69:
            return self._signal(ts)
        return self._market(start)

    def _account(self, ts: int, name: str, **fields: Any) -> Event:
        self.number += 1
        home = home_partition(name, self.sources.partitions)
        astray = not self.replay and self.r.random() < 0.15
        partition = self.r.randrange(self.sources.partitions) if astray else home
        value = {"account": name, "ts": ts, "id": f"e{self.number}", **fields}
        return Event(("account.events", partition), value, home)

    def with_frames(self, events: list[Event]) -> list[Event]:
        """Some neighbours of one home go out as one record."""
        found: list[Event] = []
        for event in events:
            frame = self.framed(found[-1], event) if found and self.r.random() < 0.5 else None
            if frame is None:
                found.append(event)
            else:
                found[-1] = frame
        return found

    def framed(self, event: Event, more: Event) -> Event | None:
        """Two account events of one home as one record; None if they cannot be one."""
        if event.value is None or more.value is None or event.home is None or event.home != more.home:
            return None
        return Event(event.source, event.value, event.home, (more.value,))

    def _rules(self) -> Event:
        warn = self.r.choice(["1.40", "1.50", "1.60"])
        value: dict[str, Any] = {
            "preset": "P",
            "from": "2015-07-02",
            "warn": warn,
            "min": "1.30",
            "immediate": None,
        }
        value |= {"immediate_mode": "realtime", "target": "1.50", "cure_by": 1, "cure_at": "settled"}
        value |= {"liquidate_from": 2, "rearm": "0.01", "commission": "0.00025"}
        return Event(("reference.rules", 0), value)

    def _signal(self, ts: int) -> Event:
        value = {
            "id": f"s{self.number}",
            "security": self.r.choice(SECURITIES),
            "ts": ts,
            "date": "2025-04-07",
        }
        value |= {"effective": "2025-04-08", "business": "financing", "signal": "halt", "indicator": "x"}
        value |= {"line": "0.25", "basis": "notice", "figures": {}, "rule": "r"}
        return Event(("security.signals", 0), value)

    def _market(self, start: int) -> Event:
        r = self.r
        number = r.randrange(len(SECURITIES))
        early = -15_000 if r.random() < 0.2 else 0
        value: dict[str, Any] = {"security": SECURITIES[number], "ts": start + early + r.randint(0, 3)}
        partition = number % self.sources.market_partitions
        if r.random() < 0.5:
            return Event(("market.trades", partition), value | {"price": r.randint(5, 25), "qty": 100})
        value |= {"last": r.choice([0, r.randint(5, 25)]), "limit_up": r.randint(30, 40)}
        return Event(("market.quotes", partition), value)


def interleaved(windows: list[Window], replay: bool, r: random.Random) -> Iterator[Event]:
    """The windows as published.

    Each source in order, sources interleaved at random, then the session record.
    """
    for number, window in enumerate(windows):
        queues: dict[Source, list[Event]] = {}
        for event in window.events:
            queues.setdefault(event.source, []).append(event)
        while queues:
            source = r.choice(list(queues))
            yield queues[source].pop(0)
            if not queues[source]:
                del queues[source]
        if replay or number == len(windows) - 1 or r.random() > 0.3:
            yield Event(SESSION_SOURCE, window.session)


def with_cut(session: dict[str, Any], broker: Broker) -> dict[str, Any]:
    """A replayer's session record: the cut names every input partition."""
    inputs = {
        source: len(records)
        for source, records in broker.topics.items()
        if source != SESSION_SOURCE and source[0] != "shard.totals"
    }
    return session | {"cut": format_cut(inputs)}
