"""Which annual rate a contract's interest runs at, day by day (rulebook 9): its own or the dated one of its
account's preset, and the penalty while it is overdue.

Changes since the previous day are taken in when a day begins, each from its own date on: interest of a day
is first owed the day after, so nothing that was already owed changes. What comes in after its date counts
from the day it came in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.books.book import Books
from agents.books.contracts import LENDING
from agents.books.maturities import overdue
from agents.books.terms import Terms
from agents.kernels.interest import change_rates
from agents.kernels.layout import FLAGS, HOT_WIDTH
from agents.rules.schedule import Schedule

I4 = NDArray[np.int32]
I8 = NDArray[np.int64]

_PENALTY = "interest_penalty_rate"


def follow_rates(books: Books, terms: Terms, rules: Schedule, after: int, rows: I4 | None = None) -> None:
    """Segments of all contracts, or of `rows`, for what changed from day `after` up to the books' day."""
    contracts, day = books.contracts, books.day
    if after < 0 or not contracts.rows:
        return
    if rows is None:
        living = (contracts.used("alive") == 1) & (contracts.used("opened") < day)
        rows = np.flatnonzero(living).astype(np.int32)
    maturity = contracts.used("maturity")[rows]
    fell_due = maturity[(maturity > after) & (maturity < day)]
    days = {after, *terms.rate_days(after, day), *_changes(rules, after, day), *fell_due.tolist()}
    for start in sorted(days):
        wanted = _rates(books, terms, rules, start, rows)
        changed = wanted != contracts.used("running")[rows]
        if changed.any():
            change_rates(rows[changed], wanted[changed], start, *_columns(books))


def catch_up(books: Books, terms: Terms, rules: Schedule, row: int) -> None:
    """Segments of a contract whose interest began before the books' day, as an opening tells it: at the
    rates its preset had since, and with the penalty since it fell due.
    """
    contracts, start = books.contracts, books.contracts.since[row]
    if start >= books.day:
        return
    preset = books.accounts.hot[contracts.account[row] * HOT_WIDTH + FLAGS] >> 1
    follows = contracts.floating[row] and terms.since[preset] > start
    if follows or (contracts.matured(row, books.day - 1) and contracts.alive[row]):
        rows = np.array([row], np.int32)
        contracts.running[row] = int(_rates(books, terms, rules, start, rows)[0])
        follow_rates(books, terms, rules, start, rows)
        books.refresh_interest(row)


def _columns(books: Books) -> list[NDArray[Any]]:
    names = ("opened", "since", "base", "closed_days", "running", "earned", "remainder")
    return [books.contracts.array(name) for name in names]


def _rates(books: Books, terms: Terms, rules: Schedule, on: int, rows: I4) -> I8:
    """The rates contracts run at from day `on`, int64, 1e-6 a year; the agreed ones are noted beside them."""
    contracts = books.contracts
    rate = contracts.used("rate")[rows]
    if changes_old_contracts(rules, on):
        preset = books.accounts.array("hot")[contracts.used("account")[rows], FLAGS] >> 1
        lending = (contracts.used("kind")[rows] == LENDING).astype(np.int64)
        floating = contracts.used("floating")[rows] == 1
        rate = np.where(floating, terms.rates_at(on)[lending, preset], rate)
        contracts.used("rate")[rows] = rate
    wanted: I8 = rate + np.where(overdue(books, rows, on), rules.number(_PENALTY, on), 0)
    return wanted


def changes_old_contracts(rules: Schedule, on: int) -> bool:
    """Whether a preset's new rate counts for open contracts without a rate of their own."""
    return rules.text("interest_rate_change", on) == "piecewise"


def _changes(rules: Schedule, after: int, until: int) -> list[int]:
    """Days after `after` up to `until` with another penalty, or another reading of a new rate."""
    found = []
    for parameter in (_PENALTY, "interest_rate_change"):
        day = until
        while after < (since := rules.entry(parameter, day).since) <= day:
            found.append(since)
            day = since - 1
    return found
