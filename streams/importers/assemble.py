"""From imported days to recorded days on disk: topics merged, reference data and session phases added."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa

from schemas.units import format_day
from streams.days.columns import MONEY, column_type
from streams.days.decimals import money_array
from streams.days.sessions import session_rows, session_table
from streams.days.ticks import ImportedDay
from streams.days.writer import DayLabel, day_directory, in_time_order, write_day
from streams.errors import UsageError, UserError
from streams.importers import barfiles, level1, level2
from streams.importers.codes import board_of, kind_of
from streams.importers.forms import FORMS

_REFERENCE_FIELDS = (
    "kind",
    "board",
    "prev_close",
    "limit_up",
    "limit_down",
    "st",
    "suspended",
    "float_shares",
    "haircut",
)


def import_files(
    form: str,
    sources: Iterable[Path],
    destination: Path,
    *,
    dates: list[int] | None = None,
    origin: str = "",
    licence: str = "",
) -> list[Path]:
    """Import ``sources`` (files, or directories of files) of ``form`` into days below ``destination``;
    returns their directories. ``origin`` and ``licence`` go into ``day.json``.

    Raises UserError for a form, file or row that cannot be what it is said to be, and for a day that exists
    already.
    """
    files = [file for source in sources for file in _files(source)]
    if not files:
        raise UserError("there is no file to import")
    days: dict[int, list[ImportedDay]] = {}
    for file in files:
        for imported in _reader(form, dates)(file):
            if not dates or imported.date in dates:
                days.setdefault(imported.date, []).append(imported)
    if not days:
        raise UserError("the files hold nothing of the dates asked for")
    told = origin or f"imported from {', '.join(file.name for file in files)} ({form})"
    label = DayLabel(told, licence or "as the source's")
    return [write_imported(destination, parts, label) for _, parts in sorted(days.items())]


def write_imported(destination: Path, parts: list[ImportedDay], label: DayLabel) -> Path:
    """Write all parts of one date as a recorded day."""
    date = parts[0].date
    tables = day_tables(parts)
    return write_day(day_directory(destination, date), date, tables, label)


def day_tables(parts: list[ImportedDay]) -> dict[str, pa.Table]:
    """The tables of a recorded day by topic: session, reference.securities, trades and quotes as far as
    there are any."""
    date = parts[0].date
    trades = _merged([item.table() for part in parts for item in part.trades])
    quotes = _merged([item.table() for part in parts for item in part.quotes])
    reference: dict[str, dict[str, object]] = {}
    for part in parts:
        for security, facts in part.reference.items():
            reference.setdefault(security, {}).update(facts)
    first, last = _span(trades, quotes)
    tables = {
        "market.session": session_table(session_rows(date, first, last)),
        "reference.securities": reference_table(date, reference),
        "market.trades": trades,
        "market.quotes": quotes,
    }
    return {topic: table for topic, table in tables.items() if table.num_rows}


def reference_table(date: int, facts: dict[str, dict[str, object]]) -> pa.Table:
    """``reference.securities`` of ``date`` by security; money facts are ints in 0.001 yuan, kind and board
    follow the code."""
    names = sorted(facts)
    columns: dict[str, pa.Array] = {
        "security": pa.array(names, pa.string()),
        "date": pa.array([format_day(date)] * len(names), pa.string()).cast(pa.date32()),
    }
    for field in _REFERENCE_FIELDS:
        values = [facts[name].get(field, _implied(field, name)) for name in names]
        if all(value is None for value in values):
            continue
        columns[field] = _column(field, values)
    return pa.table({**columns, "key": columns["security"]})


def _implied(field: str, security: str) -> object:
    return {"kind": kind_of, "board": board_of}[field](security) if field in ("kind", "board") else None


def _column(field: str, values: list[object]) -> pa.Array:
    if field not in MONEY:
        return pa.array(values, column_type("reference.securities", field))
    milli = pa.array([-1 if value is None else value for value in values], pa.int64()).to_numpy()
    return money_array(milli, milli < 0)


def _merged(tables: list[pa.Table]) -> pa.Table:
    if not tables:
        return pa.table({})
    return in_time_order(pa.concat_tables(tables, promote_options="permissive").unify_dictionaries())


def _span(trades: pa.Table, quotes: pa.Table) -> tuple[int | None, int | None]:
    """First observation of any kind, and the last moment at which something traded: quotes repeat long
    after the close."""
    firsts = [table.column("ts")[0].as_py() for table in (trades, quotes) if table.num_rows]
    lasts = [trades.column("ts")[-1].as_py()] if trades.num_rows else []
    if quotes.num_rows and "volume" in quotes.column_names:
        lasts.append(_last_change(quotes))
    return min(firsts, default=None), max(lasts, default=None)


def _last_change(quotes: pa.Table) -> int:
    latest: dict[str, tuple[int, int]] = {}
    columns = (quotes.column(name).to_pylist() for name in ("security", "volume", "ts"))
    for security, volume, ts in zip(*columns, strict=True):
        if security not in latest or latest[security][0] != volume:
            latest[security] = (volume, ts)
    return max(ts for _, ts in latest.values())


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        return sorted(
            path for path in source.iterdir() if path.name.endswith((".csv", ".csv.gz", ".parquet"))
        )
    if not source.is_file():
        raise UsageError(f"there is no file {source}")
    return [source]


def _reader(form: str, dates: list[int] | None) -> Callable[[Path], list[ImportedDay]]:
    only = dates[0] if dates and len(dates) == 1 else None
    if form in level2.FORMS:
        return lambda path: level2.read(form, path, only)
    if form == "level1":
        return lambda path: level1.read(path, only)
    if form == "bars15":
        return lambda path: barfiles.read_bars15(path, dates)
    if form == "daily":
        return lambda path: barfiles.read_daily(path, dates)
    raise UserError(f"{form!r} is no form", advice="one of " + ", ".join(FORMS))
