"""Events as Arrow tables of a recorded day: from JSON objects, and from batches of ticks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.batches import ABSENT, QuoteBatch, TradeBatch
from schemas.market import SIDES
from streams.days.columns import LEVELS, column_type
from streams.days.ticks import Quotes, Trades

_QUOTE_PRICES = ("last", "prev_close", "open", "high", "low", "limit_up", "limit_down", "amount")


def event_table(topic: str, rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> pa.Table:
    """Events in canonical JSON form (`schemas.encode`) as a table; fields that no row has are no column."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: _column(column_type(topic, name), [row.get(name) for row in rows]) for name in names}
    return pa.table({**columns, "key": pa.array(list(keys), pa.string())})


def trade_table(batch: TradeBatch) -> pa.Table:
    """The ``market.trades`` table of a batch."""
    side = np.array([*SIDES, ""])[np.minimum(batch.side, len(SIDES))]
    seq = batch.seq if (batch.seq != ABSENT).any() else None
    sided = side if (side != "").any() else None
    return Trades(batch.securities, batch.security, batch.ts, batch.price, batch.qty, sided, seq).table()


def quote_table(batch: QuoteBatch) -> pa.Table:
    """The ``market.quotes`` table of a batch: the best level of each side, which is all that a frame has."""
    prices = {name: batch.column(name) for name in _QUOTE_PRICES}
    money = {name: np.where(values > 0, values, ABSENT) for name, values in prices.items()}
    halted = batch.halted == 1 if (batch.halted != ABSENT).any() else None
    sides = [
        None if (price == ABSENT).all() else (price[:, None].copy(), qty[:, None].copy())
        for price, qty in ((batch.bid_price, batch.bid_qty), (batch.ask_price, batch.ask_qty))
    ]
    return Quotes(
        batch.securities, batch.security, batch.ts, money, batch.volume, sides[0], sides[1], halted
    ).table()


def _column(kind: pa.DataType, values: list[Any]) -> pa.Array:
    return pa.array([_value(kind, value) for value in values], kind)


def _value(kind: pa.DataType, value: Any) -> Any:
    """A wire value as Arrow wants it for ``kind``."""
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(str(value))
    if pa.types.is_date(kind):
        return dt.date.fromisoformat(value)
    if kind == LEVELS:
        return [{"price": Decimal(str(price)), "qty": qty} for price, qty in value]
    if pa.types.is_map(kind):
        return list(value.items())
    if pa.types.is_list(kind):
        return [_value(kind.value_type, item) for item in value]
    if pa.types.is_struct(kind):
        fields = (kind.field(i) for i in range(kind.num_fields))
        return {field.name: _value(field.type, value.get(field.name)) for field in fields}
    return str(value) if pa.types.is_string(kind) and not isinstance(value, str) else value
