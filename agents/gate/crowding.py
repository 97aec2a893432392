"""Concentration (集中度): an account's share in one security after the fill, and the gate of 2023-07-31
(rulebook 5.3, 8).
"""

from __future__ import annotations

from agents.gate.case import Case
from agents.gate.findings import Cap, Figures, Line, Money, Objection
from agents.gate.reservations import BUYING
from agents.kernels.layout import COLLATERAL_SHARE, PE, UNKNOWN_PE
from agents.rules.concentration import Readings, gate_blocks, tier_of, within
from agents.rules.values import ConcentrationGate, Tier
from schemas.account import CLIENT_CLASSES
from schemas.units import format_ratio


def gate(case: Case) -> Objection | None:
    """A crowded, dear stock is not bought on credit by a client who holds little else (2023-07-31)."""
    rule, scope = case.rules.value("concentration_gate"), case.rules.value("concentration_gate_scope")
    if not isinstance(rule, ConcentrationGate):
        return None
    if case.business == "collateral_buy" and scope != "financing_and_collateral":
        return None
    paper = case.security
    share, pe = paper.get(COLLATERAL_SHARE), paper.get(PE)
    value = paper.held * case.share_value
    known = None if pe == UNKNOWN_PE else pe
    inclusive = case.rules.reads_inclusive
    readings = Readings(
        ratio=inclusive("conc_ratio_at"),
        share=inclusive("conc_share_at"),
        mmr=inclusive("conc_gate"),
        pe=inclusive("pe_zero_at"),
    )
    if not gate_blocks(rule, share, known, value, case.assets, case.debt, readings):
        return None
    figures = {
        "market_share": format_ratio(share, 1_000_000),
        "pe_static": Money((known or 0) // 1000),
        "client_share": format_ratio(value, case.assets),
        "ratio": format_ratio(case.assets, case.debt),
        "market_share_line": Line(rule.security_ratio),
        "client_share_line": Line(rule.client_share),
        "ratio_line": Line(rule.mmr),
    }
    reason = "the stock is crowded as collateral in the market and in the account"
    return Objection(case.rules.cite("concentration_gate"), reason, figures)


def tiers(case: Case, most: int) -> Cap | None:
    """After the fill one security is at most the share that the preset of the client's class allows at the
    ratio after the fill. `most` is what every other check lets pass.
    """
    client = CLIENT_CLASSES[case.desk.books.accounts.client[case.account]]
    preset = case.rules.value(f"concentration_preset_{client}")
    if preset in (None, "none"):
        return None
    name = f"concentration_{preset}"
    steps = case.rules.value(name)
    if not isinstance(steps, tuple):
        return None
    allowed = tuple(step for step in steps if isinstance(step, Tier))
    passes = _passes(case, allowed, case.wanted)
    if passes and _passes(case, allowed, most):
        return None
    largest = max(_largest(case, allowed, most), case.wanted if passes else 0)
    value, assets, debt = after_fill(case, case.wanted)
    figures: Figures = {
        "value": Money(value),
        "assets": Money(assets),
        "share": format_ratio(value, assets),
        "ratio": format_ratio(assets, debt) if debt > 0 else None,
    }
    tier = tier_of(allowed, assets, debt)
    if tier is not None:
        figures["allowed"] = Line(tier.share)
    return Cap(largest, case.rules.cite(name), "the account would hold too much of one security", figures)


def after_fill(case: Case, qty: int) -> tuple[int, int, int]:
    """(value of the security, assets, debt) if `qty` more were filled at the order's price, in milli."""
    paper, price, worth = case.security, case.price, case.share_value
    pending = case.desk.reservations.shares(case.account, paper.row)[BUYING]
    value = (paper.held + pending + qty) * worth
    if case.business == "financing_buy":
        return value, case.assets + qty * worth, case.debt + qty * price
    return value, case.assets + qty * (worth - price) - case.cost(qty * price), case.debt


def _passes(case: Case, allowed: tuple[Tier, ...], qty: int) -> bool:
    value, assets, debt = after_fill(case, qty)
    inclusive = case.rules.reads_inclusive("concentration_within")
    return within(allowed, value, assets, debt, inclusive=inclusive)


def _largest(case: Case, allowed: tuple[Tier, ...], most: int) -> int:
    """The largest legal quantity of at most `most` that passes: more shares never make a share smaller nor,
    above 100%, a ratio larger, so what passes lies below what does not.
    """
    lot = case.security.lot
    low, high = -1, max(0, most - lot.minimum) // lot.step + 1
    while high - low > 1:
        middle = (low + high) // 2
        if _passes(case, allowed, lot.minimum + middle * lot.step):
            low = middle
        else:
            high = middle
    return min(most, lot.minimum + low * lot.step) if low >= 0 else 0
