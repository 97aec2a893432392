"""Available margin (保证金可用余额, rulebook 2) of many accounts at once; the twin of
`agents.rules.available_margin`.

A sum of products in 1e-7 yuan may leave int64, so whole thousandths of a yuan and the rest are summed
apart: exact, and rounded down once. Shares that a financing contract bought count with it as far as they
are still held and unpaid; what else is held is collateral. Shares that a corporate action makes a short owe
count with the first lending contract in that security, as if they were borrowed under it already.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from agents.kernels.layout import HAIRCUT, MARK, VALUE

I4 = NDArray[np.int32]
I8 = NDArray[np.int64]

LENDING = 1


@njit(cache=True)
def available_margins(
    accounts: I4,
    cash: I8,
    interest: I8,
    fees: I8,
    first: I4,
    following: I4,
    kind: NDArray[np.int8],
    c_security: I4,
    c_qty: I8,
    c_base: I8,
    c_margin: I8,
    start: I8,
    count: I4,
    p_security: I4,
    p_qty: I8,
    p_compensation: I8,
    table: I8,
    out: I8,
) -> None:
    """Writes the available margin of `accounts`, rounded down to 0.001 yuan, to `out` int64[n].

    `first` and `following` chain an account's contract rows (-1 ends); `start`, `count` delimit its
    position rows; `c_base` is F (financing) or S0 (lending), `c_qty` the shares still unpaid or unreturned;
    `fees` are what else is owed in cash.
    """
    for i in range(len(accounts)):
        a = accounts[i]
        whole = cash[a] - interest[a] - fees[a]
        rest = 0
        low, high = start[a], start[a] + count[a]
        free = p_qty[low:high].copy()
        extra = p_compensation[low:high].copy()
        c = first[a]
        while c >= 0:
            s = c_security[c]
            haircut = table[s, HAIRCUT]
            if kind[c] == LENDING:
                lent = c_qty[c]
                for r in range(low, high):
                    if p_security[r] == s:
                        lent += extra[r - low]
                        extra[r - low] = 0
                worth = lent * max(table[s, MARK], 0)
                gain = c_base[c] - worth
                whole -= c_base[c]
                occupied = worth * c_margin[c]
            else:
                shares = 0
                for r in range(low, high):
                    if p_security[r] == s:
                        shares = min(c_qty[c], free[r - low])
                        free[r - low] -= shares
                gain = shares * max(table[s, VALUE], 0) - c_base[c]
                occupied = c_base[c] * c_margin[c]
            counted = gain * (haircut if gain >= 0 else 10_000)
            whole += counted // 10_000 - occupied // 10_000
            rest += counted % 10_000 - occupied % 10_000
            c = following[c]
        for r in range(low, high):
            s = p_security[r]
            whole -= extra[r - low] * max(table[s, MARK], 0)
            counted = free[r - low] * max(table[s, VALUE], 0) * table[s, HAIRCUT]
            whole += counted // 10_000
            rest += counted % 10_000
        out[i] = whole + rest // 10_000
