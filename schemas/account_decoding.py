"""Many account events into one `AccountBatch`: rows grouped by kind, each kind decoded column by column.

Openings and freezes have conditions between their fields and go through the single decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from schemas.account import EVENT_CLASSES, KINDS, NO_CODE, REASONS, AccountEvent, Freeze, Opening
from schemas.batch_decoding import Bad, ContentTypes, Decoded, explain, parse_records, runs
from schemas.batches import ABSENT, AccountBatch
from schemas.columns import NDArray, StringPool, read_column
from schemas.digests import digests, string_hashes, text_hash
from schemas.errors import BadRecord
from schemas.events import decode_parsed
from schemas.frames import decode_frame
from schemas.records import spec_of

TOPIC = "account.events"

_COLUMN_OF = {"value": "amount", "cash": "amount"}
"""Fields whose column has another name."""
_DEFAULTS = dict.fromkeys(AccountBatch.COLUMNS, ABSENT) | {
    "kind": NO_CODE,
    "business": NO_CODE,
    "reason": NO_CODE,
    "qty": 0,
    "amount": 0,
}
_IN_DIGEST = ("ts", "qty", "price", "amount", "fee", "rate", "margin_ratio", "due")
_STRINGS_IN_DIGEST = ("security", "contract", "order", "action")
_CODES_IN_DIGEST = ("kind", "business", "reason")
_SINGLY = (Opening, Freeze)
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
    rows, origin = parse_records(values, bad)
    if not rows:
        return AccountBatch.empty(), np.empty(0, np.int64)
    builder = _Builder(rows)
    builder.read()
    good = builder.good
    for i in np.flatnonzero(~good).tolist():
        bad.append((origin[i], builder.errors.get(i) or explain(TOPIC, rows[i])))
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
        self._columns = {
            name: np.full(count, _DEFAULTS[name] if dtype[0] == "i" or dtype == "u1" else 0, dtype)
            for name, dtype in AccountBatch.COLUMNS.items()
        }
        self._text = np.full(count, ABSENT, np.int32)
        self._opening_digests: dict[int, int] = {}
        self.good = np.zeros(count, np.bool_)
        self.errors: dict[int, BadRecord] = {}

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
                self._columns["kind"][index] = _KIND_CODES[kind]
                if EVENT_CLASSES[kind] in _SINGLY:
                    self._read_singly(members)
                else:
                    self._read_kind(kind, index)

    def _read_kind(self, kind: str, index: NDArray) -> None:
        whole = len(index) == len(self._rows)
        rows = self._rows if whole else [self._rows[i] for i in index.tolist()]
        good = np.ones(len(rows), np.bool_)
        for field in spec_of(EVENT_CLASSES[kind]).fields:
            wire = field.wire
            values = [row.get(wire) for row in rows]
            if not field.required and values.count(None) == len(values):
                continue
            column = read_column(field, values, self._pool)
            if column.good is not None:
                good &= column.good
            self._store(kind, field.name, index, column.values, field.codec)
        self.good[index] = good

    def _store(self, kind: str, name: str, index: NDArray, values: NDArray, codec: Any) -> None:
        if name == "reason":
            if kind == "order_closed":
                self._text[index] = values
                return
            codes = np.array([*map(REASONS.index, codec.options)], np.uint8)
            values = codes[np.minimum(values, len(codes) - 1)]
        self._columns[_COLUMN_OF.get(name, name)][index] = values

    def _read_singly(self, members: list[int]) -> None:
        for i in members:
            try:
                event: AccountEvent = decode_parsed(TOPIC, self._rows[i])
            except BadRecord as error:
                self.errors[i] = error
                continue
            self.good[i] = True
            self._store_event(i, event)

    def _store_event(self, i: int, event: AccountEvent) -> None:
        columns = self._columns
        columns["account"][i], columns["id"][i] = self._pool.intern([event.account, event.id])
        columns["ts"][i] = event.ts
        if isinstance(event, Opening):
            columns["amount"][i] = event.cash
            self._opening_digests[i] = opening_digest(event)
        elif isinstance(event, Freeze):
            columns["amount"][i] = event.cash or 0
            columns["qty"][i] = event.qty or 0
            columns["security"][i], self._text[i] = self._pool.intern([event.security, event.reason])

    def batch(self, texts: list[bytes]) -> AccountBatch:
        """The batch of all rows, good or not; `texts` are their JSON."""
        strings = self._pool.strings()
        columns = self._columns
        hashes = string_hashes(strings)
        fields: dict[str, tuple[NDArray, int]] = {
            name: (columns[name], _DEFAULTS[name]) for name in (*_CODES_IN_DIGEST, *_IN_DIGEST)
        }
        for name in _STRINGS_IN_DIGEST:
            fields[name] = (hashes[columns[name]], 0)
        fields["text"] = (hashes[self._text], 0)
        digest = digests(fields)
        if self._opening_digests:
            digest[list(self._opening_digests)] = np.array([*self._opening_digests.values()], np.uint64)
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        columns["digest"], columns["raw_end"] = digest, ends
        columns["raw_start"] = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
        return AccountBatch.build(strings, columns, raw=b"".join(texts))


def opening_digest(opening: Opening) -> int:
    """Digest of an opening: all its fields in inner units and declaration order, account and id too."""
    return text_hash(orjson.dumps(opening))
