"""Identifiers of account events applied in the current and the previous trading day (contract section 1,
`id`).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.books.columns import Snapshot
from agents.kernels.seen import NEW, OTHER_CONTENT, SAME, insert, look_up

__all__ = ["NEW", "OTHER_CONTENT", "SAME", "Seen", "event_key"]

_FIRST_SLOTS = 1024


def event_key(account: str, event: str) -> bytes:
    """128 bits that stand for an account's event; account names hold no zero byte."""
    return blake2b(f"{account}\0{event}".encode(), digest_size=16).digest()


class Seen:
    """Two generations of (key, content digest): today's and those of the trading day before."""

    def __init__(self) -> None:
        self._today = _empty(_FIRST_SLOTS)
        self._before = _empty(_FIRST_SLOTS)
        self._count = 0

    def look_up(self, keys: list[bytes], digests: NDArray[np.uint64]) -> list[int]:
        """NEW, SAME or OTHER_CONTENT for each key."""
        found = np.zeros(len(keys), dtype=np.int8)
        if keys:
            packed = _pack(keys)
            look_up(self._before, packed, digests, found)
            look_up(self._today, packed, digests, found)
        return found.tolist()

    def add(self, keys: list[bytes], digests: NDArray[np.uint64]) -> None:
        """Remembers applied events."""
        if not keys:
            return
        needed = 2 * (self._count + len(keys))
        if needed > len(self._today):
            grown = _empty(1 << (2 * needed - 1).bit_length())
            taken = self._today[(self._today[:, 0] != 0) | (self._today[:, 1] != 0)]
            insert(grown, np.ascontiguousarray(taken[:, :2]), np.ascontiguousarray(taken[:, 2]))
            self._today = grown
        self._count += insert(self._today, _pack(keys), digests)

    def begin_day(self) -> None:
        """What was today's becomes the previous day's."""
        self._before, self._today, self._count = self._today, _empty(_FIRST_SLOTS), 0

    def snapshot(self) -> Snapshot:
        """Both tables."""
        return {"seen.today": self._today.copy(), "seen.before": self._before.copy()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Both tables again."""
        self._today = np.array(snapshot["seen.today"], dtype=np.uint64).reshape(-1, 3)
        self._before = np.array(snapshot["seen.before"], dtype=np.uint64).reshape(-1, 3)
        self._count = int(np.count_nonzero(self._today[:, 0] | self._today[:, 1]))


def _empty(slots: int) -> NDArray[np.uint64]:
    return np.zeros((slots, 3), dtype=np.uint64)


def _pack(keys: list[bytes]) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join(keys), dtype="<u8").reshape(-1, 2).astype(np.uint64)
