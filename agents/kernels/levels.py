"""Latched levels, and which accounts an evaluation must look at (contract section 3, rulebook 1.2).

`next_level` and `beyond_bounds` are written once and serve as kernels and, through `.py_func`, on Python
integers.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from agents.kernels.layout import (
    BLIND,
    FLAGS,
    LEVEL,
    LINE_IMMEDIATE,
    LINE_MIN,
    LINE_REACHED,
    LINE_REARM,
    LINE_WARN,
    LONG,
    MONEY_BOUND,
    NO_DEBT,
    OWED,
    OWN,
    SHORT,
    SHOWN,
    UNPRICED,
)


@njit(cache=True, inline="always")
def next_level(
    level: int, assets: int, debt: int, warn: int, minimum: int, immediate: int, rearm: int, reached: int
) -> int:
    """Down at once when ratio < line (`reached` 1: when ratio <= line), up only at ratio >= line + rearm,
    line by line. Lines in 1e-4, money in milli; an immediate line of 0 is none.
    """
    scaled = assets * 10_000
    fallen = scaled - reached
    raw = 0
    if immediate > 0 and fallen < debt * immediate:
        raw = 3
    elif fallen < debt * minimum:
        raw = 2
    elif fallen < debt * warn:
        raw = 1
    if raw > level:
        return raw
    while level > raw:
        line = immediate if level == 3 else (minimum if level == 2 else warn)
        if line <= 0:
            level -= 1
            continue
        if scaled < debt * (line + rearm):
            return level
        level -= 1
    return level


@njit(cache=True, inline="always")
def beyond_bounds(assets: int, debt: int) -> bool:
    """Whether an account has reached the bounds through prices; it is flagged, never judged."""
    return assets > MONEY_BOUND or assets < -MONEY_BOUND or debt > MONEY_BOUND


@njit(cache=True)
def judge(
    accounts: NDArray[np.int32],
    count: int,
    hot: NDArray[np.int64],
    lines: NDArray[np.int64],
    found: NDArray[np.int32],
) -> int:
    """Writes to `found` those of `accounts[:count]` whose level or shown state changes or that are watched.

    `lines` int64[presets, LINES_WIDTH]. Returns their number; changes nothing else.
    """
    n = 0
    for i in range(count):
        a = accounts[i]
        assets = hot[a, OWN] + hot[a, LONG]
        debt = hot[a, OWED] + hot[a, SHORT]
        flags = hot[a, FLAGS]
        level = hot[a, LEVEL]
        if hot[a, BLIND] != 0 or beyond_bounds(assets, debt):
            changed = hot[a, SHOWN] != UNPRICED
        elif debt <= 0:
            changed = level != 0 or hot[a, SHOWN] != NO_DEBT
        else:
            p = flags >> 1
            new = next_level(
                level,
                assets,
                debt,
                lines[p, LINE_WARN],
                lines[p, LINE_MIN],
                lines[p, LINE_IMMEDIATE],
                lines[p, LINE_REARM],
                lines[p, LINE_REACHED],
            )
            changed = new != level or hot[a, SHOWN] != new
        if changed or flags & 1:
            found[n] = a
            n += 1
    return n
