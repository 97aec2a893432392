"""Interest by day count over all contracts at once (rulebook 9); the twin of `agents.rules.interest`.

A contract's time is cut into segments of one rate each. What the segments before the running one brought is
kept exactly, as whole thousandths of a yuan and a remainder in 1 / 360,000,000 of one: only the sum of
everything is rounded, once.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from agents.kernels.layout import OWED

_YEAR = 360 * 1_000_000


@njit(cache=True, inline="always")
def days_running(opened: int, since: int, day: int) -> int:
    """Days of interest in the running segment, which began on `since`: at least one in a contract's first,
    negative where an opening's `accrued` covers days still to come.
    """
    return day - since if since > opened else max(1, day - opened)


@njit(cache=True, inline="always")
def interest_of(principal_days: int, rate: int, rest: int) -> int:
    """Principal-days (milli x days) times rate (1e-6 a year) / 360, and the remainder `rest` of what came
    before, half up, without leaving int64.
    """
    whole = principal_days // _YEAR
    part = principal_days - whole * _YEAR
    return whole * rate + (2 * (part * rate + rest) + _YEAR) // (2 * _YEAR)


@njit(cache=True)
def interests(principal_days: NDArray[np.int64], rate: NDArray[np.int64]) -> NDArray[np.int64]:
    """`interest_of` of each, in the first segment."""
    found = np.empty(len(rate), dtype=np.int64)
    for i in range(len(rate)):
        found[i] = interest_of(max(0, principal_days[i]), rate[i], 0)
    return found


@njit(cache=True)
def accrue(
    rows: int,
    day: int,
    account: NDArray[np.int32],
    alive: NDArray[np.int8],
    opened: NDArray[np.int32],
    since: NDArray[np.int32],
    base: NDArray[np.int64],
    closed_days: NDArray[np.int64],
    running: NDArray[np.int64],
    earned: NDArray[np.int64],
    remainder: NDArray[np.int64],
    accrued: NDArray[np.int64],
    paid: NDArray[np.int64],
    owed: NDArray[np.int64],
    interest: NDArray[np.int64],
    hot: NDArray[np.int64],
) -> None:
    """Brings `owed` of every living contract to `day`, and with it `interest` and OWED of its account."""
    for r in range(rows):
        if alive[r] == 0:
            continue
        principal_days = max(0, closed_days[r] + base[r] * days_running(opened[r], since[r], day))
        whole = accrued[r] + earned[r] - paid[r]
        now = whole + interest_of(principal_days, running[r], remainder[r])
        change = now - owed[r]
        if change != 0:
            owed[r] = now
            interest[account[r]] += change
            hot[account[r], OWED] += change


@njit(cache=True)
def change_rates(
    rows: NDArray[np.int32],
    rates: NDArray[np.int64],
    start: int,
    opened: NDArray[np.int32],
    since: NDArray[np.int32],
    base: NDArray[np.int64],
    closed_days: NDArray[np.int64],
    running: NDArray[np.int64],
    earned: NDArray[np.int64],
    remainder: NDArray[np.int64],
) -> None:
    """Begins a segment at `rates` for contract `rows` on day `start`, or later where the first day or what
    an opening covers is not over by then.
    """
    for i in range(len(rows)):
        r = rows[i]
        begin = max(start, opened[r] + 1, since[r])
        principal_days = closed_days[r] + base[r] * days_running(opened[r], since[r], begin)
        if principal_days > 0:
            whole = principal_days // _YEAR
            part = (principal_days - whole * _YEAR) * running[r] + remainder[r]
            earned[r] += whole * running[r] + part // _YEAR
            remainder[r] = part % _YEAR
            closed_days[r] = 0
        else:
            closed_days[r] = principal_days
        since[r] = begin
        running[r] = rates[i]
