"""How records read in one line: a call, an order, money in the unit of its size."""

from __future__ import annotations

from typing import Any

from schemas.units import parse_scaled, shanghai_ms

YI = 10**11
"""A hundred million yuan (亿) in 0.001 yuan."""

STEP_COLOURS = {
    "warned": "yellow",
    "below_min": "dark_orange3",
    "called": "bold dark_orange3",
    "immediate": "bold red",
    "partly_met": "cyan",
    "cured": "green",
    "expired": "red",
    "liquidating": "red",
    "closed": "green",
    "shortfall": "bold white on red",
    "recovered": "green",
}
LEVEL_COLOURS = {
    "normal": "green",
    "warn": "yellow",
    "below_min": "dark_orange3",
    "immediate": "red",
    "no_debt": "dim",
    "unpriced": "magenta",
}


def clock(ts: int) -> str:
    """`10:14:05` in Shanghai."""
    seconds = shanghai_ms(ts) // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def short_money(milli: int) -> str:
    """Whole yuan with separators, or million and billion yuan with two decimals when there are many."""
    if abs(milli) >= 10**12:
        return f"{milli // 10**10 / 100:,.2f} bn"
    if abs(milli) >= 10**9:
        return f"{milli // 10**7 / 100:,.2f} m"
    return f"{milli // 1000:,}"


def hundred_millions(milli: int) -> str:
    """0.001 yuan as hundred millions (亿) of yuan with two decimals."""
    return f"{milli * 100 // YI / 100:,.2f}"


def money(text: str) -> str:
    """A decimal string of yuan, short."""
    return short_money(parse_scaled(text, 3, "amount"))


def percent(ratio: str | None) -> str:
    """`1.252151` as `125.22 %`, rounded half up as the ratio itself was; a dash without debt."""
    if ratio is None:
        return "-"
    hundredths = (parse_scaled(ratio, 6, "ratio") + 50) // 100
    return f"{hundredths // 100}.{hundredths % 100:02d} %"


def call_words(value: dict[str, Any]) -> str:
    """What a call record says beyond its event: ratio and shortfall."""
    text = percent(value.get("ratio"))
    if value.get("shortfall") and value["event"] in {"called", "partly_met", "immediate"}:
        text += f", short {money(value['shortfall'])}"
    return text


def order_words(value: dict[str, Any], *, price: bool = True) -> str:
    """What an order does; `price` for where there is room."""
    if value["business"] == "repay":
        return f"repay {money(value['amount'])}" + (" from own cash" if price else "")
    verb = "buy back" if value["side"] == "B" else "sell"
    at = f" at {value['expected_price']}" if price else ""
    return f"{verb} {value['qty']:,} {value['security']}{at}"
