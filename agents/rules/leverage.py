"""What leverage means for an account (rulebook 13.1 and E18), as exact fractions. Ratios and lines are
integers in 1e-4.
"""

from fractions import Fraction

from schemas.units import RATIO_SCALE


def fall_to_line(assets: int, debt: int, line: int) -> Fraction:
    """The common fall of all assets that takes the maintenance ratio assets / debt to `line`:
    1 - line / ratio; negative when the ratio lies below it. `assets` and `debt` (milli) are positive.
    """
    return 1 - Fraction(line * debt, RATIO_SCALE * assets)


def leverage(assets: int, debt: int) -> Fraction | None:
    """Assets over equity, V / (V - Dt); None when nothing is left of the equity."""
    return Fraction(assets, assets - debt) if assets > debt else None


def start_ratio(margin_ratio: int, haircut: int = RATIO_SCALE) -> Fraction:
    """The maintenance ratio of an account that has just borrowed all it may: collateral C at `haircut` (cash:
    1.00) lends F = C x haircut / m, and (C + F) / F = 1 + m / haircut.
    """
    return 1 + Fraction(margin_ratio, haircut)
