"""Frames: many events of one kind in one compact binary record (contract section 1).

All numbers are little-endian. A frame is a header of 24 bytes and a body.

| offset | size | content |
|---|---|---|
| 0 | 4 | magic `LRFR` |
| 4 | 2 | version of the kind, unsigned: 3 for account events, 2 for marks, 1 for trades and quotes |
| 6 | 1 | kind: 1 trades, 2 quotes, 3 account events, 4 marks |
| 7 | 1 | reserved: 0 |
| 8 | 4 | rows, unsigned, at most 2^20 |
| 12 | 4 | size of the body in bytes, unsigned |
| 16 | 4 | CRC-32 (zlib) of the body, unsigned |
| 20 | 4 | CRC-32 (zlib) of bytes 0 to 19, unsigned |

The body is a sequence of sections; each begins at a multiple of 8 from the start of the frame and is padded
with zero bytes to a multiple of 8:

1. **Pool**: `n` (uint32, number of strings), `size` (uint32, bytes of text), then `n` uint32, the end of
each string
   in the text, then the text in UTF-8, the strings one after another.
2. **Encodings**: one byte for each column, in the order of the batch class's columns: 0 = plain, 1 =
constant.
3. **Columns**, in the same order: plain = `rows` values of the column's dtype; constant = one value that all
rows
   share. The dtypes are those of `schemas.batches` (`I1` int8, `U1` uint8, `I4` int32, `I8` int64, `U8`
   uint64). Index columns hold indices into the pool, -1 = absent.
4. **Raw** (account events only): the JSON of all rows, one after another; its size is the last `raw_end`.
   `raw_start` and `raw_end` are offsets into it.
5. **Lists of openings** (account events only): the number of positions and the number of contracts (uint32
   each); then for the positions, and after them for the contracts, encodings and columns as in 2 and 3, the
   classes being `PositionEntries` and `ContractEntries` of `schemas.tables`, a column having one value for
   each entry. `positions_start` to `contracts_end` are entry numbers; the lists of the rows follow one
   another without gaps.

A reader refuses another magic, version or kind, a wrong size or checksum, an index outside the pool,
and more entries of lists than bytes of JSON.
"""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from schemas.batches import AccountBatch, Batch, MarkBatch, QuoteBatch, TradeBatch
from schemas.errors import BadRecord
from schemas.tables import ContractEntries, Entries, PositionEntries, Table, follow

CONTENT_TYPE_FRAME = b"application/vnd.liangrong.frame"
"""Value of the Kafka header `content-type` of a frame."""
CONTENT_TYPE_JSON = b"application/json"
"""The default when the header is absent."""

MAGIC = b"LRFR"
MAX_ROWS = 2**20
"""More rows than this are refused: a few constant columns must not fill the memory of a reader."""

FrameKind: TypeAlias = Literal["trades", "quotes", "account_events", "marks"]

_HEADER = struct.Struct("<4sHBBIII")
_HEADER_SIZE = 24
_KINDS: dict[int, tuple[FrameKind, type[Batch]]] = {
    1: ("trades", TradeBatch),
    2: ("quotes", QuoteBatch),
    3: ("account_events", AccountBatch),
    4: ("marks", MarkBatch),
}
_VERSIONS = {1: 1, 2: 1, 3: 3, 4: 2}
"""The version of each kind of frame."""
_LISTS: dict[str, type[Entries]] = {"positions": PositionEntries, "contracts": ContractEntries}
_CODES = {cls: code for code, (_, cls) in _KINDS.items()}
_PLAIN, _CONSTANT = 0, 1


def encode_trades(batch: TradeBatch) -> bytes:
    """A frame of trades."""
    return _encode(batch)


def encode_quotes(batch: QuoteBatch) -> bytes:
    """A frame of quotes."""
    return _encode(batch)


def encode_account_events(batch: AccountBatch) -> bytes:
    """A frame of account events, their JSON included."""
    return _encode(batch)


def encode_marks(batch: MarkBatch) -> bytes:
    """A frame of marks."""
    return _encode(batch)


def _encode(batch: Batch) -> bytes:
    if len(batch) > MAX_ROWS:
        raise ValueError(f"a frame holds at most {MAX_ROWS} rows, got {len(batch)}")
    packed = batch.compact()
    sections = [_encode_pool(packed.strings), *_encode_columns(packed)]
    if isinstance(packed, AccountBatch):
        lists = packed.positions, packed.contracts
        sections += [packed.raw, struct.pack("<II", *map(len, lists))]
        for entries in lists:
            sections += _encode_columns(entries)
    body = b"".join(part + b"\0" * (-len(part) % 8) for part in sections)
    code = _CODES[type(batch)]
    header = _HEADER.pack(MAGIC, _VERSIONS[code], code, 0, len(packed), len(body), zlib.crc32(body))
    return header + struct.pack("<I", zlib.crc32(header)) + body


def _encode_columns(table: Table) -> list[bytes]:
    encodings = bytearray()
    columns: list[bytes] = []
    for name, dtype in table.COLUMNS.items():
        column = table.column(name).astype(np.dtype(dtype).newbyteorder("<"), copy=False)
        constant = len(column) > 1 and bool((column == column[0]).all())
        encodings.append(_CONSTANT if constant else _PLAIN)
        columns.append(column[:1].tobytes() if constant else column.tobytes())
    return [bytes(encodings), *columns]


def _encode_pool(strings: list[str]) -> bytes:
    text = "".join(strings)
    blob = text.encode()
    sizes = map(len, strings) if len(blob) == len(text) else (len(string.encode()) for string in strings)
    ends = np.cumsum(np.fromiter(sizes, np.int64, len(strings)), dtype="<u4")
    return struct.pack("<II", len(strings), len(blob)) + ends.tobytes() + blob


def decode_frame(frame: bytes) -> tuple[FrameKind, Batch]:
    """Kind and batch of a frame. The columns are writable. Raises `BadRecord` if it is not whole."""
    code, rows, body_size = _check_header(frame)
    kind, cls = _KINDS[code]
    reader = _Reader(bytearray(frame), _HEADER_SIZE, _HEADER_SIZE + body_size)
    strings = reader.pool()
    columns = reader.columns(cls, rows, len(strings))
    if cls is not AccountBatch:
        return kind, cls.build(strings, columns)
    _check_spans(columns, "raw", int(columns["raw_end"][-1]) if rows else 0)
    raw = bytes(reader.section(int(columns["raw_end"][-1]) if rows else 0))
    lists: dict[str, Entries] = {}
    for (name, table), entries in zip(_LISTS.items(), reader.counts(), strict=True):
        if entries > len(raw):
            raise BadRecord(name, f"are more than their JSON can hold: {entries} in {len(raw)} bytes")
        _check_spans(columns, name, entries)
        lists[name] = table.of(reader.columns(table, entries, len(strings)))
    return kind, cls.build(strings, columns, raw=raw, **lists)


def _check_spans(columns: dict[str, npt.NDArray[Any]], name: str, size: int) -> None:
    if not follow(columns[f"{name}_start"], columns[f"{name}_end"], size):
        raise BadRecord(f"{name}_start", "does not follow from the row before")


def _check_header(frame: bytes) -> tuple[int, int, int]:
    if len(frame) < _HEADER_SIZE:
        raise BadRecord("frame", f"is too short for a header: {len(frame)} bytes")
    magic, version, code, _, rows, body_size, body_crc = _HEADER.unpack_from(frame)
    if magic != MAGIC:
        raise BadRecord("frame", f"does not begin with {MAGIC!r}")
    known = _VERSIONS.get(code, version)
    if version != known:
        raise BadRecord("frame", f"has unknown version {version} (known: {known})")
    if struct.unpack_from("<I", frame, 20)[0] != zlib.crc32(frame[:20]):
        raise BadRecord("frame", "has a header with a wrong checksum")
    if code not in _KINDS:
        raise BadRecord("frame", f"has unknown kind {code}")
    if rows > MAX_ROWS:
        raise BadRecord("frame", f"has more than {MAX_ROWS} rows: {rows}")
    if len(frame) != _HEADER_SIZE + body_size:
        raise BadRecord("frame", f"has {len(frame)} bytes, its header says {_HEADER_SIZE + body_size}")
    if zlib.crc32(memoryview(frame)[_HEADER_SIZE:]) != body_crc:
        raise BadRecord("frame", "has a wrong checksum")
    return code, rows, body_size


class _Reader:
    """Walks over the sections of a body; a section that does not fit is a bad record."""

    def __init__(self, data: bytearray, position: int, end: int) -> None:
        self._data, self._position, self._end = data, position, end

    def section(self, size: int) -> memoryview:
        start = self._position
        if size < 0 or start + size > self._end:
            raise BadRecord("frame", "ends in the middle of a section")
        self._position = start + size + (-size % 8)
        return memoryview(self._data)[start : start + size]

    def counts(self) -> tuple[int, int]:
        positions, contracts = struct.unpack("<II", self.section(8))
        return positions, contracts

    def columns(self, cls: type[Table], rows: int, strings: int) -> dict[str, npt.NDArray[Any]]:
        """The columns of a table whose indices point into a pool of so many strings."""
        encodings = self.section(len(cls.COLUMNS))
        found: dict[str, npt.NDArray[Any]] = {}
        for encoding, (name, dtype) in zip(encodings, cls.COLUMNS.items(), strict=True):
            found[name] = self.column(encoding, np.dtype(dtype).newbyteorder("<"), rows)
        for name in cls.INDICES:
            column = found[name]
            if rows and (int(column.min()) < -1 or int(column.max()) >= strings):
                raise BadRecord(name, "points outside the frame's strings")
        return found

    def column(self, encoding: int, dtype: np.dtype[Any], rows: int) -> npt.NDArray[Any]:
        if encoding == _PLAIN:
            return np.frombuffer(self.section(rows * dtype.itemsize), dtype)
        if encoding == _CONSTANT:
            return np.full(rows, np.frombuffer(self.section(dtype.itemsize), dtype)[0], dtype)
        raise BadRecord("frame", f"has a column of unknown encoding {encoding}")

    def pool(self) -> list[str]:
        if self._position + 8 > self._end:
            raise BadRecord("frame", "ends in the middle of a section")
        count, size = struct.unpack_from("<II", self._data, self._position)
        section = self.section(8 + 4 * count + size)
        ends = np.frombuffer(section[8 : 8 + 4 * count], "<u4").tolist()
        blob = bytes(section[8 + 4 * count :])
        if count and (ends[-1] != size or any(a > b for a, b in pairwise(ends))):
            raise BadRecord("frame", "has a broken table of strings")
        try:
            if blob.isascii():
                text = blob.decode("ascii")
                return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]
            return [blob[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]
        except UnicodeDecodeError:
            raise BadRecord("frame", "has a string that is not UTF-8") from None
