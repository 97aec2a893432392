"""Trades and quotes of a recorded day as batches: from Arrow columns to numpy without an object per row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.batches import ABSENT, QuoteBatch, TradeBatch
from schemas.market import SIDES
from schemas.units import PRICE_MAX, SHARES_MAX, TS_MAX, TS_MIN, TURNOVER_MAX
from streams.days.decimals import milli_column
from streams.days.reader import RecordedDay
from streams.errors import UserError

NO_SIDE = 255
_QUOTE_PRICES = ("last", "prev_close", "open", "high", "low", "limit_up", "limit_down")
Column = pa.ChunkedArray


def trade_batch(day: RecordedDay) -> TradeBatch:
    """All trades of ``day`` in time order. UserError names the column of a value that no trade may have."""
    table = day.table("market.trades", ["security", "ts", "price", "qty", "side", "seq"])
    where = f"market.trades of {day.directory}"
    securities, security = _pool(table, where)
    columns: dict[str, NDArray[np.generic]] = {
        "security": security,
        "ts": _bounded(_whole(table, "ts", where), TS_MIN, TS_MAX, "ts", where),
        "price": _bounded(_money(table, "price", where), 1, PRICE_MAX, "price", where),
        "qty": _bounded(_whole(table, "qty", where), 1, SHARES_MAX, "qty", where),
        "side": _sides(table),
        "seq": _whole(table, "seq", where) if "seq" in table.column_names else _absent(table.num_rows),
    }
    return TradeBatch.build(securities, columns)


def quote_batch(day: RecordedDay) -> QuoteBatch:
    """All quotes of ``day`` in time order, with the best level of each side."""
    table = day.table(
        "market.quotes",
        ["security", "ts", *_QUOTE_PRICES, "volume", "amount", "halted", "bid", "ask"],
    )
    where = f"market.quotes of {day.directory}"
    securities, security = _pool(table, where)
    columns: dict[str, NDArray[np.generic]] = {
        "security": security,
        "ts": _bounded(_whole(table, "ts", where), TS_MIN, TS_MAX, "ts", where),
        "halted": _flags(table, "halted"),
    }
    for name in _QUOTE_PRICES:
        columns[name] = _bounded(_money(table, name, where), ABSENT, PRICE_MAX, name, where)
    columns["amount"] = _bounded(_money(table, "amount", where), ABSENT, TURNOVER_MAX, "amount", where)
    columns["volume"] = _bounded(_whole(table, "volume", where), ABSENT, SHARES_MAX, "volume", where)
    for name in ("bid", "ask"):
        columns[f"{name}_price"], columns[f"{name}_qty"] = _best(table, name, where)
    return QuoteBatch.build(securities, columns)


def _pool(table: pa.Table, where: str) -> tuple[list[str], NDArray[np.int32]]:
    if "security" not in table.column_names or "ts" not in table.column_names:
        raise UserError(f"{where} has no column security or no column ts")
    column = table.column("security")
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    array = encoded.unify_dictionaries().combine_chunks()
    if array.null_count:
        raise UserError(f"{where}: a row names no security")
    return [str(name) for name in array.dictionary.to_pylist()], array.indices.to_numpy().astype(np.int32)


def _absent(rows: int) -> NDArray[np.int64]:
    return np.full(rows, ABSENT, np.int64)


def _money(table: pa.Table, name: str, where: str) -> NDArray[np.int64]:
    if name not in table.column_names:
        return _absent(table.num_rows)
    try:
        return milli_column(table.column(name), ABSENT)
    except ValueError as error:
        raise UserError(f"{where}: {name}: {error}") from error


def _whole(table: pa.Table, name: str, where: str) -> NDArray[np.int64]:
    if name not in table.column_names:
        return _absent(table.num_rows)
    try:
        filled = pc.fill_null(table.column(name).cast(pa.int64()), ABSENT)
    except pa.ArrowInvalid as error:
        raise UserError(f"{where}: {name} holds no whole number: {error}") from error
    return np.asarray(filled.to_numpy(), dtype=np.int64)


def _bounded(values: NDArray[np.int64], low: int, high: int, name: str, where: str) -> NDArray[np.int64]:
    wrong = (values < low) | (values > high)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise UserError(f"{where}: row {row + 1} has no valid {name}")
    return values


def _sides(table: pa.Table) -> NDArray[np.uint8]:
    if "side" not in table.column_names:
        return np.full(table.num_rows, NO_SIDE, np.uint8)
    place = pc.index_in(table.column("side").cast(pa.string()), pa.array(SIDES))
    return np.asarray(pc.fill_null(place, NO_SIDE).to_numpy(), dtype=np.uint8)


def _flags(table: pa.Table, name: str) -> NDArray[np.int8]:
    if name not in table.column_names:
        return np.full(table.num_rows, ABSENT, np.int8)
    return np.asarray(pc.fill_null(table.column(name).cast(pa.int8()), ABSENT).to_numpy(), dtype=np.int8)


def _best(table: pa.Table, name: str, where: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Price and quantity of the first level: 0 where the side is empty, -1 where it is not given."""
    if name not in table.column_names:
        return _absent(table.num_rows), _absent(table.num_rows)
    column = table.column(name).combine_chunks()
    there = column.is_valid().to_numpy(zero_copy_only=False)
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    starts = np.cumsum(lengths) - lengths
    first = starts[lengths > 0]
    levels = column.flatten()
    price, qty = (np.where(there, 0, ABSENT).astype(np.int64) for _ in range(2))
    if len(first):
        best = levels.take(pa.array(first))
        price[lengths > 0] = milli_column(best.field("price"), 0)
        qty[lengths > 0] = pc.fill_null(best.field("qty"), 0).to_numpy(zero_copy_only=False)
    empty = (price == 0) | (qty == 0)
    price, qty = np.where(there & empty, 0, price), np.where(there & empty, 0, qty)
    return _bounded(price, ABSENT, PRICE_MAX, f"{name} price", where), _bounded(
        qty, ABSENT, SHARES_MAX, f"{name} quantity", where
    )
