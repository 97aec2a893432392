"""Behaviour of orders (rulebook 12): high-frequency trading (高频交易), the four abnormal behaviours of
program trading (程序化交易), and the line of spoofing (虚假申报). Pure counts in, verdicts out; whoever
watches orders keeps the counts.

Counts are whole numbers, shares of a whole are compared by cross-multiplication, money is in milli. Before a
parameter's first day there is no verdict. Whether a line counts as reached at equality are the boundaries
`hft_at`, `behaviour_at` and `spoof_at`.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.rules.schedule import Schedule, built_in
from schemas.units import RATIO_SCALE

SECOND_MS = 1_000

CALM, ALERT, BREACH = "calm", "alert", "breach"


def _reaches(count: int, line: int | None, *, inclusive: bool) -> bool:
    return line is not None and (count > line or (inclusive and count == line))


def _share_reaches(part: int, whole: int, line: int | None, *, inclusive: bool) -> bool:
    """Whether part / whole (whole > 0) reaches `line` (1e-4)."""
    if line is None or whole <= 0:
        return False
    return _reaches(part * RATIO_SCALE, whole * line, inclusive=inclusive)


def busiest_second(times: Sequence[int]) -> int:
    """The most messages within any one second, [t, t + 1 s); `times` are ms in ascending order."""
    return max((bisect_left(times, time + SECOND_MS) - i for i, time in enumerate(times)), default=0)


def fast_cancels(orders: Sequence[tuple[int, int]]) -> int:
    """How many orders were cancelled within a second of their entry; (entered, cancelled) in ms."""
    return sum(0 <= cancelled - entered <= SECOND_MS for entered, cancelled in orders)


def is_high_frequency(peak: int, total: int, day: int, schedule: Schedule | None = None) -> bool:
    """Whether orders and cancels of an account make it high-frequency on `day`: `peak` in its busiest second,
    or `total` in the day.
    """
    rules = built_in() if schedule is None else schedule
    inclusive = rules.inclusive("hft_at")
    return _reaches(peak, rules.number_or_none("hft_per_second", day), inclusive=inclusive) or _reaches(
        total, rules.number_or_none("hft_per_day", day), inclusive=inclusive
    )


def order_rate(peak: int, day: int, schedule: Schedule | None = None) -> str:
    """Abnormal instantaneous order rate (瞬时申报速率异常): calm, alert or breach by the busiest second."""
    rules = built_in() if schedule is None else schedule
    inclusive = rules.inclusive("behaviour_at")
    for verdict, name in ((BREACH, "behaviour_rate_breach"), (ALERT, "behaviour_rate_alert")):
        if _reaches(peak, rules.number_or_none(name, day), inclusive=inclusive):
            return verdict
    return CALM


def cancels_often(fast: int, cancelled: int, orders: int, day: int, schedule: Schedule | None = None) -> bool:
    """Frequent instantaneous cancels (频繁瞬时撤单): `fast` cancels within a second of their order, and the
    day's `cancelled` of `orders`, both at their line.
    """
    rules = built_in() if schedule is None else schedule
    inclusive = rules.inclusive("behaviour_at")
    return _reaches(
        fast, rules.number_or_none("behaviour_fast_cancels", day), inclusive=inclusive
    ) and _share_reaches(
        cancelled, orders, rules.number_or_none("behaviour_cancel_ratio", day), inclusive=inclusive
    )


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of one security or index: price before and after (milli), what the investor traded in the
    direction of the move and what everybody traded, shares or milli alike.
    """

    before: int
    after: int
    own: int
    market: int


def pushes(minutes: Sequence[Minute], day: int, schedule: Schedule | None = None) -> bool:
    """Frequent pushing up or pressing down (频繁拉抬打压): often enough a minute moved the price while the
    investor's share of its volume was large.
    """
    rules = built_in() if schedule is None else schedule
    inclusive = rules.inclusive("behaviour_at")
    move = rules.number_or_none("behaviour_push_move", day)
    share = rules.number_or_none("behaviour_push_share", day)
    counted = sum(
        _share_reaches(abs(minute.after - minute.before), minute.before, move, inclusive=inclusive)
        and _share_reaches(minute.own, minute.market, share, inclusive=inclusive)
        for minute in minutes
    )
    return _reaches(counted, rules.number_or_none("behaviour_push_times", day), inclusive=inclusive)


def large_in_short_time(index: Minute, day: int, schedule: Schedule | None = None) -> bool:
    """Large trades in a short time (短时间大额成交): within a minute of an index's move, the investor's
    aggressive amount and its share of the market's turnover (milli) both at their line.
    """
    rules = built_in() if schedule is None else schedule
    inclusive = rules.inclusive("behaviour_at")
    move = rules.number_or_none("behaviour_large_index_move", day)
    amount = rules.number_or_none("behaviour_large_amount", day)
    share = rules.number_or_none("behaviour_large_share", day)
    return (
        _share_reaches(abs(index.after - index.before), index.before, move, inclusive=inclusive)
        and _reaches(index.own, amount, inclusive=inclusive)
        and _share_reaches(index.own, index.market, share, inclusive=inclusive)
    )


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How much of an order was cancelled: `minute` of its entry, side, price (milli), shares."""

    minute: int
    side: str
    price: int
    qty: int
    cancelled: int


def cancels_by_window(
    orders: Iterable[Cancelled], band: int
) -> dict[tuple[int, str, int], tuple[int, int, int]]:
    """Ordered shares, cancelled shares and cancelled value (milli) by minute, side and price band of `band`
    milli: the measure that orders elsewhere in the day do not dilute.
    """
    found: dict[tuple[int, str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for order in orders:
        sums = found[order.minute, order.side, order.price // band]
        sums[0] += order.qty
        sums[1] += order.cancelled
        sums[2] += order.cancelled * order.price
    return {window: (sums[0], sums[1], sums[2]) for window, sums in sorted(found.items())}


@dataclass(frozen=True, slots=True)
class Spoofing:
    """An account's cancels in one security on one day beside the line of the criminal law. `reported`: the
    value is at the line and the share is not: `cancels_by_window` is to be looked at, because orders that
    were never meant to be cancelled lower the share.
    """

    flagged: bool
    reported: bool


def spoofing(
    ordered: int, cancelled: int, cancelled_value: int, day: int, schedule: Schedule | None = None
) -> Spoofing:
    """`ordered` and `cancelled` shares, `cancelled_value` in milli."""
    rules = built_in() if schedule is None else schedule
    inclusive = rules.inclusive("spoof_at")
    share = _share_reaches(
        cancelled, ordered, rules.number_or_none("spoof_cancel_share", day), inclusive=inclusive
    )
    value = _reaches(cancelled_value, rules.number_or_none("spoof_cancel_value", day), inclusive=inclusive)
    return Spoofing(flagged=share and value, reported=value and not share)
