"""Interest (利息) and lending fees by day count, rulebook 9: principal x annual rate / 360 x days, simple,
no compounding.

Principal-days are integer milli-days (0.001 yuan x days), rates integer 1e-6 a year. Where a contract's rate
changes, the parts of each rate are added exactly.

Rounding happens in two places only: the cumulative exact amount since the contract was opened is rounded
once, half up, to 0.001 yuan (`interest_milli`), and what is asked for at repayment to 0.01 yuan
(`payable_milli`). What was paid is subtracted after the rounding, so days never add up rounding errors. The
arrays' twin lives in the kernels.
"""

from schemas.units import RATE_SCALE

YEAR_DAYS = 360
_DENOMINATOR = YEAR_DAYS * RATE_SCALE
_FEN = 10


def days_in_use(opened: int, day: int) -> int:
    """Days of interest that `day` shows for a contract opened on `opened` (day numbers): the first day
    counts, the last does not (算头不算尾), opening and closing on the same day is one day.
    """
    return max(1, day - opened)


def interest_milli(principal_days: int, rate: int, remainder: int = 0) -> int:
    """Interest in milli for cumulative principal-days (milli x days) at `rate` (1e-6 a year), rounded half
    up. `remainder` is what earlier segments left over, in 1 / 360,000,000 milli.
    """
    return (2 * (principal_days * rate + remainder) + _DENOMINATOR) // (2 * _DENOMINATOR)


def payable_milli(owed: int) -> int:
    """What is asked for when `owed` milli are due: rounded half up to 0.01 yuan; a payment of it settles
    `owed` whole.
    """
    return (owed + _FEN // 2) // _FEN * _FEN
