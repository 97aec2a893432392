"""Many records into one batch: JSON decoded column by column, frames checked and taken as they are.

A record that cannot be read costs nobody else anything: it is left out of the batch and named in `bad`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import orjson

from schemas.batches import Batch, QuoteBatch, TradeBatch
from schemas.columns import Mask, NDArray, StringPool, bounds_of, read_column
from schemas.errors import BadRecord
from schemas.events import VERSION, check_version, decode_parsed, parse_json
from schemas.fields import SECURITY, Level
from schemas.frames import CONTENT_TYPE_FRAME, CONTENT_TYPE_JSON, decode_frame
from schemas.market import SIDES, Quote, Trade
from schemas.records import FieldSpec, spec_of
from schemas.tables import I4

B = TypeVar("B", bound=Batch)
ContentTypes = Sequence[bytes | None]
WORTH_SCANNING = 256
"""From so many JSON records on, market events in their plain form are read by a kernel (`schemas.plain`)."""
Bad = list[tuple[int, BadRecord]]


@dataclass(frozen=True, slots=True)
class Decoded(Generic[B]):
    """What a run of records held.

    `record` int32[rows]: index of the input record each row came from, ascending. `bad`: at most one entry
    for a record, ascending; a frame with bad rows is named once and its good rows are in the batch.
    """

    batch: B
    record: I4
    bad: Bad


def decode_trades(
    values: Sequence[bytes | None], content_types: ContentTypes | None = None
) -> Decoded[TradeBatch]:
    """Records of `market.trades`. `content_types` are the records' headers, `None` meaning JSON."""
    return _decode_market("market.trades", TradeBatch, values, content_types)


def decode_quotes(
    values: Sequence[bytes | None], content_types: ContentTypes | None = None
) -> Decoded[QuoteBatch]:
    """Records of `market.quotes`. `content_types` are the records' headers, `None` meaning JSON."""
    return _decode_market("market.quotes", QuoteBatch, values, content_types)


def _decode_market(
    topic: str, cls: type[B], values: Sequence[bytes | None], content_types: ContentTypes | None
) -> Decoded[B]:
    batches: list[B] = []
    records: list[npt.NDArray[Any]] = []
    bad: Bad = []
    for start, stop, is_frame in runs(values, content_types, bad):
        if is_frame:
            batch, record = _read_frame(cls, values[start], start, bad)
        else:
            batch, record = _read_json(topic, cls, values[start:stop], start, bad)
        batches.append(batch)
        records.append(record)
    if not batches:
        return Decoded(cls.empty(), np.empty(0, np.int32), bad)
    bad.sort(key=lambda entry: entry[0])
    return Decoded(cls.concat(batches), np.concatenate(records).astype(np.int32), bad)


def runs(
    values: Sequence[bytes | None], content_types: ContentTypes | None, bad: Bad
) -> list[tuple[int, int, bool]]:
    """Consecutive JSON records as one `(start, stop, False)`, each frame as its own `(i, i + 1, True)`.

    Records of any other content type are appended to `bad`.
    """
    if not values:
        return []
    if content_types is None or not any(content_types):
        return [(0, len(values), False)]
    out: list[tuple[int, int, bool]] = []
    for i, content_type in enumerate(content_types):
        name = CONTENT_TYPE_JSON if not content_type else content_type.split(b";")[0].strip().lower()
        if name == CONTENT_TYPE_FRAME:
            out.append((i, i + 1, True))
        elif name != CONTENT_TYPE_JSON:
            bad.append((i, BadRecord("content-type", f"is unknown: {name[:60]!r}")))
        elif out and out[-1][1] == i and not out[-1][2]:
            out[-1] = (out[-1][0], i + 1, False)
        else:
            out.append((i, i + 1, False))
    return out


def parse_records(values: Sequence[bytes | None], bad: Bad) -> tuple[list[dict[str, Any]], list[int]]:
    """JSON objects of a known version, and the index of each; the others are appended to `bad`."""
    loads = orjson.loads
    try:
        rows = [loads(value) for value in values]  # type: ignore[arg-type]
    except orjson.JSONDecodeError:
        return _parse_each(values, bad)
    if rows and set(map(type, rows)) != {dict}:
        return _parse_each(values, bad)
    versions = [row.get("v", VERSION) for row in rows]
    if versions.count(VERSION) != len(rows) or set(map(type, versions)) - {int}:
        return _parse_each(values, bad)
    return rows, list(range(len(rows)))


def _parse_each(values: Sequence[bytes | None], bad: Bad) -> tuple[list[dict[str, Any]], list[int]]:
    rows, origin = [], []
    for i, value in enumerate(values):
        try:
            rows.append(parse_json(value))
            origin.append(i)
        except BadRecord as error:
            bad.append((i, error))
    return rows, origin


def explain(topic: str, row: dict[str, Any]) -> BadRecord:
    """Why a row found not good is refused, in the words of the single decoder."""
    try:
        check_version(row)
        decode_parsed(topic, row)
    except BadRecord as error:
        return error
    return BadRecord("", "is refused by the batch decoder")


def _read_json(
    topic: str, cls: type[B], values: Sequence[bytes | None], start: int, bad: Bad
) -> tuple[B, npt.NDArray[Any]]:
    event = Trade if cls is TradeBatch else Quote
    if len(values) < WORTH_SCANNING:
        return _read_carefully(topic, cls, event, values, np.arange(start, start + len(values)), bad)
    from schemas.plain import read_plain  # numba takes long to come up, and a small publisher never needs it

    plain = read_plain(event, [value or b"" for value in values])
    batch = cls.build(plain.strings, plain.columns)
    if plain.good.all():
        return batch, np.arange(start, start + len(values))
    record, rest = np.flatnonzero(plain.good), np.flatnonzero(~plain.good)
    others, other_record = _read_carefully(
        topic, cls, event, [values[i] for i in rest.tolist()], rest + start, bad
    )
    both = cls.concat([batch.take(record).compact(), others])
    record = np.concatenate([record + start, other_record])
    order = np.argsort(record, kind="stable")
    return both.take(order), record[order]


def _read_carefully(
    topic: str, cls: type[B], event: type, values: Sequence[bytes | None], index: npt.NDArray[Any], bad: Bad
) -> tuple[B, npt.NDArray[Any]]:
    """Whatever is in them; `index` int[n] is the number of each record."""
    problems: Bad = []
    rows, origin = parse_records(values, problems)
    pool = StringPool()
    columns, good = _market_columns(event, rows, pool)
    batch = cls.build(pool.strings(), columns)
    kept = np.array(origin, np.int64)
    if not good.all():
        problems += [(origin[i], explain(topic, rows[i])) for i in np.flatnonzero(~good).tolist()]
        batch, kept = batch.take(good), kept[good]
    bad += [(int(index[i]), error) for i, error in problems]
    return batch, index[kept]


def _market_columns(
    event: type, rows: list[dict[str, Any]], pool: StringPool
) -> tuple[dict[str, NDArray], Mask]:
    columns: dict[str, NDArray] = {}
    good = np.ones(len(rows), np.bool_)
    for field in spec_of(event).fields:
        if field.name in ("bid", "ask"):
            price, qty, fine = _best_level([row.get(field.wire) for row in rows])
            columns[f"{field.name}_price"], columns[f"{field.name}_qty"] = price, qty
            good &= fine
            continue
        column = read_column(field, [row.get(field.wire) for row in rows], pool)
        columns[field.name] = column.values
        if column.good is not None:
            good &= column.good
    return columns, good


_LEVEL = Level()
_LEVEL_PRICE = FieldSpec("price", "price", _LEVEL.price, required=True, nullable=False)
_LEVEL_QTY = FieldSpec("qty", "qty", _LEVEL.qty, required=True, nullable=False)


def _best_level(sides: list[Any]) -> tuple[NDArray, NDArray, Mask]:
    """Price and quantity of the best level of one side of many books; every level is checked."""
    count = len(sides)
    price, qty = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    if all(side is None for side in sides):
        return price, qty, np.ones(count, np.bool_)
    shaped = [side is None or _is_levels(side) for side in sides]
    sound = [side if side is not None and fine else [] for side, fine in zip(sides, shaped, strict=True)]
    depth = np.array([len(side) for side in sound])
    given = np.array([side is not None for side in sides])
    good = np.array(shaped)
    price[given] = qty[given] = 0
    levels = [level for side in sound for level in side]
    if levels:
        prices = read_column(_LEVEL_PRICE, [level[0] for level in levels], StringPool())
        qtys = read_column(_LEVEL_QTY, [level[1] for level in levels], StringPool())
        first = (np.cumsum(depth) - depth)[depth > 0]
        price[depth > 0], qty[depth > 0] = prices.values[first], qtys.values[first]
        owner = np.repeat(np.arange(count), depth)
        for column in (prices, qtys):
            if column.good is not None:
                good[owner[~column.good]] = False
    return price, qty, good


def _is_levels(side: Any) -> bool:
    return type(side) is list and all(type(level) is list and len(level) == 2 for level in side)


def _read_frame(cls: type[B], value: bytes | None, index: int, bad: Bad) -> tuple[B, npt.NDArray[Any]]:
    """A published frame: nothing in it is trusted, every row is held against the bounds of its fields."""
    try:
        batch = _frame_of(cls, value or b"")
    except BadRecord as error:
        bad.append((index, error))
        return cls.empty(), np.empty(0, np.int32)
    good, first = _check_rows(batch)
    if first is not None:
        bad.append((index, first))
        batch = batch.take(good)
    return batch, np.full(len(batch), index, np.int32)


def _frame_of(cls: type[B], value: bytes) -> B:
    _, batch = decode_frame(value)
    if isinstance(batch, cls):
        return batch
    raise BadRecord("", f"is a frame of the wrong kind: {type(batch).__name__}")


def _check_rows(batch: Batch) -> tuple[Mask, BadRecord | None]:
    """Which rows of a market frame are good, and the first complaint."""
    event = Trade if isinstance(batch, TradeBatch) else Quote
    faults: list[tuple[str, Mask]] = []
    known = np.array([*map(SECURITY.fits, batch.strings), False])
    faults.append(("security", known[batch.column("security")]))
    for field in spec_of(event).fields:
        if field.name == "security":
            continue
        if field.name == "side":
            side = batch.column("side")
            faults.append(("side", (side < len(SIDES)) | (side == 255)))
        elif field.name == "halted":
            faults.append(("halted", np.abs(batch.column("halted")) <= 1))
        elif field.name in ("bid", "ask"):
            for part, codec in (("price", _LEVEL.price), ("qty", _LEVEL.qty)):
                name = f"{field.name}_{part}"
                faults.append((name, _within(batch.column(name), *bounds_of(codec), required=False)))
        else:
            column = batch.column(field.name)
            faults.append((field.name, _within(column, *bounds_of(field.codec), required=field.required)))
    good = np.logical_and.reduce([mask for _, mask in faults])
    for name, mask in faults:
        if not mask.all():
            row = int(np.argmin(mask))
            text = f"is out of range in row {row} of the frame ({int((~good).sum())} bad rows of {len(good)})"
            return good, BadRecord(name, text)
    return good, None


def _within(column: NDArray, minimum: int, maximum: int, *, required: bool) -> Mask:
    inside: Mask = (column >= minimum) & (column <= maximum)
    return inside if required else inside | (column == -1)
