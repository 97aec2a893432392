"""Price limits (涨跌幅限制) of all securities of a day, by the dated rules (rulebook 7.5)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.rules.limits import price_limits
from streams.days.ticks import ABSENT, Ints
from streams.importers.codes import board_of, kind_of


def limits_of_day(
    date: int, names: Sequence[str], prev_close: Ints, st: NDArray[np.bool_]
) -> tuple[Ints, Ints]:
    """(limit_up, limit_down) in 0.001 yuan, int64[n] like ``prev_close``; -1 where the previous close is
    unknown or the board has no limit on ``date``. ``st``: under risk warning.
    """
    up, down = (np.full(len(names), ABSENT, np.int64) for _ in range(2))
    for i in np.flatnonzero(prev_close > 0).tolist():
        name = names[i]
        limits = price_limits(board_of(name), kind_of(name), date, int(prev_close[i]), st=bool(st[i]))
        if limits is not None:
            up[i], down[i] = limits.up, limits.down
    return up, down
