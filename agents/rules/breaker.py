"""The index circuit breaker (指数熔断), rulebook 16.2 and E19: only from 2016-01-04 to 2016-01-07.

Both directions of the CSI 300 against its previous close. The first level halts once a day for some minutes
of trading, late in the day to the close; the second halts to the close at any time. Times are minutes since
midnight in Shanghai, index levels integers of one scale.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.rules.schedule import Schedule, built_in
from agents.rules.values import Breaker, Window
from schemas.units import RATIO_SCALE


@dataclass(frozen=True, slots=True)
class MarketHalt:
    """No trading from `start` until `until` (minutes; `until` trades again, or the day is over)."""

    start: int
    until: int
    level: int


def breaker_of(day: int, schedule: Schedule | None = None) -> Breaker | None:
    """The circuit breaker in force on `day`."""
    found = (built_in() if schedule is None else schedule).find("index_breaker", day)
    return found.value if found is not None and isinstance(found.value, Breaker) else None


def market_halts(
    observations: Iterable[tuple[int, int]],
    prev_close: int,
    windows: Sequence[Window],
    day: int,
    schedule: Schedule | None = None,
) -> list[MarketHalt]:
    """The halts of a day by its index: (minute, level) in order; `windows` are the hours of continuous
    trading. Nothing is triggered while trading is halted.
    """
    rules = built_in() if schedule is None else schedule
    breaker = breaker_of(day, rules)
    halts: list[MarketHalt] = []
    if breaker is None:
        return halts
    inclusive = rules.inclusive("breaker_at")
    close = windows[-1].end
    for minute, level in observations:
        if halts and minute < halts[-1].until:
            continue
        move = abs(level - prev_close) * RATIO_SCALE
        second, first = breaker.second * prev_close, breaker.first * prev_close
        if move > second or (inclusive and move == second):
            halts.append(MarketHalt(minute, close, 2))
        elif not halts and (move > first or (inclusive and move == first)):
            late = minute >= breaker.to_close_from
            until = close if late else _later(minute, breaker.first_minutes, windows)
            halts.append(MarketHalt(minute, until, 1))
    return halts


def trades_in(halts: Iterable[MarketHalt], minute: int) -> bool:
    """Whether no halt covers a minute."""
    return not any(halt.start <= minute < halt.until for halt in halts)


def _later(minute: int, minutes: int, windows: Sequence[Window]) -> int:
    """The minute that lies `minutes` of trading after `minute`: the lunch break does not count."""
    left = minutes
    for window in windows:
        start = max(minute, window.start)
        if start + left < window.end:
            return start + left
        left -= max(0, window.end - start)
    return windows[-1].end
