"""Daily price limits (涨跌幅限制) by board and date, rulebook 7.5. Prices are integer milli.

Published limit prices are better than computed ones everywhere: these serve where none was published. Days
without limits (new listings, the first day of the delisting period) are not known here.
"""

from dataclasses import dataclass

from agents.rules.lots import FUND_KINDS
from agents.rules.schedule import Schedule, built_in
from schemas.units import RATIO_SCALE

STOCK_TICK = 10
"""0.01 yuan."""
FUND_TICK = 1
"""0.001 yuan."""


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """Lowest and highest legal price of the day, milli."""

    down: int
    up: int


def tick(kind: str) -> int:
    """The price step of a kind of security, milli."""
    return FUND_TICK if kind in FUND_KINDS or kind in {"bond", "treasury"} else STOCK_TICK


def _half_up(product: int, step: int) -> int:
    return (2 * product + step * RATIO_SCALE) // (2 * step * RATIO_SCALE) * step


def price_limits(
    board: str, kind: str, day: int, prev_close: int, *, st: bool = False, schedule: Schedule | None = None
) -> PriceLimits | None:
    """Limits around the exchange's previous close, rounded half up to the price step; None where the board
    has no limit yet.

    Risk-warning stocks (ST) have a limit of their own on the main board only. The Beijing exchange's upper
    limit is cut to the price step: its rounding is open, and the one published price at hand (2.36 for 1.82
    x 1.3 = 2.366) was cut.
    """
    if kind in {"bond", "treasury", "cash_product", "index"}:
        return None
    rules = built_in() if schedule is None else schedule
    name = "limit_main_st" if st and board == "main" else f"limit_{board}"
    entry = rules.find(name, day)
    if entry is None or not isinstance(entry.value, int):
        return None
    step = tick(kind)
    up = prev_close * (RATIO_SCALE + entry.value)
    highest = up // (RATIO_SCALE * step) * step if board == "bse" else _half_up(up, step)
    return PriceLimits(down=_half_up(prev_close * (RATIO_SCALE - entry.value), step), up=highest)
