"""What brings a maintenance ratio (维持担保比例) back to a target: top-up (追加担保物), repayment, sale.
Rulebook 7.3.

Money is integer milli (0.001 yuan), targets are integer 1e-4. `V` are assets, `Dt` is debt.
"""

from fractions import Fraction

from schemas.units import RATIO_SCALE

FEN = 10  # milli in 0.01 yuan, the smallest payment


def reaches(assets: int, debt: int, line: int, *, inclusive: bool = True) -> bool:
    """Whether assets/debt >= line (1e-4; > where the reading is not `inclusive`), by cross-multiplication; an
    account without debt reaches every line.
    """
    return debt <= 0 or assets * RATIO_SCALE > debt * line - inclusive


def below(assets: int, debt: int, line: int, *, inclusive: bool = False) -> bool:
    """Whether assets/debt < line (1e-4; <= where the reading is `inclusive`)."""
    return not reaches(assets, debt, line, inclusive=not inclusive)


def shortfall_milli(assets: int, debt: int, target: int) -> int:
    """The cash (milli) that brings the ratio to `target` when paid in: T * Dt - V, rounded up to 0.01 yuan;
    0 when reached.
    """
    missing = target * debt - assets * RATIO_SCALE
    return max(0, -(-missing // (RATIO_SCALE * FEN))) * FEN


def outside_repayment(assets: int, debt: int, target: int) -> Fraction:
    """The debt (exact milli) which somebody must repay from outside the account to reach `target`: Dt - V /
    T.
    """
    return max(Fraction(0), debt - Fraction(assets * RATIO_SCALE, target))


def free_sale(assets: int, debt: int, target: int) -> Fraction | None:
    """The sale (exact milli) which, without any cost and used to repay at once, reaches `target`: (T * Dt -
    V) / (T - 1).

    None when no sale can: the target is at or below 100%, or the assets are worth less than the debt.
    """
    missing = target * debt - assets * RATIO_SCALE
    if missing <= 0:
        return Fraction(0)
    if target <= RATIO_SCALE or assets < debt:
        return None
    return Fraction(missing, target - RATIO_SCALE)
