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
(折算率) are the caps of rulebook 4, 0.65 and 0 for ST. The source has no ex-dates; on none of the three
days does a price lie outside the limits computed from the previous close.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.units import format_day, parse_day
from streams.days.bars import Bars, bars_to_ticks, limit_prices
from streams.days.ticks import ABSENT, ImportedDay, Ints
from streams.days.writer import DayLabel

CRASH_DAY = parse_day("2025-04-07")
DAYS = (parse_day("2025-04-02"), parse_day("2025-04-03"), CRASH_DAY)
"""The three days, in order."""

HAIRCUT = "0.65"
"""Cap for A shares outside the SSE 180 and SZSE 100 indices, which the source does not name (rulebook 4)."""
FEN = 10
_MINUTE = 60_000
_NAME = "crash_2025_04_07"


def label() -> DayLabel:
    """Origin and licence of the shipped prices."""
    text = orjson.loads(files("streams").joinpath("data", f"{_NAME}.json").read_bytes())
    return DayLabel(text["origin"], text["licence"], tuple(text["notes"]))


def _bars_table() -> pa.Table:
    with files("streams").joinpath("data", f"{_NAME}.parquet").open("rb") as source:
        return pq.read_table(source)


def shipped_day(date: int) -> ImportedDay:
    """Ticks and reference data of one of ``DAYS`` (a day number)."""
    if date not in DAYS:
        raise ValueError(f"{format_day(date)} is none of the shipped days")
    return _day(_bars_table(), date)


def shipped_days() -> list[ImportedDay]:
    """Ticks and reference data of all shipped days, in order."""
    table = _bars_table()
    return [_day(table, date) for date in DAYS]


def write_shipped(destination: Path, dates: tuple[int, ...] = DAYS) -> list[Path]:
    """Write the shipped days as recorded days below ``destination``; returns their directories in order."""
    from streams.importers.assemble import write_imported

    table = _bars_table()
    return [write_imported(destination, [_day(table, date)], label()) for date in dates]


def _day(table: pa.Table, date: int) -> ImportedDay:
    bars, warned = _bars(table, date)
    trades, quotes = bars_to_ticks(bars)
    imported = ImportedDay(date, [trades], [quotes])
    traded = set(np.unique(bars.security[bars.close > 0]).tolist())
    for i, name in enumerate(bars.names):
        known = bars.prev_close[i] > 0
        imported.add_facts(
            name,
            {
                "prev_close": int(bars.prev_close[i]) if known else None,
                "limit_up": int(bars.limit_up[i]) if known else None,
                "limit_down": int(bars.limit_down[i]) if known else None,
                "st": bool(warned[i]),
                "suspended": i not in traded,
                "haircut": "0" if warned[i] else HAIRCUT,
            },
        )
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
    percent = np.full(len(names), 10, np.int64)
    percent[security] = columns["limit_percent"]
    up, down = limit_prices(prev_close, percent)
    own = day == date

    def part(name: str, factor: int) -> Ints:
        return np.asarray(columns[name][own] * factor)

    bars = Bars(
        date, names, security[own], part("start_minute", _MINUTE), part("end_minute", _MINUTE),
        part("open", FEN), part("high", FEN), part("low", FEN), part("close", FEN), part("volume", 1),
        prev_close, up, down, np.full(len(names), FEN, np.int64),
    )  # fmt: skip
    return bars, percent == 5


def closing_prices(imported: ImportedDay) -> dict[str, int]:
    """Last price of each security on the day, 0.001 yuan; a security without a trade has its previous
    close."""
    prices: dict[str, int] = {}
    for name, facts in imported.reference.items():
        known = facts.get("prev_close")
        if isinstance(known, int):
            prices[name] = known
    for quotes in imported.quotes:
        rows = np.flatnonzero(quotes.prices["last"] > 0)
        last = dict(zip(quotes.security[rows].tolist(), quotes.prices["last"][rows].tolist(), strict=True))
        prices.update({quotes.names[i]: price for i, price in last.items()})
    return prices


def make_extract(source: Path, destination: Path) -> None:
    """Write the shipped Parquet file from the quarter-hour bars it was taken from (``symbol, bar_end,
    open_fen …``).

    Kept so that the extract can be checked against its source and made again: 1, 2 and 3 April become one
    daily bar a stock, 7 April keeps its quarters.
    """
    from streams.importers.barfiles import read_bar_columns

    names, index, end, columns = read_bar_columns(source)
    wanted = {parse_day(f"2025-04-0{n}"): n == 7 for n in (1, 2, 3, 7)}
    rows: list[tuple[int, ...]] = []
    for date, quarters in wanted.items():
        own = np.flatnonzero(end // 86_400_000 == date)
        minutes = end[own] % 86_400_000 // _MINUTE
        for i in np.unique(index[own]).tolist():
            mine = own[index[own] == i]
            ends = minutes[index[own] == i]
            bars = [
                tuple(int(columns[name][row]) for name in ("open", "high", "low", "close", "volume"))
                for row in mine
            ]
            if quarters:
                rows.extend(
                    (i, date, int(stop) - 15, int(stop), *bar) for stop, bar in zip(ends, bars, strict=True)
                )
            else:
                rows.append((i, date, 570, 900, *_daily(bars)))
    _write_extract(names, rows, destination)


def _daily(bars: list[tuple[int, ...]]) -> tuple[int, int, int, int, int]:
    opens, highs, lows, closes, volumes = zip(*bars, strict=True)
    return opens[0], max(highs), min(lows), closes[-1], sum(volumes)


def _write_extract(names: list[str], rows: list[tuple[int, ...]], destination: Path) -> None:
    columns = np.array(rows, dtype=np.int64).T
    security, date, start, end, opened, high, low, close, volume = columns
    before: dict[int, int] = {}
    lows: dict[int, int] = {}
    for i, day, price, bottom in zip(
        security.tolist(), date.tolist(), close.tolist(), low.tolist(), strict=True
    ):
        if day < CRASH_DAY:
            before[i] = price
        else:
            lows[i] = min(bottom, lows.get(i, bottom))
    warned = {i for i, bottom in lows.items() if bottom > 0 and bottom == (before[i] * 95 + 50) // 100}
    percent = np.array([5 if i in warned else 10 for i in security.tolist()], np.int8)
    table = pa.table(
        {
            "security": pa.DictionaryArray.from_arrays(pa.array(security.astype(np.int16)), pa.array(names)),
            "date": pc.cast(pa.array(date.astype(np.int32)), pa.date32()),
            "start_minute": pa.array(start.astype(np.int16)),
            "end_minute": pa.array(end.astype(np.int16)),
            "open": pa.array(opened.astype(np.int32)),
            "high": pa.array(high.astype(np.int32)),
            "low": pa.array(low.astype(np.int32)),
            "close": pa.array(close.astype(np.int32)),
            "volume": pa.array(volume),
            "limit_percent": pa.array(percent),
        }
    )
    pq.write_table(table, destination, compression="zstd", compression_level=19)
