"""Quarter-hour and daily bars with prices in fen, as ticks (see ``streams.days.bars`` for how).

``bars15``: ``symbol, bar_end, open_fen, high_fen, low_fen, close_fen, volume``; a symbol without a suffix
is Shanghai's or Shenzhen's by its first digit. The previous close is the last close before the date that
the source holds; it is the exchange's 前收盘 except on ex-days.

``daily`` (BaoStock): ``date, code, open_fen … preclose_fen, volume, suspended, is_st``; ``preclose_fen`` is
the exchange's own. Days whose unadjusted price is unknown (``price_flag`` 3) are left out.

Price limits are those that the rules of the day make of the previous close.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.units import DAY_MS, MINUTE_MS
from streams.days.bars import Bars, bars_to_ticks
from streams.days.ticks import ABSENT, ImportedDay, Ints, pooled
from streams.errors import UserError
from streams.importers.codes import security_name
from streams.importers.limits import limits_of_day

FEN = 10
"""0.01 yuan in 0.001 yuan."""
OPENS, CLOSES, QUARTER_MINUTES = 9 * 60 + 30, 15 * 60, 15
"""Continuous trading and the length of its bars, in minutes (of the day)."""
_PRICES = ("open_fen", "high_fen", "low_fen", "close_fen")


def read_bar_columns(path: Path) -> tuple[list[str], NDArray[np.int32], Ints, dict[str, Ints]]:
    """Securities, and by bar, ordered by security then time: index, end (ms of local time since 1970),
    prices in fen, volume."""
    table = _read(path, ("symbol", "bar_end", *_PRICES, "volume"))
    symbols, index = pooled(pc.cast(table.column("symbol"), pa.string()).to_pylist())
    names = [security_name(symbol) for symbol in symbols]
    end = pc.cast(table.column("bar_end"), pa.timestamp("ms")).cast(pa.int64()).to_numpy()
    order = np.lexsort((end, index))
    columns = {
        name.removesuffix("_fen"): pc.fill_null(table.column(name), 0).to_numpy().astype(np.int64)[order]
        for name in (*_PRICES, "volume")
    }
    return names, index[order], np.asarray(end[order]), columns


def read_bars15(path: Path, dates: list[int] | None = None) -> list[ImportedDay]:
    """Every date of ``dates`` (default: all that have a previous close in the file) as ticks."""
    names, index, end, columns = read_bar_columns(path)
    day = end // DAY_MS
    found = np.unique(day).tolist()
    wanted = found[1:] if dates is None else dates
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise UserError(f"{path} has no bars of {_shown(missing)}")
    return [_bars15_day(date, names, index, end, columns) for date in wanted]


def _bars15_day(
    date: int, names: list[str], index: NDArray[np.int32], end: Ints, columns: dict[str, Ints]
) -> ImportedDay:
    day = end // DAY_MS
    prev_close = np.full(len(names), ABSENT, np.int64)
    earlier = (day < date) & (columns["close"] > 0)
    prev_close[index[earlier]] = columns["close"][earlier] * FEN
    own = day == date
    limit_up, limit_down = limits_of_day(date, names, prev_close, np.zeros(len(names), np.bool_))
    in_day = end[own] % DAY_MS
    opened, high, low, close = (columns[name][own] * FEN for name in ("open", "high", "low", "close"))
    bars = Bars(
        date, names, index[own], in_day - QUARTER_MINUTES * MINUTE_MS, in_day, opened, high, low, close,
        columns["volume"][own], prev_close, limit_up, limit_down, np.full(len(names), FEN, np.int64),
    )  # fmt: skip
    return as_day(bars, sorted({names[i] for i in index[own].tolist()}))


def as_day(bars: Bars, listed: list[str], st: set[str] | None = None) -> ImportedDay:
    """Ticks of ``bars`` and what they say of each security of ``listed``."""
    trades, quotes = bars_to_ticks(bars)
    imported = ImportedDay(bars.date, [trades], [quotes])
    place = {name: i for i, name in enumerate(bars.names)}
    traded = set(np.unique(bars.security[bars.close > 0]).tolist())
    for name in listed:
        i = place[name]
        facts: dict[str, object] = {
            field: int(values[i]) if values[i] > 0 else None
            for field, values in (
                ("prev_close", bars.prev_close),
                ("limit_up", bars.limit_up),
                ("limit_down", bars.limit_down),
            )
        }
        imported.add_facts(
            name,
            {**facts, "suspended": True if i not in traded else None, "st": (name in st) if st else None},
        )
    return imported


def read_daily(path: Path, dates: list[int] | None = None) -> list[ImportedDay]:
    """Every date of ``dates`` (required: a year of days is not meant) as ticks."""
    if not dates:
        raise UserError("daily bars hold many dates", advice="give --date YYYY-MM-DD, once or several times")
    names = (
        "date",
        "code",
        *_PRICES,
        "preclose_fen",
        "volume",
        "suspended",
        "is_st",
        "price_flag",
        "float_shares_est",
    )
    table = _read(path, names)
    day = table.column("date").cast(pa.int32()).to_numpy()
    known = pc.fill_null(table.column("price_flag"), 3).to_numpy() != 3
    out = []
    for date in dates:
        rows = np.flatnonzero((day == date) & known)
        if not len(rows):
            raise UserError(f"{path} has no bars of {_shown([date])}")
        out.append(_daily_day(date, table.take(pa.array(rows))))
    return out


def _daily_day(date: int, table: pa.Table) -> ImportedDay:
    names, index = pooled(pc.cast(table.column("code"), pa.string()).to_pylist())
    columns = {
        name: pc.fill_null(table.column(name), 0).to_numpy().astype(np.int64)
        for name in (*_PRICES, "preclose_fen", "volume", "float_shares_est")
    }
    suspended, is_st = (_flags(table, name) for name in ("suspended", "is_st"))
    prev_close = np.where(columns["preclose_fen"] > 0, columns["preclose_fen"] * FEN, ABSENT)
    limit_up, limit_down = limits_of_day(date, names, prev_close, is_st)
    traded = ~suspended
    opened, high, low, close = (np.where(traded, columns[name] * FEN, 0) for name in _PRICES)
    rows = len(names)
    start, end = (np.full(rows, minutes * MINUTE_MS, np.int64) for minutes in (OPENS, CLOSES))
    bars = Bars(
        date, names, index, start, end, opened, high, low, close, columns["volume"],
        prev_close, limit_up, limit_down, np.full(rows, FEN, np.int64),
    )  # fmt: skip
    imported = as_day(bars, names, {name for name, flag in zip(names, is_st.tolist(), strict=True) if flag})
    for name, shares in zip(names, columns["float_shares_est"].tolist(), strict=True):
        imported.add_facts(name, {"float_shares": shares if shares > 0 else None})
    return imported


def _flags(table: pa.Table, name: str) -> NDArray[np.bool_]:
    return np.array([bool(flag) for flag in table.column(name).to_pylist()], dtype=np.bool_)


def _read(path: Path, names: tuple[str, ...]) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path, columns=list(names))
        kinds = {"symbol": pa.string(), "code": pa.string()}
        return pcsv.read_csv(
            path, convert_options=pcsv.ConvertOptions(include_columns=list(names), column_types=kinds)
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise UserError(
            f"{path} cannot be read as bars: {error}", advice=f"expected columns {', '.join(names)}"
        ) from error


def _shown(days: list[int]) -> str:
    return ", ".join(str(np.datetime64(day, "D")) for day in days)
