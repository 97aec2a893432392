"""The phases of an ordinary trading day, for recorded days whose source has no session records (rulebook
7.5)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from agents.rules.schedule import built_in
from schemas.units import MINUTE_MS, day_start, format_day
from streams.days.columns import table_schema

PRE_OPEN = 9 * 60 * MINUTE_MS
CLOSE = 15 * 60 * MINUTE_MS + 5_000
"""Closing prices of both exchanges are out a few seconds after 15:00."""
SETTLED = 16 * 60 * MINUTE_MS

_PHASES = (
    ("opening_call", 9 * 60 + 15),
    ("continuous", 9 * 60 + 30),
    ("break", 11 * 60 + 30),
    ("continuous", 13 * 60),
    ("closing_call", 14 * 60 + 57),
)


def session_rows(day: int, first_ts: int | None = None, last_ts: int | None = None) -> list[dict[str, Any]]:
    """Session records of ``day`` (a day number), in order, without cuts.

    ``pre_open`` is at 09:00, or just before ``first_ts`` (the first observation of the day) when that is
    earlier; ``close`` shortly after 15:00 and ``settled`` at 16:00, or just after ``last_ts`` when that is
    later.
    """
    midnight = day_start(day)
    pre_open = midnight + PRE_OPEN
    if first_ts is not None:
        pre_open = min(pre_open, first_ts - 1)
    close = max(midnight + CLOSE, (last_ts or 0) + 1)
    settled = max(midnight + SETTLED, close + 1)
    rows = [_row(pre_open, day, "ALL", "pre_open")]
    shanghai = built_in().entry("closing_call_stock_sh", day).value
    for phase, minute in _PHASES:
        # Without a closing call (收盘集合竞价) of its stocks, Shanghai trades continuously to 15:00.
        market = "SZ" if phase == "closing_call" and shanghai is None else "ALL"
        rows.append(_row(midnight + minute * MINUTE_MS, day, market, phase))
    return [*rows, _row(close, day, "ALL", "close"), _row(settled, day, "ALL", "settled")]


def _row(ts: int, day: int, market: str, phase: str) -> dict[str, Any]:
    return {"ts": ts, "date": format_day(day), "market": market, "phase": phase, "key": market}


def session_table(rows: list[dict[str, Any]]) -> pa.Table:
    """The ``market.session`` table of a recorded day; ``date`` is a string of the form YYYY-MM-DD."""
    schema = table_schema("market.session", ("ts", "market", "phase", "key")).insert(
        1, pa.field("date", pa.string())
    )
    return pa.Table.from_pylist(rows, schema=schema).set_column(
        1, "date", pa.array([row["date"] for row in rows]).cast(pa.date32())
    )
