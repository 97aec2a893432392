"""Yuan in plain Decimal, roundings, and what a bad record is."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

ZERO = Decimal(0)
FEN = Decimal("0.01")
MILLI = Decimal("0.001")


class RefusedError(ValueError):
    """A bad record: the field that is wrong and why."""

    def __init__(self, field_name: str, reason: str) -> None:
        super().__init__(f"{field_name}: {reason}")
        self.field = field_name


def money(value: Any) -> Decimal:
    return Decimal(str(value))


def half_up(amount: Decimal | Fraction, unit: Decimal) -> Decimal:
    """Round half up to a multiple of `unit`."""
    if isinstance(amount, Fraction):
        return Decimal((amount / Fraction(unit) + Fraction(1, 2)).__floor__()) * unit
    with localcontext() as context:
        context.prec = 60
        return amount.quantize(unit, rounding=ROUND_HALF_UP)
