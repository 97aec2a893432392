"""Rows of a recorded day from what was on the wire: JSON objects and frames."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
import pyarrow as pa

from schemas.batches import ABSENT, AccountBatch, Batch, TradeBatch
from schemas.errors import BadRecord
from schemas.frames import CONTENT_TYPE_FRAME, decode_frame
from schemas.market import SIDES
from schemas.units import format_money
from streams.days.columns import MONEY, table_schema

Row = dict[str, Any]
_UNFIT = (
    pa.ArrowInvalid,
    pa.ArrowTypeError,
    InvalidOperation,
    OverflowError,
    TypeError,
    ValueError,
    AttributeError,
)


def rows_of(value: bytes | None, content_type: bytes | None) -> list[Row]:
    """The JSON objects that a record holds: one, or those of a frame. BadRecord when it holds none."""
    if content_type == CONTENT_TYPE_FRAME:
        return _frame_rows(value or b"")
    try:
        row = orjson.loads(value or b"")
    except orjson.JSONDecodeError as error:
        raise BadRecord("", f"is not JSON: {error}") from None
    if not isinstance(row, dict):
        raise BadRecord("", "is no JSON object")
    return [row]


def table_of(topic: str, rows: Sequence[tuple[str, Row]]) -> tuple[pa.Table, int]:
    """The table of a topic's (key, object) pairs, and how many rows have a field that no column can hold."""
    try:
        return _table(topic, rows), 0
    except _UNFIT:
        fitting = [pair for pair in rows if _fits(topic, pair)]
        return _table(topic, fitting), len(rows) - len(fitting)


def _fits(topic: str, pair: tuple[str, Row]) -> bool:
    try:
        _table(topic, [pair])
    except _UNFIT:
        return False
    return True


def _table(topic: str, rows: Sequence[tuple[str, Row]]) -> pa.Table:
    names: dict[str, None] = {}
    for _, row in rows:
        names.update(dict.fromkeys(row))
    schema = table_schema(topic, [name for name in names if name != "key"])
    columns = [
        pa.array([_fitted(row.get(field.name), field.type) for _, row in rows], field.type)
        for field in schema
    ]
    keys = pa.array([key for key, _ in rows], pa.string())
    return pa.table(columns, schema=schema).append_column("key", keys)


def _frame_rows(frame: bytes) -> list[Row]:
    _, batch = decode_frame(frame)
    if isinstance(batch, AccountBatch):
        spans = zip(batch.raw_start.tolist(), batch.raw_end.tolist(), strict=True)
        return [orjson.loads(batch.raw[start:end]) for start, end in spans]
    names = [name for name in batch.COLUMNS if not name.startswith(("bid_", "ask_"))]
    columns = [_wire_column(batch, name) for name in names]
    rows = [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]
    if not isinstance(batch, TradeBatch):
        for side in ("bid", "ask"):
            prices, sizes = batch.column(f"{side}_price").tolist(), batch.column(f"{side}_qty").tolist()
            for row, price, qty in zip(rows, prices, sizes, strict=True):
                row[side] = None if price == ABSENT else [[format_money(price), qty]] if price else []
    return [{name: cell for name, cell in row.items() if cell is not None} for row in rows]


def _wire_column(batch: Batch, name: str) -> list[Any]:
    values = batch.column(name).tolist()
    if name in batch.INDICES:
        return [batch.strings[value] for value in values]
    if name == "side":
        return [SIDES[value] if value < len(SIDES) else None for value in values]
    if name == "halted":
        return [None if value == ABSENT else bool(value) for value in values]
    if name in MONEY:
        return [None if value == ABSENT else format_money(value) for value in values]
    return [None if value == ABSENT and name != "ts" else value for value in values]


def _fitted(value: Any, kind: pa.DataType) -> Any:
    """A JSON value as Arrow wants it for a column; raises one of `_UNFIT` when it cannot be."""
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(str(value))
    if pa.types.is_date(kind):
        return date.fromisoformat(value)
    if pa.types.is_string(kind):
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    if pa.types.is_list(kind):
        return [_fitted(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind):
        return _struct(value, kind)
    if pa.types.is_map(kind):
        return list(value.items())
    return value


def _struct(value: Any, kind: pa.StructType) -> Row:
    names = [kind.field(place).name for place in range(kind.num_fields)]
    if isinstance(value, list):  # a level of a book, [price, qty]
        value = dict(zip(names, value, strict=True))
    return {name: _fitted(value.get(name), kind.field(name).type) for name in names}
