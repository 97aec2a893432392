"""What an account must pay or return now whatever its ratio says: matured contracts, a court's freeze, a
credit line that ended (rulebook 7.1).

A plan of forced liquidation serves two aims, and either may be absent: the ratio back at its target, and
these obligations met.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agents.books.contracts import FINANCING
from agents.margin.desk import Desk
from agents.margin.episodes import AT_ONCE, EXPIRED, LIQUIDATING
from agents.rules.interest import payable_milli

MATURITY, FREEZE, CREDIT = "maturity", "freeze", "credit"


@dataclass(frozen=True, slots=True)
class Obligations:
    """What must happen now. `money`: milli to be repaid (principal of the financing contracts due, interest
    of all contracts due, as `repay` counts it); `contracts`: rows of lending contracts to be covered;
    `reason`: maturity, freeze or credit, empty where nothing is due; `loans`: rows of the financing contracts
    in `money`; `to_target`: whether the ratio has to reach the preset's target as well.
    """

    money: int = 0
    contracts: frozenset[int] = frozenset()
    reason: str = ""
    loans: frozenset[int] = frozenset()
    to_target: bool = True

    def __bool__(self) -> bool:
        """Whether anything must be paid or returned."""
        return bool(self.money or self.contracts)


NONE = Obligations()


def due_now(desk: Desk, account: int) -> Obligations:
    """What a plan of forced liquidation for the account has to achieve today."""
    row = desk.books.accounts.episode[account]
    if row < 0 or desk.episodes.state[row] not in (EXPIRED, AT_ONCE, LIQUIDATING):
        return NONE
    return owed(desk, account)


def owed(desk: Desk, account: int) -> Obligations:
    """What is due of an account, called or not."""
    contracts, day = desk.books.contracts, desk.books.day
    matured = [
        row for row in contracts.chain(desk.books.accounts.first[account]) if 0 <= contracts.due[row] <= day
    ]
    return _of(desk, matured, MATURITY) if matured else NONE


def _of(desk: Desk, rows: Iterable[int], reason: str) -> Obligations:
    contracts = desk.books.contracts
    loans, lent, money = set(), set(), 0
    for row in rows:
        money += payable_milli(contracts.owed[row])
        if contracts.kind[row] == FINANCING:
            money += contracts.base[row]
            loans.add(row)
        elif contracts.qty[row]:
            lent.add(row)
    return Obligations(money, frozenset(lent), reason, frozenset(loans))
