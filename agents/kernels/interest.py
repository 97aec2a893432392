"""Interest by day count over all contracts at once (rulebook 9); the twin of `agents.rules.interest`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from agents.kernels.layout import OWED

_YEAR = 360 * 1_000_000


@njit(cache=True, inline="always")
def interest_of(principal_days: int, rate: int) -> int:
    """Principal-days (milli x days) times rate (1e-6 a year) / 360, half up, without leaving int64."""
    if principal_days <= 0:
        return 0
    whole = principal_days // _YEAR
    rest = principal_days - whole * _YEAR
    return whole * rate + (2 * rest * rate + _YEAR) // (2 * _YEAR)


@njit(cache=True)
def interests(principal_days: NDArray[np.int64], rate: NDArray[np.int64]) -> NDArray[np.int64]:
    """`interest_of` of each."""
    found = np.empty(len(rate), dtype=np.int64)
    for i in range(len(rate)):
        found[i] = interest_of(principal_days[i], rate[i])
    return found


@njit(cache=True)
def accrue(
    rows: int,
    day: int,
    account: NDArray[np.int32],
    alive: NDArray[np.int8],
    opened: NDArray[np.int32],
    base: NDArray[np.int64],
    closed_days: NDArray[np.int64],
    rate: NDArray[np.int64],
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
        days = max(1, day - opened[r])
        now = accrued[r] + interest_of(closed_days[r] + base[r] * days, rate[r]) - paid[r]
        change = now - owed[r]
        if change != 0:
            owed[r] = now
            interest[account[r]] += change
            hot[account[r], OWED] += change
