"""Credit accounts and their contracts in plain Decimal, changed by the account events of contract section 2.

Nothing here is shared with the core: amounts are yuan as Decimal, events are the JSON objects of the wire as
dicts, accounts and contracts are ordinary objects. A record the rules refuse raises `RefusedError` before
anything has changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

ZERO = Decimal(0)
FEN = Decimal("0.01")
MILLI = Decimal("0.001")


class RefusedError(ValueError):
    """A bad record: the field that is wrong and why."""

    def __init__(self, field_name: str, reason: str) -> None:
        super().__init__(f"{field_name}: {reason}")
        self.field = field_name


def half_up(amount: Decimal, unit: Decimal) -> Decimal:
    """Round half up to a multiple of `unit`."""
    with localcontext() as context:
        context.prec = 60
        return amount.quantize(unit, rounding=ROUND_HALF_UP)


@dataclass
class Contract:
    """One financing (融资) or lending (融券) contract.

    `principal` is what interest runs on: money outstanding, or unreturned quantity times the sale price.
    `closed_days` are the yuan-days of the parts already paid back, `covered_days` those that an
    opening's `accrued` stands for.
    """

    name: str
    kind: str
    security: str
    opened: date
    qty: int
    price: Decimal
    principal: Decimal
    rate: Decimal
    margin_ratio: Decimal = Decimal(1)
    due: date | None = None
    accrued: Decimal = ZERO
    closed_days: Decimal = ZERO
    covered_days: Decimal = ZERO
    paid: Decimal = ZERO
    first_qty: int = 0
    first_principal: Decimal = ZERO

    def days(self, day: date) -> int:
        """The first day counts, the day of repayment does not; never less than one (算头不算尾)."""
        return max(1, (day - self.opened).days)

    def interest(self, day: date) -> Decimal:
        """Owed on `day`: the cumulative exact amount rounded once, half up, to 0.001, less what was paid."""
        yuan_days = self.closed_days + self.principal * self.days(day) - self.covered_days
        with localcontext() as context:
            context.prec = 60
            exact = yuan_days * self.rate / 360
        return self.accrued + half_up(exact, MILLI) - self.paid

    def interest_due(self, day: date) -> Decimal:
        return half_up(self.interest(day), FEN)

    def pay_interest(self, amount: Decimal, day: date) -> None:
        """Paying exactly what is due settles the owed amount, thousandths included."""
        self.paid += self.interest(day) if amount == self.interest_due(day) else amount

    def pay_principal(self, amount: Decimal, day: date) -> None:
        self.closed_days += amount * self.days(day)
        self.principal -= amount

    def give_back(self, qty: int, day: date) -> None:
        """The sale price of shares sold at several prices is their mean: the part is rounded half up."""
        part = self.principal
        if qty < self.qty:
            part = half_up(Decimal(self.principal * qty) / self.qty, MILLI)
        self.pay_principal(part, day)
        self.qty -= qty

    def borrow_more(self, qty: int, principal: Decimal, day: date) -> None:
        """Another execution under the same contract: interest of the addition begins on `day`."""
        self.covered_days += principal * max(0, (day - self.opened).days)
        self.qty += qty
        self.first_qty += qty
        self.principal += principal
        self.first_principal += principal

    def order(self, day: date) -> tuple[int, date, str]:
        """Matured contracts first, then the earliest opened, then the name."""
        matured = self.due is not None and self.due <= day
        return (0 if matured else 1, self.opened, self.name)


@dataclass
class InTransit:
    """What a corporate action owes a holder, or a short owes the lender, between ex-date and payment."""

    action: str
    security: str
    cash: Decimal
    shares: int
    pay_date: date | None


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
    flows: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """Of today, by kind and security: money bought on credit and repaid, shares sold short and returned."""

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


def money(value: Any) -> Decimal:
    return Decimal(str(value))


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
        contract.pay_principal(part, day)
        account.flow("repayments", contract.security, 0, part)
        left -= part
    account.drop_finished(day)
    return spent


def give_back(account: Account, security: str, qty: int, name: str | None, day: date) -> None:
    """Shares go back to the lender: the named contract, else the oldest of that security."""
    if name is not None and name not in account.contracts:
        raise RefusedError("contract", "no such contract")
    chosen = [c for c in account.of_kind("lending", day) if c.security == security and name in (None, c.name)]
    if qty > sum(c.qty for c in chosen):
        raise RefusedError("qty", "more than was borrowed")
    for contract in chosen:
        part = min(qty, contract.qty)
        contract.give_back(part, day)
        account.flow("returns", security, part, ZERO)
        qty -= part
    account.drop_finished(day)
