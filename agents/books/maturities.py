"""Contracts fall due (rulebook 7.6): what a trading day without trading before it, a suspension or a
delisting does to the maturity of all contracts, once a day.

A due date is met on its day; a weekend is known beforehand, another holiday only when the next trading day
begins. A contract whose security is suspended on that day does not fall due before the first trading day on
which it is not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.books.book import Books
from agents.kernels.layout import LAST_TRADING_DAY, SUSPENDED, SUSPENDED_SINCE
from agents.rules.maturity import before_the_last, matures_on
from agents.rules.schedule import Schedule

LONGEST_CLOSURE = 12
"""Calendar days from one trading day to the next at most (Spring Festival 2020: 11): in a longer gap days are
missing, and a due date in it may well have been a trading day.
"""

Mask = NDArray[np.bool_]
I4 = NDArray[np.int32]


def advance(books: Books, rules: Schedule) -> None:
    """Maturities as of the books' day; the same again as long as nothing new is said of the securities."""
    contracts, day = books.contracts, books.day
    if not contracts.rows or day < 0:
        return
    before = books.previous_day if books.previous_day >= 0 else day - 1
    maturity, deferred = contracts.used("maturity"), contracts.used("deferred")
    dated: Mask = (contracts.used("alive") == 1) & (maturity >= 0)
    _end_before_delisting(books, dated, rules)
    suspended, since = _cells(books, SUSPENDED) == 1, _cells(books, SUSPENDED_SINCE)
    began = (maturity > before) | (suspended & (since >= 0) & (since <= maturity))
    falling: Mask = dated & ((began & (maturity <= day)) | (deferred == 1))
    if not falling.any():
        return
    held_open = falling & suspended & rules.flag("contract_suspension_extends", day)
    resumed = falling & ~held_open & (deferred == 1)
    if day - before <= LONGEST_CLOSURE:
        forward = rules.text("contract_maturity_holiday", day) == "next"
        missed = falling & ~held_open & ~resumed & (maturity < day)
        maturity[missed] = day if forward else before
    maturity[resumed] = day
    for account in np.unique(contracts.used("account")[falling & (held_open != (deferred == 1))]).tolist():
        books.touch(account)
    deferred[falling] = held_open[falling]


def _end_before_delisting(books: Books, dated: Mask, rules: Schedule) -> None:
    """Contracts end before their security's last trading day."""
    maturity, last = books.contracts.used("maturity"), _cells(books, LAST_TRADING_DAY)
    for day in np.unique(last[dated & (last >= 0)]).tolist():
        sooner = before_the_last(day, rules)
        shortened = dated & (last == day) & (maturity > sooner)
        maturity[shortened] = sooner


def _cells(books: Books, column: int) -> NDArray[Any]:
    """One figure of the security of each contract."""
    table = books.securities.used("table")
    cells: NDArray[Any] = table[np.maximum(books.contracts.used("security"), 0), column]
    return cells


def date_contract(books: Books, row: int, due: int, rules: Schedule) -> None:
    """Gives a contract a due date, and the maturity that follows from it."""
    contracts, day = books.contracts, books.day
    get, security = books.securities.get, contracts.security[row]
    maturity = matures_on(due, get(security, LAST_TRADING_DAY), rules)
    contracts.due[row], contracts.maturity[row] = due, maturity
    held_open = get(security, SUSPENDED) == 1 and 0 <= maturity <= day
    held_open = held_open and (maturity == day or 0 <= get(security, SUSPENDED_SINCE) <= maturity)
    contracts.deferred[row] = int(held_open and rules.flag("contract_suspension_extends", day))


def due_in_force(books: Books, row: int) -> int:
    """The date an extension starts from: the agreed one, or the later one a suspension has led to."""
    contracts = books.contracts
    reached = max(contracts.due[row], contracts.maturity[row])
    return max(reached, books.day) if contracts.deferred[row] else reached


def overdue(books: Books, rows: I4, on: int) -> Mask:
    """Which contracts were due on day `on` or before and are still owed on the books' day after it."""
    contracts = books.contracts
    maturity = contracts.used("maturity")[rows]
    late: Mask = (maturity >= 0) & (maturity <= on) & (maturity < books.day)
    late &= contracts.used("deferred")[rows] == 0
    return late


def accounts_matured(books: Books, until: int) -> I4:
    """Accounts with a contract that has fallen due by day `until`, int32, ascending rows."""
    contracts = books.contracts
    maturity = contracts.used("maturity")
    due: Mask = (maturity >= 0) & (maturity <= until) & (contracts.used("deferred") == 0)
    due &= contracts.used("alive") == 1
    accounts: I4 = np.unique(contracts.used("account")[due])
    return accounts
