"""Level-1 quotes with five levels (分笔, vendor wstock): one file with a ``symbol`` column, times in seconds.

``Volume`` (lots, 手) and ``Amount`` (yuan) are those since the previous quote; a recorded day holds the
day's cumulative figures, as an exchange's snapshot does. SH000001 and its like are indices: they have
neither book nor a tick of their own, and their ``Amount``, which is not in yuan, is left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.units import shanghai_day
from streams.days.decimals import milli_from_noise
from streams.days.ticks import ABSENT, ImportedDay, Ints, Quotes, pooled
from streams.errors import UserError
from streams.importers import csvfiles
from streams.importers.codes import is_index, security_name

LOT = 100
_LEVELS = range(1, 6)


def read(path: Path, date: int | None = None) -> list[ImportedDay]:
    """The quotes of one file, which must be of one date (``date`` only checks it)."""
    if "SP1" not in csvfiles.header(path):
        raise UserError(
            f"{path} has not the columns of Level-1 quotes", advice="expected symbol, Time, Price, SP1 …"
        )
    numbers = [f"{side}{i}" for side in ("SP", "SV", "BP", "BV") for i in _LEVELS]
    table = csvfiles.read_columns(path, ["symbol", "Time"], ["Price", "Volume", "Amount", *numbers])
    ts = csvfiles.exchange_ts(table.column("Time"), None)
    days = {shanghai_day(int(t)) for t in (ts.min(), ts.max())} if len(ts) else set()
    if len(days) != 1 or (date is not None and days != {date}):
        raise UserError(f"{path} is not of one date, or not of the date asked for")
    symbols, index = pooled(table.column("symbol").to_pylist())
    names = [security_name(symbol[2:], symbol[:2]) for symbol in symbols]
    ticks = csvfiles.ticks_of(names, index)

    def levels(price: str, qty: str) -> tuple[Ints, Ints]:
        prices = np.stack([csvfiles.prices(table, f"{price}{i}", ticks) for i in _LEVELS], axis=1)
        return prices, np.stack([csvfiles.whole(table, f"{qty}{i}") * LOT for i in _LEVELS], axis=1)

    last = csvfiles.prices(table, "Price", ticks)
    amount = milli_from_noise(np.round(csvfiles.doubles(table, "Amount"), 2), 10, "Amount")
    lots = np.rint(csvfiles.doubles(table, "Volume")).astype(np.int64)
    of_index = np.array([is_index(name) for name in names], dtype=np.bool_)[index]
    money = {
        "last": np.where(last > 0, last, ABSENT),
        "amount": np.where(of_index, ABSENT, _day_so_far(amount, index)),
    }
    quotes = Quotes(
        names, index, ts, money, _day_so_far(lots * LOT, index), levels("BP", "BV"), levels("SP", "SV")
    )
    imported = ImportedDay(days.pop(), quotes=[quotes])
    for name in names:
        imported.add_facts(name, {"kind": "index"} if is_index(name) else {})
    return [imported]


def _day_so_far(increments: Ints, index: NDArray[np.int32]) -> Ints:
    """Running sums by security, rows staying where they are."""
    order = np.argsort(index, kind="stable")
    sums = np.cumsum(increments[order])
    starts = np.flatnonzero(np.diff(index[order], prepend=-1))
    before = np.repeat(np.concatenate(([0], sums))[starts], np.diff([*starts.tolist(), len(index)]))
    out = np.empty_like(increments)
    out[order] = sums - before
    return out
