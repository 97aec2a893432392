"""A decision on a request, recomputed from the figures it names: the comparison or the cap of its rule.

The gate names the figures of one rule: the one that refuses, or the tightest of those that pass. What the
figures mean follows from which they are (`agents.explain.gate_figures`).
"""

from __future__ import annotations

from agents.explain.citations import Citation, cite, cite_rule
from agents.explain.gate_figures import SAID_ONLY, Cap, Figures, cap_of, claim_of
from agents.explain.statement import Explanation, Section, moment, yuan
from agents.rules.schedule import Schedule, built_in
from schemas.alerts import OrderDecision
from schemas.errors import BadRecord
from schemas.orders import MONEY_REQUESTS, AccountOrder
from schemas.units import MILLI, RATIO_SCALE, format_ratio, parse_scaled, shanghai_day


def explain_decision(
    decision: OrderDecision, order: AccountOrder | None = None, rules: Schedule | None = None
) -> Explanation:
    """The arithmetic of one record of `order.decisions`; with the request, what it asked for."""
    schedule, day = built_in() if rules is None else rules, shanghai_day(decision.ts)
    told = Explanation(decision.id, f"{decision.account}: {decision.decision}, {decision.reason}")
    told.facts += [("when", f"{moment(decision.ts)} (Shanghai), order {decision.order}")]
    if order is not None:
        told.facts.append(("request", _request(order)))
    rule = cite_rule(decision.rule, day, schedule)
    _state(told, decision, day)
    if decision.figures:
        _figures(told, decision, order, rule)
    else:
        told.beside.append(rule)
    return told


def _request(order: AccountOrder) -> str:
    what = f"{order.business} {order.security or ''}".strip()
    if order.qty is not None:
        what += f", {order.qty:,} shares"
    if order.amount is not None:
        what += f", {yuan(order.amount)} yuan"
    if order.price is not None:
        what += f" at {yuan(order.price)}"
    return f"{what}, {order.order_type}"


def _state(told: Explanation, decision: OrderDecision, day: int) -> None:
    """The account as the decision found it."""
    section = told.section("the account (yuan)")
    if decision.available_margin is not None:
        rule = cite("am.formula", day)
        section.add("available margin, less open orders", "", yuan(decision.available_margin), rule=rule)
    if decision.margin_used is not None:
        section.add("margin this request reserves", "", yuan(decision.margin_used), rule=cite("am.use", day))
    if decision.ratio_after is not None:
        section.add("ratio after the fill", "", _ratio(decision), rule=cite("mmr.formula", day))
    if not section.rows:
        told.sections.remove(section)


def _ratio(decision: OrderDecision) -> str:
    return str(decision.ratio_after)


def _figures(
    told: Explanation,
    decision: OrderDecision,
    order: AccountOrder | None,
    rule: Citation,
) -> None:
    section = told.section(f"the rule {decision.rule}")
    figures = decision.figures or {}
    for name, value in figures.items():
        section.add(name.replace("_", " "), "", str(value), rule=rule)
    try:
        _compare(told, section, decision, order, rule)
    except (BadRecord, KeyError, TypeError) as error:
        told.problems.append(f"figures: {error}")


def _compare(
    told: Explanation,
    section: Section,
    decision: OrderDecision,
    order: AccountOrder | None,
    rule: Citation,
) -> None:
    figures: Figures = decision.figures or {}
    claim = claim_of(figures)
    if claim is not None:
        holds = claim.passes == (decision.decision == "accept")
        told.claim(section, claim.label, claim.working, holds=holds, rule=rule)
    elif {"value", "assets", "share"} <= set(figures):
        _concentration(told, section, decision, rule)
    else:
        cap = cap_of(figures)
        if cap is not None:
            _limit(told, section, decision, order, cap, rule)
        elif not SAID_ONLY & set(figures):
            told.unproven.append(f"what the figures of {decision.rule} let pass")


def _concentration(told: Explanation, section: Section, decision: OrderDecision, rule: Citation) -> None:
    """The share of one security in the account's assets after the fill."""
    figures = decision.figures or {}
    value, assets = (parse_scaled(figures[name], 3, name) for name in ("value", "assets"))
    shown = format_ratio(value, assets) or "none"
    working = f"{yuan(value)} ÷ {yuan(assets)}, six places"
    told.compare(section, "share after the fill", working, shown, str(figures["share"]), rule=rule)
    if "allowed" in figures:
        allowed = parse_scaled(figures["allowed"], 4, "allowed")
        within = value * RATIO_SCALE <= assets * allowed
        label, accepted = f"at most {figures['allowed']} of the assets", decision.decision == "accept"
        told.claim(section, label, "value ≤ share × assets", holds=within == accepted, rule=rule)


def _limit(
    told: Explanation,
    section: Section,
    decision: OrderDecision,
    order: AccountOrder | None,
    cap: Cap,
    rule: Citation,
) -> None:
    """No more passes than the cap of the rule, and what was asked for is on its side of it. Without the
    request it is not known whether the cap counts shares or money.
    """
    if order is None:
        told.unproven.append("the quantity: the request was not found")
        return
    working, most, exact = cap
    money = order.business in MONEY_REQUESTS
    section.add("the rule lets pass", working, yuan(most) if money else f"{most:,}", rule=rule)
    if decision.limit is not None:
        limit = decision.limit if money else decision.limit // MILLI
        shown = yuan(limit) if money else f"{limit:,}"
        told.claim(section, "largest request that would pass", f"{shown} ≤ the cap", holds=limit <= most)
    wanted = order.amount if money else order.qty
    if wanted is not None and (exact or decision.decision == "accept"):
        accepted = decision.decision == "accept"
        label = "what was asked for"
        shown = yuan(wanted) if money else f"{wanted:,}"
        holds = wanted <= most if accepted else wanted > most
        told.claim(section, label, f"{shown} {'≤' if accepted else '>'} the cap", holds=holds)
