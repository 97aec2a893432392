"""What an account must pay or return now whatever its ratio says (rulebook 7.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from tests.oracle.contracts import Contract
from tests.oracle.ledger import ZERO, Account
from tests.oracle.wire import yuan

COURT = ("court", "seizure")


@dataclass(frozen=True)
class Obligations:
    """`latest`: the latest date on which something of it fell due; `until`: up to where was looked."""

    reason: str = ""
    money: Decimal = ZERO
    contracts: list[str] = field(default_factory=list)
    latest: date = date.min
    until: date = date.min

    def __bool__(self) -> bool:
        return bool(self.contracts)

    def shown(self) -> dict[str, Any]:
        return {"reason": self.reason, "money": yuan(self.money), "contracts": self.contracts}


NOTHING = Obligations()


def owed(account: Account, day: date, until: date) -> Obligations:
    """A court's order makes everything due, so does the end of the credit line; else what has matured."""
    contracts = list(account.contracts.values())
    if account.seized:
        return _of("freeze", contracts, date.min, until, day)
    ended = min(account.credit_until, default=date.max)
    if ended <= until:
        return _of("credit", contracts, ended, until, day)
    matured = [c for c in contracts if c.matured(until)]
    latest = max((c.maturity for c in matured if c.maturity is not None), default=date.min)
    return _of("maturity", matured, latest, until, day)


def _of(reason: str, contracts: list[Contract], latest: date, until: date, day: date) -> Obligations:
    money = sum((c.interest_due(day) for c in contracts), ZERO)
    money += sum((c.principal for c in contracts if c.kind == "financing"), ZERO)
    asked = [c for c in contracts if c.interest_due(day) or (c.principal if c.kind == "financing" else c.qty)]
    names = sorted(c.name for c in asked)
    return Obligations(reason, money, names, latest, until) if money or names else NOTHING
