"""Identifiers already applied: an open-addressing table of 128-bit keys with a 64-bit digest of the
content.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

U8 = NDArray[np.uint64]

NEW = 0
SAME = 1
OTHER_CONTENT = 2


@njit(cache=True, inline="always")
def _slot(table: U8, low: np.uint64, high: np.uint64) -> np.uint64:
    """Where the key is, or the empty slot where it belongs. The table is never full; (0, 0) marks an empty
    slot.
    """
    mask = np.uint64(len(table) - 1)
    at = low & mask
    while (table[at, 0] != low or table[at, 1] != high) and (table[at, 0] != 0 or table[at, 1] != 0):
        at = (at + np.uint64(1)) & mask
    return at


@njit(cache=True)
def look_up(table: U8, keys: U8, digests: U8, found: NDArray[np.int8]) -> None:
    """For each row of `keys` uint64[n, 2]: is it in `table` uint64[2^k, 3], and with the same digest? Keeps
    what is known.
    """
    for i in range(len(keys)):
        at = _slot(table, keys[i, 0], keys[i, 1])
        if table[at, 0] != 0 or table[at, 1] != 0:
            found[i] = SAME if table[at, 2] == digests[i] else OTHER_CONTENT


@njit(cache=True)
def insert(table: U8, keys: U8, digests: U8) -> int:
    """Adds keys that are not there yet; returns how many were added. The caller keeps the table at most
    half full.
    """
    added = 0
    for i in range(len(keys)):
        at = _slot(table, keys[i, 0], keys[i, 1])
        if table[at, 0] == 0 and table[at, 1] == 0:
            table[at, 0] = keys[i, 0]
            table[at, 1] = keys[i, 1]
            table[at, 2] = digests[i]
            added += 1
    return added
