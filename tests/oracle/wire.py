"""How amounts, ratios and lines look in published records (contract section 1)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction


def yuan(amount: Decimal) -> str:
    """At least two decimals, a third only if it is not zero."""
    text = f"{amount:.3f}"
    text = text.removesuffix("0")
    return text.removeprefix("-") if Decimal(text) == 0 else text


def floored(amount: Fraction) -> str:
    """Rounded down to 0.001 yuan."""
    return yuan(Decimal((amount * 1000).__floor__()) / 1000)


def line(value: Decimal) -> str:
    """At least two decimals, at most four."""
    text = f"{value:.4f}"
    while text.endswith("0") and len(text) - text.index(".") > 3:
        text = text[:-1]
    return text


def shown_ratio(value: Decimal, owed: Decimal) -> str | None:
    """Six places, half up; display only."""
    if owed == 0:
        return None
    with localcontext() as context:
        context.prec = 60
        shown = (value / owed).quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)
        return str(abs(shown) if shown == 0 else shown)
