"""What an account must pay or return now whatever its ratio says: matured contracts, a court's freeze, a
credit line that ended (rulebook 7.1).

A plan of forced liquidation serves two aims, and either may be absent: the ratio back at its target, and
these obligations met.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from agents.books.contracts import FINANCING
from agents.books.maturities import accounts_matured
from agents.margin.desk import Desk
from agents.margin.episodes import AT_ONCE, CREDIT, FREEZE, LIQUIDATING, MATURITY, PURSUED, PURSUED_AT_ONCE
from agents.rules.interest import payable_milli
from schemas.alerts import CALL_REASONS


@dataclass(frozen=True, slots=True)
class Obligations:
    """What must happen now. `money`: milli to be repaid (principal of the financing contracts due, interest
    of all contracts due, as `repay` counts it); `contracts`: rows of lending contracts to be covered;
    `reason`: maturity, freeze or credit, empty where nothing is due; `loans`: rows of all contracts of
    which `money` is asked; `latest`: the latest date on which something of it fell due; `to_target`: whether
    the ratio has to reach the preset's target as well.
    """

    money: int = 0
    contracts: frozenset[int] = frozenset()
    reason: str = ""
    loans: frozenset[int] = frozenset()
    latest: int = -1
    to_target: bool = False

    def __bool__(self) -> bool:
        """Whether anything must be paid or returned."""
        return bool(self.money or self.contracts)


NONE = Obligations()
"""Nothing is due."""


def due_now(desk: Desk, account: int) -> Obligations:
    """What a plan of forced liquidation for the account has to achieve today: obligations whose day of
    liquidation has come, and whether the ratio is to be brought back to its target.
    """
    row, episodes = desk.books.accounts.episode[account], desk.episodes
    if row < 0:
        return NONE
    aim = NONE
    if episodes.obliged[row]:
        first = episodes.obliged_index[row] + liquidation_after(desk) + episodes.extra_days[row]
        if episodes.state[row] in (AT_ONCE, LIQUIDATING) or desk.calendar.index >= first:
            aim = owed(desk, account)
    return replace(aim, to_target=_ratio_is_pursued(desk, row))


def _ratio_is_pursued(desk: Desk, row: int) -> bool:
    episodes = desk.episodes
    if episodes.pursued[row] != PURSUED:
        return episodes.pursued[row] == PURSUED_AT_ONCE
    first = episodes.called_index[row] + desk.cure_days(row)[1] + episodes.extra_days[row]
    return desk.calendar.index >= first


def liquidation_after(desk: Desk) -> int:
    """Trading days from maturity to the first on which its contracts are liquidated."""
    return desk.rules.number("liquidation_after_maturity", desk.books.day)


def owed(desk: Desk, account: int) -> Obligations:
    """What is due of an account, called or not. A contract that matures today is due once the day is
    settled.
    """
    books, until = desk.books, last_due_day(desk)
    rows = list(books.contracts.chain(books.accounts.first[account]))
    if desk.courts.hold(books.accounts.names[account]):
        return _of(desk, rows, FREEZE)
    ended = _credit_end(desk, account)
    if 0 <= ended <= until:
        return replace(_of(desk, rows, CREDIT), latest=ended)
    matured = [row for row in rows if books.contracts.matured(row, until)]
    return _of(desk, matured, MATURITY) if matured else NONE


def _credit_end(desk: Desk, account: int) -> int:
    """The last day of the account's credit line or its group's, whichever ends first; -1 for none."""
    accounts = desk.books.accounts
    days = (accounts.credit_until[account], accounts.group_credit_until[account])
    return min((day for day in days if day >= 0), default=-1)


def _of(desk: Desk, rows: Iterable[int], reason: int) -> Obligations:
    contracts = desk.books.contracts
    loans, lent, money, latest = set(), set(), 0, -1
    for row in rows:
        latest = max(latest, contracts.maturity[row])
        asked = payable_milli(contracts.owed[row])
        if contracts.kind[row] == FINANCING:
            asked += contracts.base[row]
        elif contracts.qty[row]:
            lent.add(row)
        if asked:
            loans.add(row)
        money += asked
    return Obligations(money, frozenset(lent), CALL_REASONS[reason], frozenset(loans), latest)


def last_due_day(desk: Desk) -> int:
    """The latest date a contract may have been due on to be unpaid now: today once it is settled."""
    day = desk.books.day
    return day if desk.calendar.settled >= day else day - 1


def obliged_accounts(desk: Desk) -> set[int]:
    """Accounts with a matured contract or a credit line that ended."""
    accounts, until = desk.books.accounts, last_due_day(desk)
    found = set(accounts_matured(desk.books, until).tolist())
    for line in ("credit_until", "group_credit_until"):
        day = accounts.used(line)
        found.update(np.flatnonzero((day >= 0) & (day <= until)).tolist())
    return found
