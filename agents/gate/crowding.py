"""Concentration (集中度): an account's share in one security after the fill, and the gate of 2023-07-31
(rulebook 5.3, 8).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agents.gate.case import Case
from agents.gate.findings import Cap, Figures, Line, Money, Objection
from agents.gate.reservations import BUYING
from agents.gate.shares import legal_buy
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
    passes, whole = _passes(case, allowed, case.wanted), legal_buy(case, most)
    if passes and _passes(case, allowed, whole):
        return None
    largest = _largest(case, allowed, whole)
    if passes and case.wanted <= most:
        largest = max(largest, case.wanted)
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
    reason, refused = "the account would hold too much of one security", not passes
    return Cap(largest, case.rules.cite(name), reason, figures, refused=refused)


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
    """The largest legal quantity of at most `most` that passes.

    Within one tier more shares never make a share smaller, so what passes lies below what does not. A
    purchase below the mark may lift the ratio into the next tier, where more is allowed: tier by tier, from
    that of `most` down.
    """
    lot = case.security.lot
    last = (most - lot.minimum) // lot.step if most >= lot.minimum else -1

    def size(place: int) -> int:
        return lot.minimum + place * lot.step

    def tier(place: int) -> Tier | None:
        _, assets, debt = after_fill(case, size(place))
        return tier_of(allowed, assets, debt)

    def within_tier(here: Tier | None, place: int) -> bool:
        return tier(place) == here

    def fails(place: int) -> bool:
        return not _passes(case, allowed, size(place))

    while last >= 0:
        first = _first(-1, last, partial(within_tier, tier(last)))
        if not fails(first):
            return size(_first(first, last + 1, fails) - 1)
        last = first - 1
    return 0


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first of the places after `low` for which `holds`, which stays so from there on; `high` at last."""
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high
