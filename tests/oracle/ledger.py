"""Credit accounts and their contracts in plain Decimal, changed by the account events of contract section 2.

Nothing here is shared with the core: amounts are yuan as Decimal, events are the JSON objects of the wire as
dicts, accounts and contracts are ordinary objects. A record the rules refuse raises `RefusedError` before
anything has changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from tests.oracle.amounts import FEN, MILLI, ZERO, RefusedError, half_up, money
from tests.oracle.contracts import Contract

__all__ = ["FEN", "MILLI", "ZERO", "Account", "Contract", "InTransit", "RefusedError", "half_up", "money"]


@dataclass
class InTransit:
    """What a corporate action owes a holder, or a short owes the lender, between ex-date and payment."""

    action: str
    security: str
    cash: Decimal = ZERO
    shares: int = 0
    pay_date: date | None = None
    entitled: int = 0
    """Shares that may still be subscribed at `price`; each such right counts `worth`."""
    price: Decimal = ZERO
    worth: Decimal = ZERO
    paid: Decimal = ZERO
    """Money paid for rights that has not become shares."""

    def money(self) -> Decimal:
        return self.cash + self.paid + self.entitled * self.worth


@dataclass
class Account:
    name: str
    preset: str | None = None
    client: str = "individual"
    cash: Decimal = ZERO
    other_collateral: Decimal = ZERO
    held: dict[str, int] = field(default_factory=dict)
    locked: dict[str, int] = field(default_factory=dict)
    """Came in today: not sellable before the first `pre_open` after today."""
    frozen: dict[str, int] = field(default_factory=dict)
    frozen_cash: Decimal = ZERO
    contracts: dict[str, Contract] = field(default_factory=dict)
    receivable: list[InTransit] = field(default_factory=list)
    compensation: list[InTransit] = field(default_factory=list)
    closed: bool = False
    seized: dict[str, Decimal] = field(default_factory=dict)
    """What courts hold, by security, cash under ""."""
    credit: dict[str, Any] = field(default_factory=dict)
    group_credit: dict[str, Any] = field(default_factory=dict)
    flows: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """Of today, by kind and security: money bought on credit and repaid, shares sold short and returned."""

    @property
    def credit_until(self) -> list[date]:
        """Last days of its own lines and its group's."""
        told = [line.get("until") for line in (self.credit, self.group_credit)]
        return [date.fromisoformat(day) for day in told if day]

    def flow(self, kind: str, security: str, qty: int, amount: Decimal) -> None:
        part = amount if kind in ("buys", "repayments") else Decimal(qty)
        self.flows[kind, security] = self.flows.get((kind, security), ZERO) + part

    def add(self, security: str, qty: int, *, locked: bool = False) -> None:
        """Shares come in, or go out, those that are sellable first."""
        self.held[security] = self.held.get(security, 0) + qty
        came_today = self.locked.get(security, 0) + (qty if locked else 0)
        self.locked[security] = min(came_today, self.held[security])
        if self.held[security] == 0:
            self.held.pop(security)
            self.locked.pop(security)

    def sellable(self, security: str) -> int:
        """Neither of today nor frozen."""
        kept = self.locked.get(security, 0) + self.frozen.get(security, 0)
        return max(0, self.held.get(security, 0) - kept)

    def of_kind(self, kind: str, day: date) -> list[Contract]:
        return sorted((c for c in self.contracts.values() if c.kind == kind), key=lambda c: c.order(day))

    def interest(self, day: date) -> Decimal:
        return sum((c.interest(day) for c in self.contracts.values()), ZERO)

    def short_qty(self, security: str) -> int:
        return sum(c.qty for c in self.contracts.values() if c.kind == "lending" and c.security == security)

    def borrowed(self) -> bool:
        return any(c.principal or c.qty for c in self.contracts.values() if c.kind == "lending") or any(
            c.principal for c in self.contracts.values() if c.kind == "financing"
        )

    def drop_finished(self, day: date) -> None:
        """A contract is gone once nothing of it is owed."""
        for contract in list(self.contracts.values()):
            if contract.principal == 0 and contract.interest(day) == 0:
                del self.contracts[contract.name]


def repay(account: Account, amount: Decimal, name: str | None, day: date, *, keep_excess: bool) -> Decimal:
    """Interest first, then principal; returns the part of `amount` that found a debt."""
    if name is not None and name not in account.contracts:
        raise RefusedError("contract", "no such contract")
    chosen = [account.contracts[name]] if name else list(account.contracts.values())
    by_age = sorted(chosen, key=lambda c: (c.opened, c.name))
    by_rank = sorted((c for c in chosen if c.kind == "financing"), key=lambda c: c.order(day))
    owed = sum((c.interest_due(day) for c in by_age), ZERO) + sum((c.principal for c in by_rank), ZERO)
    if amount > owed and not keep_excess:
        raise RefusedError("amount", "more than is owed")
    left = min(amount, owed)
    spent = left
    for contract in by_age:
        part = min(left, contract.interest_due(day))
        contract.pay_interest(part, day)
        left -= part
    for contract in by_rank:
        part = min(left, contract.principal)
        contract.principal -= part
        account.flow("repayments", contract.security, 0, part)
        left -= part
    account.drop_finished(day)
    return spent


def give_back(account: Account, security: str, qty: int, name: str | None, day: date) -> None:
    """Shares go back to the lender: the named contract, else the oldest of that security."""
    if name is not None and name not in account.contracts:
        raise RefusedError("contract", "no such contract")
    chosen = [c for c in account.of_kind("lending", day) if c.security == security and name in (None, c.name)]
    if qty > sum(c.returnable(day) for c in chosen):
        raise RefusedError("qty", "more than was borrowed, or sold short today")
    for contract in chosen:
        part = min(qty, contract.returnable(day))
        contract.give_back(part)
        account.flow("returns", security, part, ZERO)
        qty -= part
    account.drop_finished(day)
