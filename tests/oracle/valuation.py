"""Maintenance ratio (维持担保比例, rulebook 1.1) and available margin (保证金可用余额, rulebook 2)."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from tests.oracle.ledger import FEN, ZERO, Account, InTransit
from tests.oracle.prices import Prices


def awaited(item: InTransit, prices: Prices) -> Decimal:
    """Shares in transit to a holder count as those held; the mark is already the price without the right."""
    price = prices.collateral_price(item.security) if item.shares else ZERO
    return item.cash + item.shares * (price or ZERO)


def compensated(item: InTransit, prices: Prices) -> Decimal:
    """Shares a short owes the lender cost the mark."""
    price = prices.mark(item.security) if item.shares else ZERO
    return item.cash + item.shares * (price or ZERO)


def unpriced(account: Account, prices: Prices) -> list[str]:
    """Everything the account holds, owes or awaits that has no price at all."""
    ours = set(account.held) | {item.security for item in account.receivable if item.shares}
    lent = {c.security for c in account.contracts.values() if c.kind == "lending" and c.qty}
    lent |= {item.security for item in account.compensation if item.shares}
    missing = {security for security in ours if prices.collateral_price(security) is None}
    return sorted(missing | {security for security in lent if prices.mark(security) is None})


def assets(account: Account, prices: Prices) -> Decimal:
    held = sum(
        (qty * (prices.collateral_price(security) or ZERO) for security, qty in account.held.items()), ZERO
    )
    in_transit = sum((awaited(item, prices) for item in account.receivable), ZERO)
    return account.cash + held + account.other_collateral + in_transit


def debt(account: Account, prices: Prices, day: date) -> Decimal:
    financed = sum((c.principal for c in account.contracts.values() if c.kind == "financing"), ZERO)
    shorts = sum(
        (
            c.qty * (prices.mark(c.security) or ZERO)
            for c in account.contracts.values()
            if c.kind == "lending"
        ),
        ZERO,
    )
    compensation = sum((compensated(item, prices) for item in account.compensation), ZERO)
    return financed + shorts + account.interest(day) + compensation


def shown_ratio(value: Decimal, owed: Decimal) -> str | None:
    """Six places, half up; display only."""
    if owed == 0:
        return None
    with localcontext() as context:
        context.prec = 60
        shown = (value / owed).quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)
        return str(abs(shown) if shown == 0 else shown)


def below(value: Decimal, owed: Decimal, line: Decimal) -> bool:
    """ratio < line without dividing: a ratio of exactly the line is not below it."""
    return value < owed * line


def shortfall(value: Decimal, owed: Decimal, target: Decimal) -> Decimal:
    """Cash that brings the ratio to the target, rounded up to 0.01."""
    return (target * owed - value).quantize(FEN, rounding=ROUND_CEILING)


def available_margin(account: Account, prices: Prices, day: date, haircuts: dict[str, Decimal]) -> Fraction:
    """Rulebook section 2, per contract, exactly."""
    total = Fraction(account.cash) - Fraction(account.interest(day))
    unpaid: dict[str, Fraction] = {}
    for contract in account.contracts.values():
        mark = Fraction(prices.mark(contract.security) or ZERO)
        own_haircut = Fraction(haircuts.get(contract.security, ZERO))
        if contract.kind == "financing":
            part = Fraction(contract.principal) / Fraction(contract.first_principal or 1)
            shares = contract.first_qty * part
            unpaid[contract.security] = unpaid.get(contract.security, Fraction(0)) + shares
            gain = shares * mark - Fraction(contract.principal)
            occupied = Fraction(contract.principal)
        else:
            gain = contract.qty * (Fraction(contract.price) - mark)
            total -= contract.qty * Fraction(contract.price)
            occupied = contract.qty * mark
        total += gain * (own_haircut if gain >= 0 else 1)
        total -= occupied * Fraction(contract.margin_ratio)
    for security, qty in account.held.items():
        own = max(Fraction(0), qty - unpaid.get(security, Fraction(0)))
        total += own * Fraction(prices.mark(security) or ZERO) * Fraction(haircuts.get(security, ZERO))
    return total
