"""What the whole market and the whole firm hold of a security in credit accounts, as columns for the
pre-trade gate (rulebook 5.3 and 8).

Figures of a day govern the trading days after it; those of an earlier day never replace later ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.books.book import Books
from agents.kernels.layout import (
    COLLATERAL_DATE,
    COLLATERAL_SHARE,
    FIRM_DATE,
    FIRM_HELD,
    SECURITY_WIDTH,
)
from schemas.reference import PublishedBalance
from schemas.units import parse_day


def governs_from(totals: Mapping[str, Any]) -> int:
    """Day number from which a value of `firm.totals` counts."""
    return parse_day(totals["date"]) + 1


def take_published(books: Books, event: PublishedBalance) -> None:
    """The share of a security's float that is collateral in the whole market, as published."""
    if event.collateral_share is not None:
        _take(books, event.security, COLLATERAL_SHARE, COLLATERAL_DATE, event.collateral_share, event.date)


def take_totals(books: Books, totals: Mapping[str, Any]) -> None:
    """One part of the firm's totals: security -> [shares held, share of the float in 1e-6 or null]. A share
    is given where the firm's accounts are the whole market.
    """
    date = parse_day(totals["date"])
    for security, (held, share) in totals["securities"].items():
        _take(books, security, FIRM_HELD, FIRM_DATE, held, date)
        if share is not None:
            _take(books, security, COLLATERAL_SHARE, COLLATERAL_DATE, share, date)


def _take(books: Books, security: str, column: int, dated: int, figure: int, date: int) -> None:
    cell = books.security(security) * SECURITY_WIDTH
    table = books.securities.table
    if table[cell + dated] <= date:
        table[cell + column], table[cell + dated] = figure, date
