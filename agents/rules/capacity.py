"""What available margin (保证金可用余额) lets an account borrow, rulebook 2 and E7. Money is integer milli,
margin ratios are integer 1e-4.
"""

from schemas.units import RATIO_SCALE

FEN = 10
"""milli in 0.01 yuan, the step in which capacity and withdrawals are told."""


def margin_of(value: int, ratio: int) -> int:
    """Margin that a new contract of `value` occupies, rounded up to 0.001 yuan."""
    return -(-value * ratio // RATIO_SCALE)


def most_value(available: int, ratio: int) -> int:
    """The largest value of a new contract at this margin ratio, rounded down to 0.001 yuan; 0 without
    margin. A ratio of 0 would lend without end: it lends nothing.
    """
    return max(0, available) * RATIO_SCALE // ratio if ratio > 0 else 0


def most_shares(available: int, price: int, ratio: int) -> int:
    """The most shares at `price` whose margin, rounded up as `margin_of` does, is at most `available`."""
    if price <= 0 or ratio <= 0:
        return 0
    return max(0, available) * RATIO_SCALE // (price * ratio)


def whole_fen(amount: int) -> int:
    """`amount` rounded down to 0.01 yuan, never below nothing."""
    return max(0, amount) // FEN * FEN
