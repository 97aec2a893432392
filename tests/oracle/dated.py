"""Dated values, typed off the rulebook (sections 1, 3, 4, 7, 20): first session and what holds from it on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

Table = list[tuple[str, str | None]]

LEAST_MARGIN: dict[str, Table] = {
    "financing": [
        ("2006-08-21", "0.50"),
        ("2015-11-23", "1.00"),
        ("2023-09-11", "0.80"),
        ("2026-01-19", "1.00"),
    ],
    "lending": [("2006-08-21", "0.50"), ("2023-10-30", "0.80"), ("2024-07-22", "1.00")],
    "lending to a private fund": [("2006-08-21", "0.50"), ("2023-10-30", "1.00"), ("2024-07-22", "1.20")],
}
REGIME_CHANGES = [
    "2006-08-21",
    "2010-03-31",
    "2011-11-25",
    "2013-01-31",
    "2015-07-02",
    "2015-08-04",
    "2015-11-23",
    "2016-12-12",
    "2019-08-19",
    "2020-08-24",
    "2023-04-10",
    "2023-07-31",
    "2023-08-28",
    "2023-09-11",
    "2023-10-30",
    "2024-07-22",
    "2025-04-07",
    "2026-01-19",
    "2026-07-06",
]
OTHER_COLLATERAL_SINCE = date(2019, 8, 19)
RETURN_NEXT_DAY_SINCE = date(2015, 8, 4)
EXTENSIONS_SINCE = date(2015, 7, 2)
CONTRACT_DECIDES_SINCE = date(2015, 7, 2)
"""From here on deadline and target of a call are the contract's; before, at most 2 days and at least 1.50."""


def on(table: Table, day: date) -> Decimal:
    """The value in force on `day`; before the first date, the first value."""
    held = [value for since, value in table if date.fromisoformat(since) <= day] or [table[0][1]]
    assert held[-1] is not None
    return Decimal(held[-1])


def least_margin(kind: str, client: str, day: date) -> Decimal:
    """The exchange's minimum for a contract opened on `day` (rulebook 3.1)."""
    private = kind == "lending" and client == "private_fund"
    return on(LEAST_MARGIN["lending to a private fund" if private else kind], day)
