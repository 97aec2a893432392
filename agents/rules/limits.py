"""Daily price limits (涨跌幅限制) by board and date, rulebook 7.5. Prices are integer milli.

Published limit prices are better than computed ones everywhere: these serve where none was published. Days
without limits are told by `free_of_limits`, for whoever knows how long a security has been listed.
"""

from dataclasses import dataclass

from agents.rules.lots import FUND_KINDS
from agents.rules.schedule import Schedule, built_in
from schemas.units import RATIO_SCALE

STOCK_TICK = 10
"""0.01 yuan."""
FUND_TICK = 1
"""0.001 yuan."""
TRUNCATE = "truncate"


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
    board: str,
    kind: str,
    day: int,
    prev_close: int,
    *,
    st: bool = False,
    delisting: bool = False,
    schedule: Schedule | None = None,
) -> PriceLimits | None:
    """Limits around the exchange's previous close, rounded half up to the price step; None where the board
    has no limit yet.

    Stocks in the delisting period (退市整理期) and risk-warning stocks (ST) have a limit of their own on some
    boards. Where `limit_rounding_bse` says so, the Beijing exchange's upper limit is cut to the price step:
    its rounding is open, and the one published price at hand (2.36 for 1.82 x 1.3 = 2.366) was cut.
    """
    if kind in {"bond", "treasury", "cash_product", "index"}:
        return None
    rules = built_in() if schedule is None else schedule
    share = _limit(board, day, rules, st=st, delisting=delisting)
    if share is None:
        return None
    step = tick(kind)
    up = prev_close * (RATIO_SCALE + share)
    cut = board == "bse" and rules.text("limit_rounding_bse", day) == TRUNCATE
    highest = up // (RATIO_SCALE * step) * step if cut else _half_up(up, step)
    return PriceLimits(down=_half_up(prev_close * (RATIO_SCALE - share), step), up=highest)


def limit_rule(board: str, day: int, rules: Schedule, *, st: bool, delisting: bool) -> str:
    """The parameter that gives the limits of a stock on `day`: its own state's where that has one, else its
    board's.
    """
    own = [f"limit_delisting_{board}"] * delisting + [f"limit_{board}_st"] * st
    known = (name for name in own if name in rules.parameters and rules.number_or_none(name, day) is not None)
    return next(known, f"limit_{board}")


def _limit(board: str, day: int, rules: Schedule, *, st: bool, delisting: bool) -> int | None:
    name = limit_rule(board, day, rules, st=st, delisting=delisting)
    return rules.number_or_none(name, day) if name in rules.parameters else None


def free_of_limits(
    board: str, session: int, day: int, *, delisting: bool = False, schedule: Schedule | None = None
) -> bool:
    """Whether a stock has no price limit on `day`, its `session`-th trading day (1 is the first) since it was
    listed, or since its delisting period began.
    """
    rules = built_in() if schedule is None else schedule
    name = "limit_delisting_free_sessions" if delisting else f"ipo_free_sessions_{board}"
    return session <= (rules.number_or_none(name, day) or 0)


def first_day_limits(
    board: str, issue_price: int, day: int, schedule: Schedule | None = None
) -> PriceLimits | None:
    """Limits of a new listing's first day around its issue price, milli; None where there are none."""
    rules = built_in() if schedule is None else schedule
    if f"ipo_first_day_up_{board}" not in rules.parameters:
        return None
    up = rules.number_or_none(f"ipo_first_day_up_{board}", day)
    down = rules.number_or_none(f"ipo_first_day_down_{board}", day)
    if up is None or down is None:
        return None
    return PriceLimits(
        down=_half_up(issue_price * (RATIO_SCALE - down), STOCK_TICK),
        up=_half_up(issue_price * (RATIO_SCALE + up), STOCK_TICK),
    )
