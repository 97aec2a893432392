"""Balances per security summed over the accounts of a shard (rulebook 5.2), in one pass over contracts and
positions.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from agents.kernels.margin import LENDING

FINANCING_BALANCE = 0
LENDING_QTY = 1
CREDIT_HOLDING_QTY = 2
ACCOUNTS = 3


@njit(cache=True)
def sum_by_security(
    accounts: int,
    first: NDArray[np.int32],
    following: NDArray[np.int32],
    kind: NDArray[np.int8],
    c_security: NDArray[np.int32],
    c_qty: NDArray[np.int64],
    c_base: NDArray[np.int64],
    start: NDArray[np.int64],
    count: NDArray[np.int32],
    p_security: NDArray[np.int32],
    p_qty: NDArray[np.int64],
    counted_for: NDArray[np.int32],
    out: NDArray[np.int64],
) -> None:
    """Adds to `out` int64[securities, 4]; ACCOUNTS counts accounts with an open contract in the security.

    `counted_for` int32[securities] starts as -1 and remembers the last account counted.
    """
    for a in range(accounts):
        for r in range(start[a], start[a] + count[a]):
            out[p_security[r], CREDIT_HOLDING_QTY] += p_qty[r]
        c = first[a]
        while c >= 0:
            s = c_security[c]
            if kind[c] == LENDING:
                out[s, LENDING_QTY] += c_qty[c]
            else:
                out[s, FINANCING_BALANCE] += c_base[c]
            if c_base[c] != 0 and counted_for[s] != a:
                counted_for[s] = a
                out[s, ACCOUNTS] += 1
            c = following[c]
