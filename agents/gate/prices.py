"""Checks of an order's form and price: side, type, price step, daily limits, cage, uptick (rulebook 6,
7.5).
"""

from __future__ import annotations

from agents.gate.case import BUYS, Case
from agents.gate.findings import Cap, Money, Objection
from agents.gate.reservations import LENT, SELLING
from agents.rules.uptick import bound_by_uptick, exempt_shares, lowest_short_price
from schemas.units import MONEY_MAX


def side(case: Case) -> Objection | None:
    """The side, where it is given, is the business's."""
    wanted = "B" if case.business in BUYS else "S"
    if case.order.side in (None, wanted):
        return None
    rule = case.rules.engine("side")
    return Objection(rule, f"the side of {case.business} is {wanted}", {"side": case.order.side})


def limit_only(case: Case) -> Objection | None:
    """Short sales are limit orders."""
    if case.order.order_type == "limit" or case.rules.value("short_market_orders") is True:
        return None
    return Objection(case.rules.cite("short_market_orders"), "a short sale must be a limit order")


def price_basis(case: Case) -> Objection | None:
    """What an order costs must be known."""
    if case.price > 0:
        return None
    return Objection(case.rules.engine("price"), "no price of the security is known")


def price_step(case: Case) -> Objection | None:
    """A limit price lies on the security's price step."""
    step = case.security.step
    if case.order.order_type != "limit" or case.price % step == 0:
        return None
    figures = {"price": Money(case.price), "step": Money(step)}
    return Objection(case.rules.engine("price_step"), "the price is not on the price step", figures)


def daily_limits(case: Case) -> Objection | None:
    """A limit price lies within the limits of the day."""
    if case.order.order_type != "limit":
        return None
    down, up = case.security.limits()
    if case.price >= down and (up <= 0 or case.price <= up):
        return None
    figures = {
        "price": Money(case.price),
        "limit_down": Money(down),
        "limit_up": Money(up),
    }
    return Objection(
        case.rules.cite(case.security.limit_rule), "the price lies outside the day's limits", figures
    )


def cage(case: Case) -> Objection | None:
    """In continuous auction a limit price lies inside the cage (价格笼子)."""
    if case.order.order_type != "limit":
        return None
    buys = case.business in BUYS
    bound, base = case.security.cage(buys=buys)
    if bound is None or (case.price <= bound if buys else case.price >= bound):
        return None
    figures = {"price": Money(case.price), "base": Money(base), "bound": Money(bound)}
    rule = case.rules.cite(f"cage_{case.security.board}")
    return Objection(rule, "the price lies outside the cage", figures)


def uptick(case: Case) -> Objection | None:
    """A short sale is not priced below the last trade."""
    if case.rules.value("short_uptick") is not True or not _below_uptick(case):
        return None
    lowest = _lowest(case)
    if lowest is None:
        return Objection(case.rules.cite("short_uptick"), "neither a trade nor a previous close is known")
    figures = {"price": Money(case.price), "lowest": Money(lowest)}
    return Objection(case.rules.cite("short_uptick"), "the price lies below the last trade", figures)


def uptick_of_own_shares(case: Case) -> Cap | None:
    """Who is short sells his own shares by the same rule, but for what he holds beyond the borrowed."""
    if case.rules.value("short_uptick_own_shares") is not True:
        return None
    positions, security = case.desk.books.positions, case.security.row
    own = borrowed = 0
    for member in case.groups.of(case.account):
        row = positions.find(member, security)
        if row >= 0:
            own += positions.rows.qty[row]
            borrowed += positions.rows.short[row]
        borrowed += case.desk.reservations.shares(member, security)[LENT]
        own -= case.desk.reservations.shares(member, security)[SELLING]
    if not borrowed or not _below_uptick(case):
        return None
    figures = {"borrowed": borrowed, "held": own, "lowest": Money(_lowest(case) or 0)}
    reason = "below the last trade only shares beyond the borrowed quantity may be sold"
    return Cap(exempt_shares(own, borrowed), case.rules.cite("short_uptick_own_shares"), reason, figures)


def bounds(case: Case) -> Cap:
    """Nothing is worth more than the bounds allow (contract section 1)."""
    figures = {"price": Money(case.price), "greatest_value": Money(MONEY_MAX)}
    rule = case.rules.engine("bounds")
    return Cap(MONEY_MAX // max(1, case.price), rule, "the order is worth more than 10^11 yuan", figures)


def _lowest(case: Case) -> int | None:
    return lowest_short_price(case.security.last, case.security.reference)


def _below_uptick(case: Case) -> bool:
    """Whether the uptick rule binds the security and the order is below it, or may be (a market sale)."""
    if not bound_by_uptick(case.security.kind, str(case.rules.value("short_uptick_etf"))):
        return False
    lowest = _lowest(case)
    if lowest is None or case.order.order_type != "limit":
        return True
    inclusive = case.rules.reads_inclusive("uptick_at")
    return case.price < lowest or (not inclusive and case.price == lowest)
