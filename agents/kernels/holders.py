"""Holders of securities: many new positions entered in the security-major layout at once."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

I4 = NDArray[np.int32]
I8 = NDArray[np.int64]


@njit(cache=True)
def enter(
    first_room: int,
    free: int,
    security: I4,
    account: I4,
    qty: I8,
    row: I8,
    start: I8,
    count: I4,
    room: I4,
    h_account: I4,
    h_qty: I8,
    h_short: I8,
    h_row: I8,
    place: I8,
) -> int:
    """Appends position i (`account`, `qty`, position row `row`) to the holders of `security[i]`, in order.

    A run that is full moves to `free` and after, with twice the room, at least `first_room`; `place` of the
    rows moved and entered follows. Returns the first free place left. The caller has made the room.
    """
    for i in range(len(security)):
        s = security[i]
        held = count[s]
        if held == room[s]:
            room[s] = max(first_room, 2 * room[s])
            old = start[s]
            for k in range(held):
                h_account[free + k] = h_account[old + k]
                h_qty[free + k] = h_qty[old + k]
                h_short[free + k] = h_short[old + k]
                h_row[free + k] = h_row[old + k]
                place[h_row[old + k]] = free + k
                h_row[old + k] = -1
            start[s] = free
            free += room[s]
        at = start[s] + held
        h_account[at] = account[i]
        h_qty[at] = qty[i]
        h_row[at] = row[i]
        place[row[i]] = at
        count[s] = held + 1
    return free
