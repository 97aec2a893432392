"""The crash of 2015 that comes with the project: daily bars from 12 June to 31 August 2015.

900 stocks, those with the largest float value on 12 June 2015 among the stocks whose price is known on every
day: about as many as could then be bought on margin. They are facts from a public collection (see
``crash_2015.json``), kept in a form of our own: one row a stock and day, prices in fen; 12 June is only the
close before the first day. Prices are unadjusted, ``prev_close`` is the exchange's own, so on an ex-date it
differs from the close before.

What the source does not say and is added: price limits and haircuts (折算率) by the rules of the day (the cap
of shares outside the indices, since it names no members), and the corporate actions themselves. Of an
ex-date it shows only the two prices; they are read as ``prev_close = (close before - dividend) / (1 +
shares)`` with the largest number of new shares, in tenths, that leaves a dividend of nothing or more.
Whatever it was, holder and short are then worth on the ex-date what they were the evening before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from agents.rules.schedule import built_in
from schemas.topics import REFERENCE_ACTIONS
from schemas.units import MINUTE_MS, format_day, format_line, parse_day
from streams.crashes.carried import carried_label, carried_table
from streams.days.bars import Bars
from streams.days.ticks import ABSENT, ImportedDay, Ints
from streams.days.writer import DayLabel, write_topic
from streams.importers.assemble import write_imported
from streams.importers.barfiles import CLOSES, FEN, OPENS, as_day
from streams.importers.limits import limits_of_day

FIRST, LAST = parse_day("2015-06-15"), parse_day("2015-08-31")
EVENING_BEFORE = parse_day("2015-06-12")
STOCKS = 900
_TENTH = 10
_NAME = "crash_2015"


def label() -> DayLabel:
    """Origin and licence of the shipped prices."""
    return carried_label(_NAME)


class Summer:
    """The shipped bars: one row a stock and day, ordered by day, the stocks in the same order every day."""

    def __init__(self) -> None:
        table = carried_table(_NAME)
        codes = table.column("security").combine_chunks()
        self.names: list[str] = codes.dictionary.to_pylist()
        self.days: list[int] = np.unique(table.column("date").cast(pa.int32()).to_numpy()).tolist()
        self._columns = {
            name: table.column(name).to_numpy(zero_copy_only=False).astype(np.int64)
            for name in table.column_names
            if name not in ("security", "date")
        }

    def column(self, name: str, place: int) -> Ints:
        """One figure of all stocks on the day at `place`, int64[n]; prices in fen."""
        count = len(self.names)
        part: Ints = self._columns[name][place * count : (place + 1) * count]
        return part

    def trading_days(self) -> list[int]:
        """The days that can be run: all but the evening before."""
        return self.days[1:]

    def day(self, date: int) -> ImportedDay:
        """Ticks and reference data of one day. Raises ValueError for a day that is not shipped."""
        if date not in self.trading_days():
            raise ValueError(f"{format_day(date)} is none of the shipped days")
        place, count = self.days.index(date), len(self.names)
        trades = self.column("volume", place) > 0
        st = self.column("st", place) > 0
        prev_close = self.column("prev_close", place) * FEN
        prev_close[prev_close <= 0] = ABSENT
        up, down = limits_of_day(date, self.names, prev_close, st)
        prices = [
            np.where(trades, self.column(name, place) * FEN, 0) for name in ("open", "high", "low", "close")
        ]
        start, end = (np.full(count, minute * MINUTE_MS, np.int64) for minute in (OPENS, CLOSES))
        bars = Bars(
            date, self.names, np.arange(count, dtype=np.int32), start, end, prices[0], prices[1], prices[2],
            prices[3], self.column("volume", place), prev_close, up, down, np.full(count, FEN, np.int64),
        )  # fmt: skip
        imported = as_day(bars, self.names, {self.names[i] for i in np.flatnonzero(st).tolist()})
        shares = self.column("float_shares", place).tolist()
        haircut = format_line(built_in().number("haircut_other_stock", date))
        for i, name in enumerate(self.names):
            imported.add_facts(
                name,
                {
                    "float_shares": shares[i] if shares[i] > 0 else None,
                    "suspended": not trades[i],
                    "haircut": haircut,
                },
            )
        return imported

    def evening_prices(self) -> dict[str, int]:
        """The close of the evening before the first day, 0.001 yuan."""
        return dict(zip(self.names, (self.column("close", 0) * FEN).tolist(), strict=True))

    def middle_move(self, date: int) -> float:
        """Return of the middle stock that traded on a day."""
        place = self.days.index(date)
        own = np.flatnonzero((self.column("volume", place) > 0) & (self.column("prev_close", place) > 0))
        close, before = self.column("close", place)[own], self.column("prev_close", place)[own]
        return float(np.median(close / before)) - 1.0

    def actions(self, date: int) -> list[dict[str, Any]]:
        """The `reference.actions` records of stocks that go ex on ``date``, read off two prices."""
        place = self.days.index(date)
        before, reference = self.column("close", place - 1), self.column("prev_close", place)
        records = []
        for i in np.flatnonzero((before > 0) & (reference > 0) & (before > reference)).tolist():
            tenths = (int(before[i]) - int(reference[i])) * _TENTH // int(reference[i])
            cash = int(before[i]) * _TENTH - int(reference[i]) * (_TENTH + tenths)
            about = {"security": self.names[i], "ex_date": format_day(date), "pay_date": format_day(date)}
            if tenths:
                shares = f"{tenths // _TENTH}.{tenths % _TENTH}"
                action = f"{format_day(date)}-shares"
                records.append({"action": action, **about, "kind": "bonus", "shares_per_share": shares})
            if cash:
                money = f"{cash // 1000}.{cash % 1000:03d}"
                action = f"{format_day(date)}-cash"
                records.append(
                    {"action": action, **about, "kind": "dividend", "cash_per_share": money, "tax": "0"}
                )
        return records


def write_summer_day(summer: Summer, destination: Path, date: int, named: DayLabel) -> Path:
    """Write one shipped day as a recorded day below ``destination``; returns its directory."""
    directory = write_imported(destination, [summer.day(date)], named)
    records = summer.actions(date)
    if records:
        write_topic(directory, REFERENCE_ACTIONS, _action_table(records))
    return directory


def _action_table(records: list[dict[str, Any]]) -> pa.Table:
    fields = (
        "action",
        "security",
        "ex_date",
        "pay_date",
        "kind",
        "shares_per_share",
        "cash_per_share",
        "tax",
    )
    table = pa.table({name: pa.array([r.get(name) for r in records], pa.string()) for name in fields})
    return table.append_column("key", table.column("security"))
