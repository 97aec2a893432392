"""Many account events into one `AccountBatch`: rows grouped by kind, each kind decoded column by column.

A row found not good is explained by the single decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from schemas import batch_decoding
from schemas.account import EVENT_CLASSES, KINDS, NO_CODE, REASONS, Fill, Freeze, Opening
from schemas.batch_decoding import Bad, ContentTypes, Decoded, explain, parse_records, runs
from schemas.batches import ABSENT, AccountBatch
from schemas.columns import NDArray, StringPool, read_column
from schemas.digests import U8, digests, string_hashes
from schemas.errors import BadRecord
from schemas.fields import Choice
from schemas.frames import decode_frame
from schemas.opening_decoding import Openings, read_openings
from schemas.records import FieldSpec, spec_of
from schemas.tables import ContractEntries, PositionEntries
from schemas.topics import ACCOUNT_EVENTS

CREDIT_COLUMNS = tuple(name for name in AccountBatch.COLUMNS if "credit_" in name)

_COLUMN_OF = {"value": "amount", "cash": "amount"}
"""Fields whose column has another name."""
_DEFAULTS = dict.fromkeys(AccountBatch.COLUMNS, ABSENT) | {
    "kind": NO_CODE,
    "business": NO_CODE,
    "reason": NO_CODE,
    "client": NO_CODE,
    "qty": 0,
    "amount": 0,
    "positions_start": 0,
    "positions_end": 0,
    "contracts_start": 0,
    "contracts_end": 0,
}
_NUMBERS_IN_DIGEST = ("ts", "qty", "price", "amount", "fee", "rate", "margin_ratio", "due")
_STRINGS_IN_DIGEST = ("security", "contract", "order", "action")
_CODES_IN_DIGEST = ("kind", "business", "reason")
_KIND_CODES = {kind: code for code, kind in enumerate(KINDS)}


def decode_account_events(
    values: Sequence[bytes | None], content_types: ContentTypes | None = None
) -> Decoded[AccountBatch]:
    """Records of `account.events`. `content_types` are the records' headers, `None` meaning JSON.

    A published frame is decoded from the JSON it carries: its columns are not trusted.
    """
    bad: Bad = []
    texts: list[bytes | None] = []
    record: list[int] = []
    for start, stop, is_frame in runs(values, content_types, bad):
        rows = _rows_of_frame(values[start], start, bad) if is_frame else values[start:stop]
        texts += rows
        record += [start] * len(rows) if is_frame else range(start, stop)
    problems: Bad = []
    batch, origin = _read(texts, problems)
    records = np.array(record, np.int32)
    bad += [(record[i], error) for i, error in problems]
    return Decoded(batch, records[origin] if len(origin) else np.empty(0, np.int32), _one_per_record(bad))


def _rows_of_frame(value: bytes | None, index: int, bad: Bad) -> list[bytes | None]:
    try:
        _, batch = decode_frame(value or b"")
    except BadRecord as error:
        bad.append((index, error))
        return []
    if isinstance(batch, AccountBatch):
        return [batch.raw_of(row) for row in range(len(batch))]
    bad.append((index, BadRecord("", f"is a frame of the wrong kind: {type(batch).__name__}")))
    return []


def _one_per_record(bad: Bad) -> Bad:
    first: dict[int, BadRecord] = {}
    more: dict[int, int] = {}
    for index, error in bad:
        if index in first:
            more[index] = more.get(index, 0) + 1
        else:
            first[index] = error
    for index, count in more.items():
        first[index] = BadRecord(first[index].field, f"{first[index].reason} (and {count} more bad events)")
    return sorted(first.items())


def _read(values: Sequence[bytes | None], bad: Bad) -> tuple[AccountBatch, NDArray]:
    """The batch, and the index of the value that each of its rows came from: fills in plain JSON by a kernel,
    all others carefully.
    """
    if len(values) < batch_decoding.WORTH_SCANNING:
        return _read_carefully(values, bad)
    from schemas.plain import read_plain  # numba takes long to come up, and a small publisher never needs it

    plain = read_plain(Fill, [value or b"" for value in values])
    fills, rest = np.flatnonzero(plain.good), np.flatnonzero(~plain.good)
    if not len(fills):
        return _read_carefully(values, bad)
    columns = _blank(len(values)) | {n: plain.columns[n] for n in AccountBatch.COLUMNS if n in plain.columns}
    columns["kind"] = np.full(len(values), _KIND_CODES[Fill.kind], np.uint8)
    columns["digest"] = digests(_in_digest(columns, string_hashes(plain.strings)))
    batch = _with_texts(plain.strings, columns, [value or b"" for value in values])
    if not len(rest):
        return batch, fills
    problems: Bad = []
    others, origin = _read_carefully([values[i] for i in rest.tolist()], problems)
    bad += [(int(rest[i]), error) for i, error in problems]
    index = np.concatenate([fills, rest[origin]])
    order = np.argsort(index, kind="stable")
    return AccountBatch.concat([batch.take(fills).compact(), others]).take(order), index[order]


def _blank(count: int) -> dict[str, NDArray]:
    """Columns of so many events that say nothing."""
    return {
        name: np.full(count, 0 if dtype == "u8" else _DEFAULTS[name], dtype)
        for name, dtype in AccountBatch.COLUMNS.items()
    }


def _with_texts(strings: list[str], columns: dict[str, NDArray], texts: list[bytes]) -> AccountBatch:
    """The batch of these columns; `texts` are the JSON of its rows."""
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    columns["raw_end"], columns["raw_start"] = ends, np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    return AccountBatch.build(strings, columns, raw=b"".join(texts))


def _in_digest(columns: dict[str, NDArray], hashes: U8) -> dict[str, tuple[NDArray, int]]:
    """What the digest of every kind of event is made of."""
    fields = {name: (columns[name], _DEFAULTS[name]) for name in (*_CODES_IN_DIGEST, *_NUMBERS_IN_DIGEST)}
    return fields | {name: (hashes[columns[name]], 0) for name in _STRINGS_IN_DIGEST}


def _read_carefully(values: Sequence[bytes | None], bad: Bad) -> tuple[AccountBatch, NDArray]:
    rows, origin = parse_records(values, bad)
    if not rows:
        return AccountBatch.empty(), np.empty(0, np.int64)
    builder = _Builder(rows)
    builder.read()
    good = builder.good
    for i in np.flatnonzero(~good).tolist():
        bad.append((origin[i], explain(ACCOUNT_EVENTS, rows[i])))
    texts = [values[i] or b"" for i in origin]
    batch = builder.batch(texts)
    origins = np.array(origin, np.int64)
    return (batch, origins) if good.all() else (batch.take(good), origins[good])


class _Builder:
    """The columns of a batch while its rows are read, kind by kind."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        count = len(rows)
        self._rows = rows
        self._pool = StringPool()
        self._columns = _blank(count)
        self._numbers: dict[str, tuple[NDArray, int]] = {}
        self._strings: dict[str, NDArray] = {}
        self._openings: tuple[NDArray, Openings] | None = None
        self.good = np.zeros(count, np.bool_)

    def read(self) -> None:
        """Read all rows; those of no known kind stay not good."""
        groups: dict[str, list[int]] = {kind: [] for kind in KINDS}
        for i, row in enumerate(self._rows):
            kind = row.get("kind")
            if type(kind) is str and kind in groups:
                groups[kind].append(i)
        for kind, members in groups.items():
            if members:
                index = np.array(members, np.int64)
                rows = self._rows if len(members) == len(self._rows) else [self._rows[i] for i in members]
                self._columns["kind"][index] = _KIND_CODES[kind]
                if kind == Opening.kind:
                    self._read_openings(index, rows)
                else:
                    self._read_kind(kind, index, rows)

    def _read_kind(self, kind: str, index: NDArray, rows: list[dict[str, Any]]) -> None:
        good = np.ones(len(rows), np.bool_)
        for field in spec_of(EVENT_CLASSES[kind]).fields:
            wire = field.wire
            values = [row.get(wire) for row in rows]
            if not field.required and values.count(None) == len(values):
                continue
            column = read_column(field, values, self._pool)
            if column.good is not None:
                good &= column.good
            self._store(field, index, values, column.values)
        if kind == Freeze.kind:
            good &= np.array([_freezes_one_thing(row) for row in rows])
        self.good[index] = good

    def _store(self, field: FieldSpec, index: NDArray, given: list[Any], values: NDArray) -> None:
        if field.name == "reason":
            if not isinstance(field.codec, Choice):
                self._extra_strings("reason text")[index] = values
                return
            codes = np.array([*map(REASONS.index, field.codec.options)], np.uint8)
            values = codes[np.minimum(values, len(codes) - 1)]
        column = _COLUMN_OF.get(field.name, field.name)
        if _DEFAULTS[column] == 0 and not field.required:
            values = np.where([value is None for value in given], 0, values)
        self._columns[column][index] = values

    def _extra_strings(self, name: str) -> NDArray:
        return self._strings.setdefault(name, np.full(len(self._rows), ABSENT, np.int32))

    def _read_openings(self, index: NDArray, rows: list[dict[str, Any]]) -> None:
        openings = read_openings(rows, self._pool)
        self.good[index] = openings.good
        self._openings = (index, openings)
        for name, (values, absent) in openings.numbers.items():
            if name in ("ts", "cash"):
                self._columns[_COLUMN_OF.get(name, name)][index] = values
            else:
                wide = self._numbers[name] = (np.full(len(self._rows), absent, np.int64), absent)
                wide[0][index] = values
        for name, values in openings.strings.items():
            column = self._columns[name] if name in ("account", "id") else self._extra_strings(name)
            column[index] = values
        self._columns["client"][index] = openings.numbers["class"][0]
        self._columns["other_collateral"][index] = openings.numbers["other_collateral"][0]
        self._columns["preset"][index] = openings.strings["preset"]
        for name in CREDIT_COLUMNS:
            line, _, figure = name.rpartition("_")
            if f"{line}.{figure}" in openings.numbers:
                self._columns[name][index] = openings.numbers[f"{line}.{figure}"][0]
        for name, entries in openings.entries.items():
            counts = np.zeros(len(self._rows), np.int64)
            counts[index] = np.bincount(entries.owner, minlength=len(index))
            self._columns[f"{name}_end"] = np.cumsum(counts)
            self._columns[f"{name}_start"] = self._columns[f"{name}_end"] - counts

    def batch(self, texts: list[bytes]) -> AccountBatch:
        """The batch of all rows, good or not; `texts` are their JSON."""
        strings = self._pool.strings()
        self._columns["digest"] = self._digest(string_hashes(strings))
        batch = _with_texts(strings, self._columns, texts)
        if self._openings is not None:
            entries = self._openings[1].entries
            batch.positions = PositionEntries.of(entries["positions"].columns())
            batch.contracts = ContractEntries.of(entries["contracts"].columns())
        return batch

    def _digest(self, hashes: U8) -> U8:
        fields = _in_digest(self._columns, hashes) | self._numbers
        fields |= {name: (hashes[column], 0) for name, column in self._strings.items()}
        if self._openings is not None:
            index, openings = self._openings
            for name, entries in openings.entries.items():
                sums = np.zeros(len(self._rows), np.uint64)
                sums[index] = entries.digest_sums(hashes, len(index))
                fields[name] = (sums, 0)
        return digests(fields)


def _freezes_one_thing(row: dict[str, Any]) -> bool:
    """Either cash, or a security with its quantity."""
    given = [row.get(name) is not None for name in ("cash", "security", "qty")]
    return given in ([True, False, False], [False, True, True])
