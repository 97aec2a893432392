"""What the figures of a decision mean: which figures a rule of the gate names, and what follows from them.

A claim is a comparison that lets a request pass or not whatever its quantity. A cap is the most that the
rule lets pass, in shares, or in 0.001 yuan for a request for money.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agents.explain.statement import yuan
from schemas.units import RATE_SCALE, RATIO_SCALE, parse_scaled

Figures = Mapping[str, Any]

SAID_ONLY = frozenset(
    {"venue", "lender", "side", "since", "listed", "episode", "level", "market_share", "minimum"}
)
"""Figures that only tell what the rule looked at."""


class Claim(NamedTuple):
    """Whether a request passes by a comparison."""

    label: str
    working: str
    passes: bool


class Cap(NamedTuple):
    """The most that passes; not `exact` where open orders that are not named make it less."""

    working: str
    most: int
    exact: bool = True


def claim_of(figures: Figures) -> Claim | None:
    """The comparison that these figures stand for."""
    found = _CLAIMS.get(frozenset(figures))
    return None if found is None else found(figures)


def cap_of(figures: Figures) -> Cap | None:
    """The cap that these figures stand for; None where they tell none."""
    found = _CAPS.get(frozenset(figures))
    return None if found is None else found(figures)


def _milli(figures: Figures, name: str) -> int:
    return parse_scaled(figures[name], 3, name)


# -- claims


def _limits(figures: Figures) -> Claim:
    price, down, up = (_milli(figures, name) for name in ("price", "limit_down", "limit_up"))
    inside = price >= down and (up <= 0 or price <= up)
    return Claim("within the day's limits", f"{yuan(down)} ≤ {yuan(price)} ≤ {yuan(up)}", inside)


def _uptick(figures: Figures) -> Claim:
    price, lowest = _milli(figures, "price"), _milli(figures, "lowest")
    return Claim("not below the last trade", f"{yuan(price)} ≥ {yuan(lowest)}", price >= lowest)


def _step(figures: Figures) -> Claim:
    price, step = _milli(figures, "price"), _milli(figures, "step")
    return Claim("on the price step", f"{yuan(price)} is a multiple of {yuan(step)}", price % step == 0)


def _cage(figures: Figures) -> Claim:
    price, base, bound = (_milli(figures, name) for name in ("price", "base", "bound"))
    inside = price <= bound if bound >= base else price >= bound
    sign = "≤" if bound >= base else "≥"
    return Claim("inside the cage", f"{yuan(price)} {sign} {yuan(bound)}, base {yuan(base)}", inside)


def _crowded(figures: Figures) -> Claim:
    """The gate stops the request when all of its lines are reached; the P/E stands beside them."""
    market, client = figures["market_share"], figures["client_share"]
    lines = figures["market_share_line"], figures["client_share_line"]
    reached = [_six(market) >= _six(lines[0]), _six(client) >= _six(lines[1])]
    working = f"{market} ≥ {lines[0]}, {client} ≥ {lines[1]}, {figures['ratio']} ≤ {figures['ratio_line']}"
    below = _six(figures["ratio"]) <= _six(figures["ratio_line"])
    return Claim("not crowded", working, not (all(reached) and below))


def _six(text: str) -> int:
    return parse_scaled(text, 6, "share")


_CLAIMS: dict[frozenset[str], Callable[[Figures], Claim]] = {
    frozenset({"price", "limit_down", "limit_up"}): _limits,
    frozenset({"price", "lowest"}): _uptick,
    frozenset({"price", "base", "bound"}): _cage,
    frozenset({"price", "step"}): _step,
    frozenset(
        {
            "market_share",
            "market_share_line",
            "client_share",
            "client_share_line",
            "pe_static",
            "ratio",
            "ratio_line",
        }
    ): _crowded,
}


# -- caps


def _margin(figures: Figures) -> Cap:
    free, price = _milli(figures, "available_margin"), _milli(figures, "price")
    ratio = parse_scaled(figures["margin_ratio"], 4, "margin_ratio")
    working = f"{yuan(max(0, free))} ÷ ({yuan(price)} × {figures['margin_ratio']}), rounded down"
    return Cap(working, max(0, free) * RATIO_SCALE // (price * ratio))


def _haircut(figures: Figures) -> Cap:
    free, price = _milli(figures, "available_margin"), _milli(figures, "price")
    haircut = parse_scaled(figures["haircut"], 4, "haircut")
    if free < 0 or not haircut * price:
        return Cap("", 0)
    working = f"{yuan(free)} ÷ ({yuan(price)} × {figures['haircut']}), rounded down"
    return Cap(working, free * RATIO_SCALE // (price * haircut))


def _free_margin(figures: Figures) -> Cap:
    return Cap("", max(0, _milli(figures, "available_margin")))


def _room(figures: Figures) -> Cap:
    left, assets, debt = (_milli(figures, name) for name in ("room", "assets", "debt"))
    exact = f"{yuan(assets)} − {figures['line']} × {yuan(debt)}"
    if "price" not in figures:
        return Cap(f"room of {exact}", left)
    price = _milli(figures, "price")
    return Cap(f"{yuan(left)} ÷ {yuan(price)}, rounded down", left // price) if price else Cap("", left)


def _cash(figures: Figures) -> Cap:
    cash, price = _milli(figures, "cash"), _milli(figures, "price")
    rate = parse_scaled(figures["costs"], 6, "costs")
    working = f"{yuan(max(0, cash))} ÷ ({yuan(price)} × (1 + {figures['costs']})), rounded down"
    return Cap(working, max(0, cash) * RATE_SCALE // (price * (RATE_SCALE + rate)))


def _bounds(figures: Figures) -> Cap:
    greatest, price = _milli(figures, "greatest_value"), _milli(figures, "price")
    return Cap(f"{yuan(greatest)} ÷ {yuan(price)}, rounded down", greatest // price)


def _credit(figures: Figures) -> Cap:
    line, used, price = (_milli(figures, name) for name in ("line", "used", "price"))
    left = max(0, line - used)
    if line < used:
        return Cap("", 0)
    return Cap(f"({yuan(line)} − {yuan(used)}) ÷ {yuan(price)}, rounded down", left // max(1, price))


def _own_cash(figures: Figures) -> Cap:
    own, fees = _milli(figures, "own_cash"), 0
    if "for_interest" not in figures:
        return Cap("", own)
    fees = _milli(figures, "for_interest")
    return Cap(f"{yuan(own)} + {yuan(fees)}", own + fees)


def _proceeds(figures: Figures) -> Cap:
    names = ("cash", "liquid", "proceeds", "price")
    cash, liquid, proceeds, price = (_milli(figures, name) for name in names)
    left = cash + liquid - proceeds
    working = f"({yuan(cash)} + {yuan(liquid)} − {yuan(proceeds)}) ÷ {yuan(price)}, rounded down"
    return Cap(working, left // price) if left >= 0 else Cap("", 0)


def _owed(figures: Figures) -> Cap:
    owed, pending = _milli(figures, "owed"), _milli(figures, "in_open_orders")
    return Cap(f"{yuan(owed)} − {yuan(pending)}", max(0, owed - pending), exact=owed >= pending)


def _one(name: str) -> Callable[[Figures], Cap]:
    return lambda figures: Cap("", int(figures[name]))


def _left(first: str, *less: str, exact: bool = True) -> Callable[[Figures], Cap]:
    """Shares: the first figure less the others, at least none."""

    def cap(figures: Figures) -> Cap:
        parts = [int(figures[name]) for name in (first, *less)]
        left = parts[0] - sum(parts[1:])
        working = " − ".join(f"{part:,}" for part in parts) if left >= 0 else ""
        return Cap(working, max(0, left), exact=exact)

    return cap


def _firm(figures: Figures) -> Cap:
    names = ("float_shares", "held_by_the_firm", "in_open_orders")
    shares, held, other = (int(figures[name]) for name in names)
    allowed = parse_scaled(figures["allowed"], 4, "allowed")
    left = shares * allowed // RATIO_SCALE - held - other
    working = f"{shares:,} × {figures['allowed']} − {held:,} − {other:,}, rounded down" if left >= 0 else ""
    return Cap(working, max(0, left))


def _promised(figures: Figures) -> Cap:
    """Cash counts in full, what is bought for it at its haircut."""
    free, price, value = (_milli(figures, name) for name in ("available_margin", "price", "value"))
    haircut = parse_scaled(figures["haircut"], 4, "haircut")
    costs = parse_scaled(figures["costs"], 6, "costs")
    spent = price * (RATE_SCALE + costs) * RATIO_SCALE - value * haircut * RATE_SCALE
    bought = f"{yuan(price)} × (1 + {figures['costs']}) − {yuan(value)} × {figures['haircut']}"
    working = f"{yuan(max(0, free))} ÷ ({bought}), rounded down"
    return Cap(working, max(0, free) * RATE_SCALE * RATIO_SCALE // spent)


_CAPS: dict[frozenset[str], Callable[[Figures], Cap]] = {
    frozenset({"available_margin", "margin_ratio", "price"}): _margin,
    frozenset({"available_margin", "haircut", "price"}): _haircut,
    frozenset({"available_margin", "price", "value", "haircut", "costs"}): _promised,
    frozenset({"available_margin"}): _free_margin,
    frozenset({"assets", "debt", "line", "room"}): _room,
    frozenset({"assets", "debt", "line", "room", "price"}): _room,
    frozenset({"cash", "price", "costs"}): _cash,
    frozenset({"price", "greatest_value"}): _bounds,
    frozenset({"line", "used", "price"}): _credit,
    frozenset({"line", "used", "price", "net_capital"}): _credit,
    frozenset({"own_cash"}): _own_cash,
    frozenset({"own_cash", "for_interest"}): _own_cash,
    frozenset({"cash", "liquid", "proceeds", "price"}): _proceeds,
    frozenset({"owed", "in_open_orders"}): _owed,
    frozenset({"largest_order"}): _one("largest_order"),
    frozenset({"held", "bought_today", "sellable"}): _one("sellable"),
    frozenset({"held"}): _left("held", exact=False),
    frozenset({"held", "frozen"}): _left("held", "frozen"),
    frozenset({"sellable", "in_open_orders"}): _left("sellable", "in_open_orders"),
    frozenset({"held", "financed"}): _left("held", "financed"),
    frozenset({"held", "financed", "in_open_orders"}): _left("held", "financed", "in_open_orders"),
    frozenset({"borrowed", "in_open_orders"}): _left("borrowed", "in_open_orders"),
    frozenset({"borrowed", "sold_today"}): _left("borrowed", "sold_today"),
    frozenset({"borrowed", "sold_today", "in_open_orders"}): _left(
        "borrowed", "sold_today", "in_open_orders"
    ),
    frozenset({"float_shares", "held_by_the_firm", "in_open_orders", "allowed"}): _firm,
    frozenset({"borrowed", "held", "lowest"}): _left("held", "borrowed"),
    frozenset({"lendable", "lent_today", "in_open_orders"}): _left(
        "lendable", "lent_today", "in_open_orders"
    ),
}
