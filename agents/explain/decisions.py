"""A decision on a request, recomputed from the figures it names: the comparison or the cap of its rule.

The gate names the figures of one rule: the one that refuses, or the tightest of those that pass. What the
figures mean follows from which they are (`_CAPS`, `_CLAIMS`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agents.explain.citations import Citation, cite, cite_rule
from agents.explain.statement import Explanation, Section, moment, yuan
from agents.rules.schedule import Schedule, built_in
from schemas.alerts import OrderDecision
from schemas.errors import BadRecord
from schemas.orders import AccountOrder
from schemas.units import (
    MILLI,
    RATE_SCALE,
    RATIO_SCALE,
    format_money,
    format_ratio,
    parse_scaled,
    shanghai_day,
)

Figures = Mapping[str, Any]
_MONEY = frozenset({"withdraw_cash", "repay"})


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


def _figures(told: Explanation, decision: OrderDecision, order: AccountOrder | None, rule: Citation) -> None:
    section = told.section(f"the rule {decision.rule}")
    figures = decision.figures or {}
    for name, value in figures.items():
        section.add(name.replace("_", " "), "", str(value), rule=rule)
    try:
        _compare(told, section, decision, order, rule)
    except (BadRecord, KeyError, TypeError) as error:
        told.problems.append(f"figures: {error}")


def _compare(
    told: Explanation, section: Section, decision: OrderDecision, order: AccountOrder | None, rule: Citation
) -> None:
    figures = decision.figures or {}
    for names, claim in _CLAIMS:
        if names <= set(figures):
            label, working, passes = claim(figures)
            told.claim(section, label, working, holds=passes == (decision.decision == "accept"), rule=rule)
            return
    if {"value", "assets", "share"} <= set(figures):
        _concentration(told, section, decision, rule)
        return
    for names, cap in _CAPS:
        if names <= set(figures):
            working, most = cap(figures)
            _limit(told, section, decision, order, (working, most), rule)
            return
    told.unproven.append(f"what the figures of {decision.rule} let pass")


def _concentration(told: Explanation, section: Section, decision: OrderDecision, rule: Citation) -> None:
    """The share of one security in the account's assets after the fill."""
    figures = decision.figures or {}
    value, assets = _milli(figures, "value"), _milli(figures, "assets")
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
    cap: tuple[str, int],
    rule: Citation,
) -> None:
    """No more passes than the cap of the rule, and what was asked for is on its side of it."""
    working, most = cap
    money = order is not None and order.business in _MONEY
    section.add("the rule lets pass", working, yuan(most) if money else f"{most:,}", rule=rule)
    if decision.limit is not None:
        limit = decision.limit if money or order is None else decision.limit // MILLI
        shown = yuan(limit) if money else f"{limit:,}"
        told.claim(section, "largest request that would pass", f"{shown} ≤ the cap", holds=limit <= most)
    wanted = None if order is None else (order.amount if money else order.qty)
    if wanted is not None:
        accepted = decision.decision == "accept"
        label = "what was asked for"
        shown = yuan(wanted) if money else f"{wanted:,}"
        holds = wanted <= most if accepted else wanted > most
        told.claim(section, label, f"{shown} {'≤' if accepted else '>'} the cap", holds=holds)


# -- figures -> comparison


def _milli(figures: Figures, name: str) -> int:
    return parse_scaled(figures[name], 3, name)


def _limits(figures: Figures) -> tuple[str, str, bool]:
    price, down, up = (_milli(figures, name) for name in ("price", "limit_down", "limit_up"))
    inside = price >= down and (up <= 0 or price <= up)
    return "within the day's limits", f"{yuan(down)} ≤ {yuan(price)} ≤ {yuan(up)}", inside


def _lowest(figures: Figures) -> tuple[str, str, bool]:
    price, lowest = _milli(figures, "price"), _milli(figures, "lowest")
    return "not below the last trade", f"{yuan(price)} ≥ {yuan(lowest)}", price >= lowest


def _step(figures: Figures) -> tuple[str, str, bool]:
    price, step = _milli(figures, "price"), _milli(figures, "step")
    return "on the price step", f"{yuan(price)} is a multiple of {yuan(step)}", price % step == 0


def _cage(figures: Figures) -> tuple[str, str, bool]:
    price, base, bound = (_milli(figures, name) for name in ("price", "base", "bound"))
    inside = price <= bound if bound >= base else price >= bound
    sign = "≤" if bound >= base else "≥"
    return "inside the cage", f"{yuan(price)} {sign} {yuan(bound)}, base {yuan(base)}", inside


_CLAIMS: tuple[tuple[frozenset[str], Callable[[Figures], tuple[str, str, bool]]], ...] = (
    (frozenset({"price", "limit_down", "limit_up"}), _limits),
    (frozenset({"price", "lowest"}), _lowest),
    (frozenset({"price", "base", "bound"}), _cage),
    (frozenset({"price", "step"}), _step),
)


# -- figures -> cap: shares, or milli of a request for money


def _margin(figures: Figures) -> tuple[str, int]:
    free, price = _milli(figures, "available_margin"), _milli(figures, "price")
    ratio = parse_scaled(figures["margin_ratio"], 4, "margin_ratio")
    most = max(0, free) * RATIO_SCALE // (price * ratio)
    return f"{yuan(free)} ÷ ({yuan(price)} × {figures['margin_ratio']}), rounded down", most


def _haircut(figures: Figures) -> tuple[str, int]:
    free, price = _milli(figures, "available_margin"), _milli(figures, "price")
    haircut = parse_scaled(figures["haircut"], 4, "haircut")
    if free < 0 or not haircut * price:
        return f"{yuan(free)} is all there is", 0
    return f"{yuan(free)} ÷ ({yuan(price)} × {figures['haircut']}), rounded down", free * RATIO_SCALE // (
        price * haircut
    )


def _room(figures: Figures) -> tuple[str, int]:
    left = _milli(figures, "room")
    assets, debt = _milli(figures, "assets"), _milli(figures, "debt")
    working = f"{yuan(assets)} − {figures['line']} × {yuan(debt)}"
    if "price" not in figures:
        return working, left
    price = _milli(figures, "price")
    return f"({working}) ÷ {yuan(price)}, rounded down", left // price


def _cash(figures: Figures) -> tuple[str, int]:
    cash, price = _milli(figures, "cash"), _milli(figures, "price")
    rate = parse_scaled(figures["costs"], 6, "costs")
    working = f"{yuan(cash)} ÷ ({yuan(price)} × (1 + {figures['costs']})), rounded down"
    return working, cash * RATE_SCALE // (price * (RATE_SCALE + rate))


def _credit(figures: Figures) -> tuple[str, int]:
    line, used, price = (_milli(figures, name) for name in ("line", "used", "price"))
    working = f"({yuan(line)} − {yuan(used)}) ÷ {yuan(price)}, rounded down"
    return working, max(0, line - used) // price


def _own_cash(figures: Figures) -> tuple[str, int]:
    own, fees = _milli(figures, "own_cash"), 0
    working = yuan(own)
    if "for_interest" in figures:
        fees = _milli(figures, "for_interest")
        working = f"{yuan(own)} + {yuan(fees)}"
    return working, own + fees


def _largest(figures: Figures) -> tuple[str, int]:
    return "", int(figures["largest_order"])


def _not_financed(figures: Figures) -> tuple[str, int]:
    return f"{figures['held']:,} − {figures['financed']:,}", max(0, figures["held"] - figures["financed"])


def _owed(figures: Figures) -> tuple[str, int]:
    owed, pending = _milli(figures, "owed"), _milli(figures, "in_open_orders")
    return f"{format_money(owed)} − {format_money(pending)}", max(0, owed - pending)


def _borrowed(figures: Figures) -> tuple[str, int]:
    borrowed, other = figures["borrowed"], figures["in_open_orders"]
    return f"{borrowed:,} − {other:,}", max(0, borrowed - other)


def _lendable(figures: Figures) -> tuple[str, int]:
    stock, lent, other = (figures[name] for name in ("lendable", "lent_today", "in_open_orders"))
    return f"{stock:,} − {lent:,} − {other:,}", max(0, stock - lent - other)


_CAPS: tuple[tuple[frozenset[str], Callable[[Figures], tuple[str, int]]], ...] = (
    (frozenset({"available_margin", "margin_ratio", "price"}), _margin),
    (frozenset({"available_margin", "haircut", "price"}), _haircut),
    (frozenset({"assets", "debt", "line", "room"}), _room),
    (frozenset({"cash", "price", "costs"}), _cash),
    (frozenset({"line", "used", "price"}), _credit),
    (frozenset({"own_cash"}), _own_cash),
    (frozenset({"largest_order"}), _largest),
    (frozenset({"held", "financed"}), _not_financed),
    (frozenset({"owed", "in_open_orders"}), _owed),
    (frozenset({"lendable", "lent_today", "in_open_orders"}), _lendable),
    (frozenset({"borrowed", "in_open_orders"}), _borrowed),
)
