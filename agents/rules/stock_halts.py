"""Halts of one stock within the day (盘中临时停牌), rulebook 16.1: for stocks without a price limit, when the
price has moved far from the day's opening price. Prices are milli, times minutes since midnight in Shanghai.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.rules.schedule import Schedule, built_in
from agents.rules.values import StockHalt
from schemas.units import RATIO_SCALE


@dataclass(frozen=True, slots=True)
class Pause:
    """No trading from `start` until `until`; `up` is the direction of the move, `step` how many of the lines
    it has passed.
    """

    start: int
    until: int
    up: bool
    step: int


def stock_halt_of(board: str, day: int, schedule: Schedule | None = None) -> StockHalt | None:
    """The lines of a board on `day`; None where it has none."""
    found = (built_in() if schedule is None else schedule).find(f"stock_halt_{board}", day)
    return found.value if found is not None and isinstance(found.value, StockHalt) else None


def pauses(
    trades: Iterable[tuple[int, int]], opening: int, board: str, day: int, schedule: Schedule | None = None
) -> list[Pause]:
    """The halts of a day by its trades, (minute, price) in order.

    Each line halts once in each direction; a jump through several lines at once is one halt, and none of
    the lines passed halts again. A halt that would last beyond the latest minute ends there; from then on
    there is none.
    """
    rules = built_in() if schedule is None else schedule
    rule = stock_halt_of(board, day, rules)
    found: list[Pause] = []
    if rule is None or opening <= 0:
        return found
    inclusive = rules.inclusive("stock_halt_at")
    passed = {True: 0, False: 0}
    for minute, price in trades:
        if minute >= rule.until or (found and minute < found[-1].until):
            continue
        up = price > opening
        step = _lines_passed(rule, abs(price - opening), opening, inclusive=inclusive)
        if step > passed[up]:
            passed[up] = step
            found.append(Pause(minute, min(minute + rule.minutes, rule.until), up, step))
    return found


def _lines_passed(rule: StockHalt, move: int, opening: int, *, inclusive: bool) -> int:
    moved = move * RATIO_SCALE
    return sum(moved > line * opening or (inclusive and moved == line * opening) for line in rule.moves)
