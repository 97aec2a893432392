"""Bytes of a record of a shard's log. All numbers are little endian.

| at | bytes | what |
|---|---|---|
| 0 | 4 | `LRSL` |
| 4 | 1 | format, `LOG_FORMAT` |
| 5 | 1 | kind: 1 genesis, 2 claim, 3 events, 4 marks, 5 session, 6 lost |
| 6 | 2 | flags: bit 0 = evaluate |
| 8 | 4 | length of the header, h |
| 12 | 4 | number of sources named, n |
| 16 | h | header: one JSON object, see below |
| | | zeros up to a multiple of 8 |
| | 8 n | int64: position of each source that the frame continues from |
| | 8 n | int64: position it leads to |
| | 8 n | only in a session record, int64: its cut |
| | | body, see below; every array starts at a multiple of 8 |
| end - 4 | 4 | CRC-32 of everything before |

Header: genesis `{"uuid","partitions","market_partitions","prefix"}`; claim
`{"nonce","worker","web","rules","since"}`; frames
`{"s": [[topic, first partition, count], ...], "w": writer, "a": attempt}` where `s` names the n sources, and
 - events: `"g": [[slot, rows, forwarded, payload bytes], ...]`, one entry a segment. Its body: int64
   offsets, int64 timestamps, if forwarded int64 origin partitions and int64 origin offsets; then the
   payload: for `account.events` a frame of `schemas.frames`, else uint32 lengths of the values followed by
   the values;
 - marks: `"n": bytes`, the body is one frame of `schemas.frames`;
 - session: `"o": offset, "t": timestamp`, the body is the JSON of the session record, `"n"` bytes;
 - lost: `"l": slot, "t": timestamp`, no body.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from agents.core import Segment, Source
from schemas.batches import AccountBatch, MarkBatch
from schemas.frames import decode_frame, encode_account_events, encode_marks
from schemas.topics import ACCOUNT_EVENTS
from streams.errors import UserError
from streams.shardlog.recent import Recent
from streams.shardlog.records import (
    LOG_FORMAT,
    Claim,
    Events,
    Frame,
    Genesis,
    Lost,
    Marks,
    Record,
    SessionCut,
    Span,
)

MAGIC = b"LRSL"
_PREFIX = struct.Struct("<4sBBHII")
_CRC = struct.Struct("<I")
_GENESIS, _CLAIM, _EVENTS, _MARKS, _SESSION, _LOST = range(1, 7)
_EVALUATE = 1


class DamagedRecordError(ValueError):
    """A record of a shard's log that cannot be read: the log is damaged."""


class OtherFormatError(UserError):
    """Another version of the program wrote the log."""


def encode_record(record: Record) -> bytes:
    """The record as bytes."""
    match record:
        case Genesis():
            header = {
                "uuid": record.uuid,
                "partitions": record.partitions,
                "market_partitions": record.market_partitions,
                "prefix": record.prefix,
            }
            return _seal(_GENESIS, 0, header, None, [])
        case Claim():
            return _seal(_CLAIM, 0, asdict(record), None, [])
        case Events():
            entries, body = _encode_segments(record)
            return _seal(_EVENTS, 0, {"g": entries}, record.span, body)
        case Marks():
            frame = _marks_frame([record.marks])
            flags = _EVALUATE if record.evaluate else 0
            return _seal(_MARKS, flags, {"n": len(frame)}, record.span, [frame])
        case SessionCut():
            header = {"o": record.offset, "t": record.timestamp, "n": len(record.value)}
            cut = np.asarray(record.cut, dtype="<i8").tobytes()
            return _seal(_SESSION, 0, header, record.span, [cut, record.value])
        case Lost():
            header = {"l": record.span.sources.index(record.source), "t": record.timestamp}
            return _seal(_LOST, 0, header, record.span, [])


def decode_record(data: bytes) -> Record:
    """The record of these bytes. Raises DamagedRecordError, or OtherFormatError."""
    kind, flags, header, n, at = _open(data)
    if kind == _GENESIS:
        return Genesis(format=LOG_FORMAT, **header)
    if kind == _CLAIM:
        return Claim(**header)
    sources = _sources(orjson.dumps(header["s"]))
    if len(sources) != n:
        raise DamagedRecordError(f"a record names {len(sources)} sources and carries {n} positions")
    start = tuple(np.frombuffer(data, "<i8", n, at).tolist())
    end = tuple(np.frombuffer(data, "<i8", n, at + 8 * n).tolist())
    span = Span(sources, start, end, header["w"], header["a"])
    return _decode_frame(kind, flags, header, span, data, at + 16 * n)


def _decode_frame(kind: int, flags: int, header: dict[str, Any], span: Span, data: bytes, at: int) -> Frame:
    if kind == _EVENTS:
        return Events(span, _decode_segments(header["g"], span.sources, data, at))
    if kind == _MARKS:
        return Marks(span, _decode_marks(data[at : at + header["n"]]), bool(flags & _EVALUATE))
    if kind == _SESSION:
        n = len(span.sources)
        cut = tuple(np.frombuffer(data, "<i8", n, at).tolist())
        at += 8 * n
        return SessionCut(span, header["o"], header["t"], data[at : at + header["n"]], cut)
    if kind == _LOST:
        return Lost(span, span.sources[header["l"]], header["t"])
    raise DamagedRecordError(f"unknown kind {kind} of a record")


def _encode_marks(marks: Sequence[MarkBatch]) -> bytes:
    return encode_marks(marks[0])


_marks_frame: Recent[MarkBatch, bytes] = Recent(_encode_marks)


@lru_cache(maxsize=8)
def _decode_marks(frame: bytes) -> MarkBatch:
    """Remembered, because several logs of a worker carry the same frame at about the same time."""
    _, marks = decode_frame(frame)
    if not isinstance(marks, MarkBatch):
        raise DamagedRecordError("a record of marks carries another batch")
    return marks


def _pad(length: int) -> int:
    return -length % 8


def _seal(kind: int, flags: int, header: dict[str, Any], span: Span | None, body: Iterable[bytes]) -> bytes:
    positions = b""
    n = 0
    if span is not None:
        n = len(span.sources)
        header = {**header, "s": _runs(span.sources), "w": span.writer, "a": span.attempt}
        positions = np.asarray((*span.start, *span.end), dtype="<i8").tobytes()
    text = orjson.dumps(header)
    parts = [
        _PREFIX.pack(MAGIC, LOG_FORMAT, kind, flags, len(text), n),
        text,
        bytes(_pad(len(text))),
        positions,
        *body,
    ]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    parts.append(_CRC.pack(crc))
    return b"".join(parts)


def _open(data: bytes) -> tuple[int, int, dict[str, Any], int, int]:
    if len(data) < _PREFIX.size + _CRC.size:
        raise DamagedRecordError("a record is too short")
    magic, version, kind, flags, length, n = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise DamagedRecordError("a record does not begin with LRSL")
    (crc,) = _CRC.unpack_from(data, len(data) - _CRC.size)
    if zlib.crc32(memoryview(data)[: -_CRC.size]) != crc:
        raise DamagedRecordError("the checksum of a record does not match")
    if version != LOG_FORMAT:
        raise OtherFormatError(
            f"shard.log has records of format {version}, this version of the program reads {LOG_FORMAT}",
            advice="Start the version that wrote them, or begin afresh with another LIANGRONG_TOPIC_PREFIX "
            "and another LIANGRONG_CHECKPOINTS.",
        )
    at = _PREFIX.size
    header = orjson.loads(data[at : at + length])
    return kind, flags, header, n, at + length + _pad(length)


@lru_cache(maxsize=256)
def _runs(sources: tuple[Source, ...]) -> list[list[Any]]:
    runs: list[list[Any]] = []
    for topic, partition in sources:
        if runs and runs[-1][0] == topic and runs[-1][1] + runs[-1][2] == partition:
            runs[-1][2] += 1
        else:
            runs.append([topic, partition, 1])
    return runs


@lru_cache(maxsize=256)
def _sources(runs: bytes) -> tuple[Source, ...]:
    return tuple(
        (topic, partition)
        for topic, first, count in orjson.loads(runs)
        for partition in range(first, first + count)
    )


def _encode_segments(record: Events) -> tuple[list[list[int]], list[bytes]]:
    entries: list[list[int]] = []
    body: list[bytes] = []
    for segment in record.segments:
        forwarded = _is_forwarded(segment)
        columns: list[NDArray[Any]] = [segment.offsets, segment.timestamps]
        if forwarded:
            columns += [segment.origin_partition, segment.origin_offset]
        payload = _encode_payload(segment)
        body += [np.ascontiguousarray(column, dtype="<i8").tobytes() for column in columns]
        body += [payload, bytes(_pad(len(payload)))]
        slot = record.span.sources.index(segment.source)
        entries.append([slot, len(segment), int(forwarded), len(payload)])
    return entries, body


def _is_forwarded(segment: Segment) -> bool:
    foreign = segment.origin_partition != segment.source[1]
    return bool(foreign.any() or (segment.origin_offset != segment.offsets).any())


def _encode_payload(segment: Segment) -> bytes:
    if segment.batch is not None:
        return encode_account_events(segment.batch)
    lengths = np.fromiter((len(value) for value in segment.values), dtype="<u4", count=len(segment.values))
    return lengths.tobytes() + b"".join(segment.values)


def _decode_segments(
    entries: list[list[int]], sources: tuple[Source, ...], data: bytes, at: int
) -> tuple[Segment, ...]:
    segments = []
    for slot, rows, forwarded, length in entries:
        columns = [np.frombuffer(data, "<i8", rows, at + 8 * rows * i) for i in range(4 if forwarded else 2)]
        at += 8 * rows * len(columns)
        payload = data[at : at + length]
        at += length + _pad(length)
        segments.append(_segment(sources[slot], columns, payload))
    return tuple(segments)


def _segment(source: Source, columns: list[NDArray[np.int64]], payload: bytes) -> Segment:
    offsets, timestamps = columns[:2]
    if len(columns) == 4:
        origin_partition, origin_offset = columns[2].astype(np.int32), columns[3]
    else:
        origin_partition, origin_offset = np.full(len(offsets), source[1], np.int32), offsets
    if source[0] == ACCOUNT_EVENTS:
        _, batch = decode_frame(payload)
        if not isinstance(batch, AccountBatch):
            raise DamagedRecordError("a segment of account events carries another batch")
        return Segment(source, offsets, timestamps, origin_partition, origin_offset, batch)
    rows = len(offsets)
    values = []
    at = 4 * rows
    for length in np.frombuffer(payload, "<u4", rows).tolist():
        values.append(payload[at : at + length])
        at += length
    return Segment(source, offsets, timestamps, origin_partition, origin_offset, None, values)
