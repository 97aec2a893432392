"""Withdrawals (提取担保物) at the 300% line, rulebook 1.2 (`line.withdraw`) and E5. Money is integer milli,
lines are integer 1e-4.

Before a withdrawal the maintenance ratio must lie above the line, after it not below; an account without
debt is not bound.
"""

from schemas.units import RATIO_SCALE


def may_withdraw(assets: int, debt: int, line: int, *, inclusive: bool = False) -> bool:
    """Whether the ratio exceeds the line; with `inclusive`, whether it reaches it."""
    left, right = assets * RATIO_SCALE, debt * line
    return debt <= 0 or left > right or (inclusive and left == right)


def room(assets: int, debt: int, line: int, *, inclusive: bool = False) -> int | None:
    """The most that may leave (milli, rounded down) so that the ratio stays at or above the line; None where
    nothing is owed.
    """
    if debt <= 0:
        return None
    if not may_withdraw(assets, debt, line, inclusive=inclusive):
        return 0
    return max(0, (assets * RATIO_SCALE - debt * line) // RATIO_SCALE)
