"""Maintenance ratio (维持担保比例, rulebook 1.1) and available margin (保证金可用余额, rulebook 2)."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from tests.oracle.contracts import Contract
from tests.oracle.ledger import FEN, ZERO, Account, InTransit
from tests.oracle.prices import Prices


def awaited(item: InTransit, prices: Prices) -> Decimal:
    """Shares in transit to a holder count as those held; the mark is already the price without the right."""
    price = prices.collateral_price(item.security) if item.shares else ZERO
    return item.money() + item.shares * (price or ZERO)


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


def assets_at_last_close(account: Account, prices: Prices) -> Decimal:
    """The same with every holding at its mark: what `ratio_last_close` is made of (1.4)."""
    told = assets(account, prices)
    counted = list(account.held.items())
    counted += [(item.security, item.shares) for item in account.receivable if item.shares]
    for security, qty in counted:
        told += qty * ((prices.mark(security) or ZERO) - (prices.collateral_price(security) or ZERO))
    return told


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


def wealth(account: Account, prices: Prices, day: date) -> tuple[Decimal, Decimal]:
    """Assets, and what is left of them after the debt."""
    value = assets(account, prices)
    return value, value - debt(account, prices, day)


def below(value: Decimal, owed: Decimal, line: Decimal) -> bool:
    """ratio < line without dividing: a ratio of exactly the line is not below it."""
    return value < owed * line


def shortfall(value: Decimal, owed: Decimal, target: Decimal) -> Decimal:
    """Cash that brings the ratio to the target, rounded up to 0.01; nothing where it is there already."""
    return max(ZERO, target * owed - value).quantize(FEN, rounding=ROUND_CEILING)


def unpaid_shares(contract: Contract) -> int:
    """Shares of a financing contract in proportion to its unpaid principal, in whole shares, half up."""
    first = Fraction(contract.first_principal)
    return int(contract.first_qty * Fraction(contract.principal) / first + Fraction(1, 2)) if first else 0


def available_margin(account: Account, prices: Prices, day: date, haircuts: dict[str, Decimal]) -> Fraction:
    """Rulebook section 2, per contract, exactly.

    Shares count with the contract that bought them as far as they are still held and unpaid, contracts in
    the order they came; what else is held is collateral. Shares a short owes from a corporate action count
    with its first lending contract in that security.
    """
    total = Fraction(account.cash) - Fraction(account.interest(day))
    total -= sum((Fraction(item.cash) for item in account.compensation), Fraction(0))
    free = dict(account.held)
    extra: dict[str, int] = {}
    for item in account.compensation:
        extra[item.security] = extra.get(item.security, 0) + item.shares
    for contract in account.contracts.values():
        own_haircut = Fraction(haircuts.get(contract.security, ZERO))
        if contract.kind == "financing":
            shares = min(unpaid_shares(contract), free.get(contract.security, 0))
            if shares:
                free[contract.security] -= shares
            worth = shares * Fraction(prices.collateral_price(contract.security) or ZERO)
            occupied = Fraction(contract.principal)
            gain = worth - occupied
        else:
            lent = contract.qty + extra.pop(contract.security, 0)
            occupied = lent * Fraction(prices.mark(contract.security) or ZERO)
            gain = Fraction(contract.principal) - occupied
            total -= Fraction(contract.principal)
        total += gain * (own_haircut if gain >= 0 else 1)
        total -= occupied * Fraction(contract.margin_ratio)
    for security, qty in extra.items():
        total -= qty * Fraction(prices.mark(security) or ZERO)
    for security, qty in free.items():
        price = Fraction(prices.collateral_price(security) or ZERO)
        total += qty * price * Fraction(haircuts.get(security, ZERO))
    return total
