"""Intake: records as a consumer returned them become input of the sequencers, bad ones dead letters.

An account event, order or custody statement that reached another partition than its account's home (contract
section 2: librdkafka's default partitioner differs) is forwarded: a copy goes to the right partition with
its origin in headers, and no frame passes the original before that copy is acknowledged. Nothing here talks
to a broker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from aiokafka import ConsumerRecord
from numpy.typing import NDArray

from agents.core import Output, Source
from agents.dead_letters import Origin, letter
from schemas import decode
from schemas.account_decoding import decode_account_events
from schemas.batch_decoding import Decoded, decode_quotes, decode_trades
from schemas.batches import AccountBatch
from schemas.errors import BadRecord
from schemas.events import parse_json
from schemas.frames import CONTENT_TYPE_FRAME, encode_account_events
from schemas.routing import home_partition, home_partitions
from schemas.topics import ACCOUNT_EVENTS, ACCOUNT_ORDERS, FIRM_TOTALS, SHARD_TOTALS
from streams.headers import CONTENT_TYPE, WINDOW, header
from streams.shardlog.inputs import Input, Read
from streams.shardlog.positions import ROUTED_REFERENCE

ORIGIN_PARTITION = "origin-partition"
ORIGIN_OFFSET = "origin-offset"
_OFFSET, _TIMESTAMP = attrgetter("offset"), attrgetter("timestamp")

_ROUTED_VALUES = frozenset({ACCOUNT_ORDERS, ROUTED_REFERENCE})
_OWN_TOTALS = frozenset({SHARD_TOTALS, FIRM_TOTALS})
"""Written by our own cores, which read the figures themselves."""
_DECODERS: dict[str, Callable[[Sequence[bytes], Sequence[bytes | None]], Decoded[Any]]] = {
    "market.trades": decode_trades,
    "market.quotes": decode_quotes,
    ACCOUNT_EVENTS: decode_account_events,
}


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one source in order; `start` and `end` are the consumer's positions before and after."""

    source: Source
    start: int
    end: int
    records: Sequence[ConsumerRecord]


@dataclass(frozen=True, slots=True)
class Forward:
    """A copy of the record at `offset` (or of its events that live elsewhere), to be sent to `partition` of
    its topic.
    """

    topic: str
    offset: int
    partition: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run came to: input, and what must be acknowledged before a frame passes its offset."""

    input: Input
    letters: list[tuple[int, Output]]
    forwards: list[Forward]

    def pending(self) -> set[int]:
        """Offsets of the records that wait for an acknowledgement."""
        return {offset for offset, _ in self.letters} | {forward.offset for forward in self.forwards}


def take_in(run: Run, partitions: int) -> Taken:
    """Decode, validate and route the records of a run; `partitions` is the number of account partitions."""
    if run.source[0] in _DECODERS:
        return _take_rows(run, partitions)
    return _take_values(run, partitions)


def _read(run: Run) -> Read:
    records = run.records
    count = len(records)
    headers = [record.headers for record in records]
    kinds = set(headers)  # few, unless the records were forwarded
    windowed = {kind for kind in kinds if header(kind, WINDOW) is not None}
    origins: tuple[Any, Any] = None, None
    if any(header(kind, ORIGIN_PARTITION) is not None for kind in kinds):
        partition, offset = zip(*(_origin(run.source, record) for record in records), strict=True)
        origins = np.array(partition, np.int32), np.array(offset, np.int64)
    return Read(
        run.source,
        run.start,
        run.end,
        np.fromiter(map(_OFFSET, records), np.int64, count),
        np.fromiter(map(_TIMESTAMP, records), np.int64, count),
        np.fromiter(map(windowed.__contains__, headers), np.bool_, count),
        *origins,
    )


def _content_types(records: Sequence[ConsumerRecord]) -> list[bytes | None]:
    headers = [record.headers for record in records]
    types = {kind: header(kind, CONTENT_TYPE) for kind in set(headers)}
    return [types[kind] for kind in headers]


def _take_rows(run: Run, partitions: int) -> Taken:
    records = run.records
    decoded = _DECODERS[run.source[0]](
        [record.value or b"" for record in records],
        _content_types(records),
    )
    letters = [_letter(run.source, records[index], error) for index, error in decoded.bad]
    batch, record = decoded.batch, decoded.record
    forwards: list[Forward] = []
    if isinstance(batch, AccountBatch):
        here, forwards = _route(run, batch, record, partitions)
        if forwards:
            batch, record = batch.take(here), record[here]
    return Taken(Input.of_rows(_read(run), record, batch), letters, forwards)


def _take_values(run: Run, partitions: int) -> Taken:
    topic = run.source[0]
    values, rows, times, letters, forwards = [], [], [], [], []
    for index, record in enumerate(run.records):
        try:
            ts, home = _time_and_home(run.source, record, partitions)
        except BadRecord as error:
            letters.append(_letter(run.source, record, error))
            continue
        if home != run.source[1]:
            headers = _with_origin(run.source, record)
            value = record.value or b""
            forwards.append(Forward(topic, record.offset, home, record.key, value, headers, record.timestamp))
            continue
        values.append(record.value or b"")
        rows.append(index)
        times.append(ts)
    read = _read(run)
    data = Input.of_values(read, np.array(rows, np.int64), values, np.array(times, np.int64))
    return Taken(data, letters, forwards)


def _time_and_home(source: Source, record: ConsumerRecord, partitions: int) -> tuple[int, int]:
    """Event time of a valid record (its Kafka time if the event has none) and the partition where its account
    lives, the source's own where it is about none; BadRecord for any other.
    """
    value = record.value or b""
    if source[0] in _OWN_TOTALS:
        return int(parse_json(value)["ts"]), source[1]
    event = decode(source[0], value)
    home = home_partition(event.account, partitions) if source[0] in _ROUTED_VALUES else source[1]
    return int(getattr(event, "ts", record.timestamp)), home


def _route(
    run: Run, batch: AccountBatch, record: NDArray[np.int32], partitions: int
) -> tuple[NDArray[np.intp], list[Forward]]:
    """Rows that live in this partition, and forwards of all others."""
    own = run.source[1]
    names, which = np.unique(batch.account, return_inverse=True)
    home = home_partitions([batch.pool[name] for name in names.tolist()], partitions)[which]
    if (home == own).all():
        return np.arange(len(batch)), []
    forwards = []
    for index in np.unique(record[home != own]).tolist():
        rows = np.flatnonzero(record == index)
        forwards += _forwards(run.source, run.records[index], batch, rows, home[rows], own)
    return np.flatnonzero(home == own), forwards


def _forwards(
    source: Source,
    record: ConsumerRecord,
    batch: AccountBatch,
    rows: NDArray[np.intp],
    home: NDArray[np.int64],
    own: int,
) -> list[Forward]:
    """One copy for each foreign partition: the record as it is, or a frame of its events that live there."""
    headers = _with_origin(source, record)
    targets = [target for target in np.unique(home).tolist() if target != own]
    if len(targets) == 1 and (home == targets[0]).all():
        value = record.value or b""
        return [Forward(source[0], record.offset, targets[0], record.key, value, headers, record.timestamp)]
    headers = [(name, value) for name, value in headers if name != CONTENT_TYPE]
    headers.append((CONTENT_TYPE, CONTENT_TYPE_FRAME))
    return [
        Forward(
            source[0],
            record.offset,
            target,
            record.key,
            encode_account_events(batch.take(rows[home == target])),
            headers,
            record.timestamp,
        )
        for target in targets
    ]


def _with_origin(source: Source, record: ConsumerRecord) -> list[tuple[str, bytes]]:
    """A record's headers, and where it was first published."""
    partition, offset = _origin(source, record)
    headers = [
        (name, value) for name, value in record.headers if name not in (ORIGIN_PARTITION, ORIGIN_OFFSET)
    ]
    return [*headers, (ORIGIN_PARTITION, b"%d" % partition), (ORIGIN_OFFSET, b"%d" % offset)]


def _origin(source: Source, record: ConsumerRecord) -> tuple[int, int]:
    """Partition and offset under which a record was first published."""
    partition, offset = header(record.headers, ORIGIN_PARTITION), header(record.headers, ORIGIN_OFFSET)
    if partition is not None and offset is not None and partition.isdigit() and offset.isdigit():
        return int(partition), int(offset)
    return source[1], record.offset


def _letter(source: Source, record: ConsumerRecord, error: BadRecord) -> tuple[int, Output]:
    partition, offset = _origin(source, record)
    origin = Origin(source[0], partition, offset, record.timestamp)
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    body = letter(origin, error.field, error.reason, record.value or b"", record.key, headers)
    return record.offset, body
