"""The records an account should be published with: its state, and the evidence of a step of its call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle import valuation
from tests.oracle.calls import NOTICE, CallLife
from tests.oracle.contracts import Contract
from tests.oracle.ledger import ZERO, Account
from tests.oracle.presets import Preset
from tests.oracle.prices import Prices
from tests.oracle.wire import floored, line, shown_ratio, yuan

Record = dict[str, Any]
LONG = 5
"""Trading days after which a call is long outstanding."""


def evidence(account: Account, prices: Prices, day: date) -> Record:
    """What suffices to recompute assets and debt by hand (contract section 3)."""
    waiting = sum((valuation.awaited(item, prices) for item in account.receivable), ZERO)
    owed_fees = sum((valuation.compensated(item, prices) for item in account.compensation), ZERO)
    record: Record = {
        "cash": yuan(account.cash),
        "other_collateral": yuan(account.other_collateral),
        "interest": yuan(account.interest(day) + owed_fees),
        "positions": [position(account, security, prices) for security in sorted(account.held)],
        "contracts": [
            contract_line(account.contracts[name], prices, day) for name in sorted(account.contracts)
        ],
    }
    if waiting:
        record["in_transit"] = yuan(waiting)
    return record


def position(account: Account, security: str, prices: Prices) -> Record:
    qty, price = account.held[security], prices.collateral_price(security)
    return {
        "security": security,
        "qty": qty,
        "price": None if price is None else yuan(price),
        "value": yuan(qty * (price or ZERO)),
        "valuation": prices.policy(security)[0],
    }


def contract_line(contract: Contract, prices: Prices, day: date) -> Record:
    named: Record = {"contract": contract.name, "type": contract.kind, "security": contract.security}
    if contract.kind == "financing":
        named["principal"] = yuan(contract.principal)
    else:
        mark = prices.mark(contract.security)
        named |= {"qty": contract.qty, "price": None if mark is None else yuan(mark)}
    return {**named, "interest": yuan(contract.interest(day))}


def state(
    account: Account, level: str, prices: Prices, day: date, margin: Fraction, *, settled: bool
) -> Record:
    """A record of margin.ratios."""
    value, owed = valuation.assets(account, prices), valuation.debt(account, prices, day)
    record: Record = {
        "account": account.name,
        "date": day.isoformat(),
        "level": level,
        "ratio": None if level == "unpriced" else shown_ratio(value, owed),
        "assets": yuan(value),
        "debt": yuan(owed),
        "available_margin": floored(margin),
        "settled": settled,
    }
    at_last = valuation.assets_at_last_close(account, prices)
    if at_last != value:
        record["ratio_last_close"] = shown_ratio(at_last, owed)
    missing = valuation.unpriced(account, prices)
    if missing:
        record["unpriced"] = missing
    return record


def topups(
    lives: dict[str, CallLife], asked: Callable[[str], tuple[Decimal, Decimal]], days: list[date]
) -> Record:
    """What open calls ask for: all of them, and those at least five trading days old."""
    sums: dict[str, list[Any]] = {kind: [0, ZERO, ZERO] for kind in ("outstanding", "long_outstanding")}
    for name, life in lives.items():
        episode = life.episode
        if episode is None or episode.state == NOTICE:
            continue
        missing, due = asked(name)
        by_ratio = episode.called_on is not None or episode.pursued
        began = date.fromisoformat(episode.name.split(":")[1])
        kinds = ["outstanding"] + ["long_outstanding"] * (sum(day > began for day in days) >= LONG)
        for kind in kinds:
            sums[kind][0] += 1
            sums[kind][1] += missing if by_ratio else ZERO
            sums[kind][2] += due if episode.obliged else ZERO
    return {
        kind: {"calls": calls, "shortfall": yuan(Decimal(missing)), "obligations": yuan(Decimal(due))}
        for kind, (calls, missing, due) in sums.items()
    }


def lines(preset: Preset) -> Record:
    return {
        "warn": line(preset.warn),
        "min": line(preset.min),
        "immediate": None if preset.immediate is None else line(preset.immediate),
        "target": line(preset.target),
    }


def call(
    account: Account, preset: Preset, prices: Prices, day: date, missing: Decimal | None, reason: str
) -> Record:
    """A record of margin.calls, without what only the run of the call knows."""
    value, owed = valuation.assets(account, prices), valuation.debt(account, prices, day)
    record: Record = {
        "account": account.name,
        "date": day.isoformat(),
        "reason": reason,
        "preset": preset.name,
        "lines": lines(preset),
        "ratio": shown_ratio(value, owed),
        "assets": yuan(value),
        "debt": yuan(owed),
        "evidence": evidence(account, prices, day),
    }
    if missing is not None:
        record["shortfall"] = yuan(missing)
    return record
