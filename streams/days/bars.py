"""Bars (K线) turned into ticks, in one documented and deterministic way.

A bar says open, high, low and close of an interval, not their order. Four trades stand for it: the open,
the nearer extreme (the low first when the bar closes at or above its open, else the high), the other
extreme, the close; each carries a quarter of the bar's volume (in shares, the rest goes to the close; a
part of nothing is left out). The four lie in the four quarters of the interval, every security at its own
moment of the quarter, so that a market's bars do not all arrive at one instant. The day's first open is put
at 09:25:00, where the opening call ends, and its last close at 15:00:00.

With each trade comes a quote of the same ``ts``: last, open, high, low and volume of the day so far, the
previous close and the price limits, and one lot on either side one tick apart, because a bar says nothing
of the book. A bar whose four prices all equal the lower limit is taken as locked (rulebook 7.5): its quotes
have an empty bid side; at the upper limit an empty ask side. A bar without volume gives quotes only; a
security without any price that day gives one quote that says halted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from schemas.units import MINUTE_MS, day_start
from streams.days.ticks import ABSENT, Ints, Quotes, Trades

POINTS = 4
CONTINUOUS_BEGINS = (9 * 60 + 30) * MINUTE_MS
OPENING_CALL_ENDS = (9 * 60 + 25) * MINUTE_MS
CONTINUOUS_ENDS = 15 * 60 * MINUTE_MS
HALTED_AT = (9 * 60 + 15) * MINUTE_MS
_LOT = 100


@dataclass(frozen=True, slots=True)
class Bars:
    """n bars of one date, each security's in order of time.

    ``names`` pool, ``security`` int32[n]; ``start`` and ``end`` ms since Shanghai midnight; prices int64[n]
    in 0.001 yuan, all 0 where the security was suspended; ``volume`` shares. By security (len(names)):
    ``prev_close``, ``limit_up``, ``limit_down`` in 0.001 yuan, -1 where unknown, and ``tick``.
    """

    date: int
    names: list[str]
    security: NDArray[np.int32]
    start: Ints
    end: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    prev_close: Ints
    limit_up: Ints
    limit_down: Ints
    tick: Ints


def bars_to_ticks(bars: Bars) -> tuple[Trades, Quotes]:
    """The trades and quotes that stand for ``bars``, in order of time."""
    there = bars.close > 0
    rows = np.flatnonzero(there)
    path = _paths(bars, rows)
    ts = day_start(bars.date) + _moments(bars, rows)
    qty = _quarters(bars.volume[rows])
    order = np.argsort(ts.ravel(), kind="stable")
    security = np.repeat(bars.security[rows], POINTS)[order]
    traded = qty.ravel()[order] > 0
    trades = Trades(
        bars.names,
        security[traded],
        ts.ravel()[order][traded],
        path.ravel()[order][traded],
        qty.ravel()[order][traded],
    )
    return trades, _quotes(bars, rows, path, ts, qty, order)


def _paths(bars: Bars, rows: NDArray[np.int64]) -> Ints:
    rising = (bars.close[rows] >= bars.open[rows])[:, None]
    low, high = bars.low[rows, None], bars.high[rows, None]
    middle = np.where(rising, np.concatenate([low, high], axis=1), np.concatenate([high, low], axis=1))
    return np.concatenate([bars.open[rows, None], middle, bars.close[rows, None]], axis=1)


def _moments(bars: Bars, rows: NDArray[np.int64]) -> Ints:
    """int64[rows, 4] ms since midnight: one moment in each quarter of the bar, the securities spread evenly
    over the quarter."""
    length = bars.end[rows] - bars.start[rows]
    rank = np.argsort(np.argsort(np.array(bars.names))).astype(np.int64)
    share = rank[bars.security[rows]] * length // (POINTS * max(len(bars.names), 1))
    quarter = np.arange(POINTS, dtype=np.int64) * (length // POINTS)[:, None]
    moments = bars.start[rows, None] + quarter + share[:, None]
    first, last = _first_and_last(bars.security[rows])
    first = first[bars.start[rows][first] == CONTINUOUS_BEGINS]
    last = last[bars.end[rows][last] == CONTINUOUS_ENDS]
    moments[first, 0] = OPENING_CALL_ENDS
    moments[last, POINTS - 1] = CONTINUOUS_ENDS
    return np.asarray(moments, dtype=np.int64)


def _first_and_last(security: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    _, first = np.unique(security, return_index=True)
    _, from_end = np.unique(security[::-1], return_index=True)
    return first, len(security) - 1 - from_end


def _quarters(volume: Ints) -> Ints:
    part = volume // POINTS // _LOT * _LOT
    parts = np.repeat(part[:, None], POINTS, axis=1)
    parts[:, POINTS - 1] = volume - part * (POINTS - 1)
    return parts


def _quotes(
    bars: Bars, rows: NDArray[np.int64], path: Ints, ts: Ints, qty: Ints, order: NDArray[np.int64]
) -> Quotes:
    security = np.repeat(bars.security[rows], POINTS)
    by_security = np.argsort(security, kind="stable")
    opened, high, low, volume = (np.empty(path.size, np.int64) for _ in range(4))
    prices, quantities = path.ravel()[by_security], qty.ravel()[by_security]
    starts = np.flatnonzero(np.diff(security[by_security], prepend=-1))
    for start, stop in pairwise([*starts.tolist(), path.size]):
        own = by_security[start:stop]
        opened[own] = prices[start]
        high[own] = np.maximum.accumulate(prices[start:stop])
        low[own] = np.minimum.accumulate(prices[start:stop])
        volume[own] = np.cumsum(quantities[start:stop])
    last = path.ravel()
    locked_down = np.repeat(_locked(bars, rows, bars.limit_down), POINTS)
    locked_up = np.repeat(_locked(bars, rows, bars.limit_up), POINTS)
    bid, ask = _one_lot(last, bars.limit_down[security], bars.tick[security], locked_down, locked_up)
    suspended = np.setdiff1d(bars.security, bars.security[rows]).astype(np.int32)
    halted_ts = np.full(len(suspended), day_start(bars.date) + HALTED_AT, np.int64)

    def column(values: Ints) -> Ints:
        return np.concatenate([np.full(len(suspended), ABSENT, np.int64), values[order]])

    def level(values: Ints) -> tuple[Ints, Ints]:
        there = column(values)[:, None]
        return there, np.where(there > 0, _LOT, 0)

    everything = np.concatenate([suspended, security[order]])
    money = {
        "last": column(last), "prev_close": bars.prev_close[everything], "open": column(opened),
        "high": column(high), "low": column(low), "limit_up": bars.limit_up[everything],
        "limit_down": bars.limit_down[everything],
    }  # fmt: skip
    halted = np.arange(len(everything)) < len(suspended)
    all_ts = np.concatenate([halted_ts, ts.ravel()[order]])
    return Quotes(bars.names, everything, all_ts, money, column(volume), level(bid), level(ask), halted)


def _locked(bars: Bars, rows: NDArray[np.int64], limit: Ints) -> NDArray[np.bool_]:
    own = limit[bars.security[rows]]
    locked: NDArray[np.bool_] = (bars.low[rows] == own) & (bars.high[rows] == own)
    return locked


def _one_lot(
    last: Ints, down: Ints, tick: Ints, locked_down: NDArray[np.bool_], locked_up: NDArray[np.bool_]
) -> tuple[Ints, Ints]:
    """Best bid and ask one tick apart around ``last``, within the limits; 0 where the side is empty."""
    bid = np.maximum(last - tick, np.where(down > 0, down, 1))
    ask = bid + tick
    bid = np.where(locked_down, 0, np.where(locked_up, last, bid))
    return bid, np.where(locked_up, 0, np.where(locked_down, last, ask))
