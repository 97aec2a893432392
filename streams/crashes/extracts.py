"""How the prices that the package carries were taken from their sources (named in ``streams/data/*.json``):

    python -m streams.crashes.extracts crash_2025_04_07 bars15.parquet crash_2025_04_07.parquet
    python -m streams.crashes.extracts crash_2015 daily.parquet crash_2015.parquet

The first source is a file of the form ``bars15``, the second one of the form ``daily``
(``streams.importers.barfiles``). Made again from the same source, the file is the same to the byte.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from agents.rules.limits import price_limits
from schemas.units import DAY_MS, MINUTE_MS, parse_day
from streams.crashes import crash_2015, crash_2025
from streams.days.ticks import Ints
from streams.importers.barfiles import CLOSES, FEN, OPENS, QUARTER_MINUTES, read_bar_columns
from streams.importers.codes import board_of, security_name

_FIGURES = ("open", "high", "low", "close", "volume")
_Row = tuple[int, ...]


def extract_crash_2025(source: Path) -> pa.Table:
    """1, 2 and 3 April 2025 as one daily bar a stock, 7 April with its quarters."""
    names, index, end, columns = read_bar_columns(source)
    rows: list[_Row] = []
    for date in (parse_day("2025-04-01"), *crash_2025.DAYS):
        own = np.flatnonzero(end // DAY_MS == date)
        minutes = end[own] % DAY_MS // MINUTE_MS
        for i in np.unique(index[own]).tolist():
            mine = index[own] == i
            bars = [tuple(int(columns[name][row]) for name in _FIGURES) for row in own[mine].tolist()]
            if date == crash_2025.CRASH_DAY:
                ends = minutes[mine].tolist()
                rows.extend(
                    (i, date, stop - QUARTER_MINUTES, stop, *bar)
                    for stop, bar in zip(ends, bars, strict=True)
                )
            else:
                rows.append((i, date, OPENS, CLOSES, *_daily(bars)))
    return _bars_table(names, np.array(rows, dtype=np.int64).T)


def _daily(bars: list[_Row]) -> _Row:
    opens, highs, lows, closes, volumes = zip(*bars, strict=True)
    return opens[0], max(highs), min(lows), closes[-1], sum(volumes)


def _bars_table(names: list[str], columns: Ints) -> pa.Table:
    security, date, start, end, *prices, volume = columns
    there, place = np.unique(security, return_inverse=True)
    percent = np.where(np.isin(security, _under_risk_warning(names, columns)), 5, 10)
    small = {
        name: pa.array(values.astype(np.int32)) for name, values in zip(_FIGURES[:-1], prices, strict=True)
    }
    return pa.table(
        {
            "security": _securities(place, [names[i] for i in there.tolist()]),
            "date": _dates(date),
            "start_minute": pa.array(start.astype(np.int16)),
            "end_minute": pa.array(end.astype(np.int16)),
            **small,
            "volume": pa.array(volume),
            "limit_percent": pa.array(percent.astype(np.int8)),
        }
    )


def _under_risk_warning(names: list[str], columns: Ints) -> list[int]:
    """Stocks whose low of the crash day is exactly the limit of a stock under risk warning (ST)."""
    before: dict[int, int] = {}
    lows: dict[int, int] = {}
    for security, date, _, _, _, _, low, close, _ in columns.T.tolist():
        if date < crash_2025.CRASH_DAY:
            before[security] = close
        else:
            lows[security] = min(low, lows.get(security, low))
    warned = []
    for security, low in lows.items():
        board, close = board_of(names[security]), before.get(security, 0)
        limits = price_limits(board, "stock", crash_2025.CRASH_DAY, close * FEN, st=True)
        if low > 0 and limits is not None and low * FEN == limits.down:
            warned.append(security)
    return warned


def extract_crash_2015(source: Path, stocks: int = crash_2015.STOCKS) -> pa.Table:
    """The ``stocks`` with the largest float value on the evening before, on every day of the crash."""
    table = pq.read_table(source)
    day = table.column("date").cast(pa.int32()).to_numpy()
    table = table.take(
        pa.array(np.flatnonzero((day >= crash_2015.EVENING_BEFORE) & (day <= crash_2015.LAST)))
    )
    day = table.column("date").cast(pa.int32()).to_numpy()
    codes = pc.cast(table.column("code"), pa.string()).combine_chunks().dictionary_encode()
    stock = codes.indices.to_numpy()
    known = pc.fill_null(table.column("price_flag"), 3).to_numpy() != 3
    whole = _whole_columns(table)
    chosen = _largest(stock, day, known, whole, stocks)
    rank = np.full(len(codes.dictionary), -1)
    rank[chosen] = np.arange(len(chosen))
    rows = np.flatnonzero(rank[stock] >= 0)
    rows = rows[np.lexsort((rank[stock[rows]], day[rows]))]
    names = [security_name(codes.dictionary[i].as_py()) for i in chosen.tolist()]
    kept = {name: values[rows] for name, values in whole.items()}
    return _days_table(names, rank[stock[rows]], day[rows], kept)


def _whole_columns(table: pa.Table) -> dict[str, Ints]:
    """What is kept of each row, as integers: 0 where nothing is said, no volume while suspended."""
    named = {
        "open": "open_fen", "high": "high_fen", "low": "low_fen", "close": "close_fen",
        "prev_close": "preclose_fen", "volume": "volume", "float_shares": "float_shares_est",
        "suspended": "suspended", "st": "is_st",
    }  # fmt: skip
    whole = {
        name: np.rint(pc.fill_null(pc.cast(table.column(column), pa.float64()), 0).to_numpy())
        for name, column in named.items()
    }
    columns = {name: values.astype(np.int64) for name, values in whole.items()}
    columns["volume"][columns["suspended"] > 0] = 0
    return columns


def _largest(
    stock: NDArray[np.integer], day: NDArray[np.integer], known: NDArray[np.bool_], whole: dict[str, Ints],
    stocks: int,
) -> NDArray[np.integer]:  # fmt: skip
    """The stocks with the largest float value on the evening before, in the order of the source, among those
    whose price is known on every day.
    """
    complete = np.bincount(stock[known], minlength=int(stock.max()) + 1) == len(np.unique(day))
    evening = day == crash_2015.EVENING_BEFORE
    value = np.zeros(len(complete))
    value[stock[evening]] = whole["float_shares"][evening] * whole["close"][evening]
    value[~complete] = 0
    return np.sort(np.argsort(-value, kind="stable")[:stocks])


def _days_table(
    names: list[str], place: NDArray[np.integer], day: NDArray[np.integer], columns: dict[str, Ints]
) -> pa.Table:
    prices = ("open", "high", "low", "close", "prev_close")
    return pa.table(
        {
            "security": _securities(place, names),
            "date": _dates(day),
            **{name: pa.array(columns[name].astype(np.int32)) for name in prices},
            "volume": pa.array(columns["volume"]),
            "float_shares": pa.array(columns["float_shares"] // 1000 * 1000),
            "st": pa.array(columns["st"] > 0),
        }
    )


def _securities(place: NDArray[np.integer], names: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(place.astype(np.int16)), pa.array(names))


def _dates(days: NDArray[np.integer]) -> pa.Array:
    return pc.cast(pa.array(days.astype(np.int32)), pa.date32())


EXTRACTS = {"crash_2025_04_07": extract_crash_2025, "crash_2015": extract_crash_2015}


@click.command()
@click.argument("name", metavar="NAME", type=click.Choice(sorted(EXTRACTS)))
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("destination", type=click.Path(dir_okay=False, path_type=Path))
def main(name: str, source: Path, destination: Path) -> None:
    """Write the extract NAME of the file SOURCE to DESTINATION (Parquet)."""
    pq.write_table(EXTRACTS[name](source), destination, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main()
