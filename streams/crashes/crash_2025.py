"""The days that come with the project: 7 April 2025 and the two trading days before it.

On 7 April 2025 most of the A-share market fell by its limit of 10 %. The package carries prices of 697
stocks (696 of Shanghai's main board and 000001.SZ): quarter-hour bars of that day, one daily bar of 2 and 3
April each, and the close of 1 April as the first previous close. They are facts from a public collection
(see ``crash_2025_04_07.json``), kept in a form of our own: one row a bar, prices in fen.

Three days and not two, because the demonstration wants calls that run out on the crash day: under preset C
an account called at the settlement of 2 April has until 3 April, and forced liquidation starts at the first
continuous trading of 7 April.

What the source does not say and is added: the price limit is 10 % of the previous close, or 5 % for the 14
stocks whose low of 7 April is exactly their 5 % limit, which are taken as under risk warning (ST); haircuts
(折算率) are 0 for ST and else the cap of shares outside the indices, since the source names no members. It
has no ex-dates; on none of the three days does a price lie outside the limits computed from the previous
close.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from agents.rules.schedule import built_in
from schemas.units import MINUTE_MS, format_day, format_line, parse_day
from streams.crashes.carried import carried_label, carried_table
from streams.days.bars import Bars
from streams.days.ticks import ABSENT, ImportedDay, Ints
from streams.days.writer import DayLabel
from streams.importers.barfiles import FEN, as_day
from streams.importers.limits import limits_of_day

CRASH_DAY = parse_day("2025-04-07")
DAYS = (parse_day("2025-04-02"), parse_day("2025-04-03"), CRASH_DAY)
"""The three days, in order."""

_NAME = "crash_2025_04_07"


def label() -> DayLabel:
    """Origin and licence of the shipped prices."""
    return carried_label(_NAME)


def shipped_day(date: int) -> ImportedDay:
    """Ticks and reference data of one of ``DAYS`` (a day number)."""
    if date not in DAYS:
        raise ValueError(f"{format_day(date)} is none of the shipped days")
    return _day(carried_table(_NAME), date)


def shipped_days() -> list[ImportedDay]:
    """Ticks and reference data of all shipped days, in order."""
    table = carried_table(_NAME)
    return [_day(table, date) for date in DAYS]


def _day(table: pa.Table, date: int) -> ImportedDay:
    bars, warned = _bars(table, date)
    imported = as_day(bars, bars.names, {bars.names[i] for i in np.flatnonzero(warned).tolist()})
    traded = set(np.unique(bars.security[bars.close > 0]).tolist())
    haircut = format_line(built_in().number("haircut_other_stock", date))
    for i, name in enumerate(bars.names):
        imported.add_facts(name, {"suspended": i not in traded, "haircut": "0" if warned[i] else haircut})
    return imported


def _bars(table: pa.Table, date: int) -> tuple[Bars, NDArray[np.bool_]]:
    """The bars of ``date`` and, by security, whether its limit is that of a stock under risk warning."""
    codes = table.column("security").combine_chunks()
    names: list[str] = codes.dictionary.to_pylist()
    security = codes.indices.to_numpy().astype(np.int32)
    day = table.column("date").cast(pa.int32()).to_numpy()
    columns = {
        name: table.column(name).to_numpy().astype(np.int64)
        for name in ("start_minute", "end_minute", "open", "high", "low", "close", "volume", "limit_percent")
    }
    prev_close = np.full(len(names), ABSENT, np.int64)
    earlier = (day < date) & (columns["close"] > 0)
    prev_close[security[earlier]] = columns["close"][earlier] * FEN
    warned = np.zeros(len(names), np.bool_)
    warned[security] = columns["limit_percent"] == 5
    up, down = limits_of_day(date, names, prev_close, warned)
    own = day == date

    def part(name: str, factor: int) -> Ints:
        return np.asarray(columns[name][own] * factor)

    bars = Bars(
        date, names, security[own], part("start_minute", MINUTE_MS), part("end_minute", MINUTE_MS),
        part("open", FEN), part("high", FEN), part("low", FEN), part("close", FEN), part("volume", 1),
        prev_close, up, down, np.full(len(names), FEN, np.int64),
    )  # fmt: skip
    return bars, warned
