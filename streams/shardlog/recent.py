"""Work that several logs of one worker share: conflating and encoding the same market data once.

Shards at the same positions take the very same objects, so identity is the key. A few results are
remembered; a shard that is elsewhere just does the work itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


class Recent(Generic[Part, Result]):
    """Remembers what ``work`` made of the same objects a moment ago.

    Neither parts nor results may be changed.
    """

    def __init__(self, work: Callable[[Sequence[Part]], Result], size: int = 8) -> None:
        self._work = work
        self._known: deque[tuple[tuple[Part, ...], Result]] = deque(maxlen=size)

    def __call__(self, parts: Sequence[Part]) -> Result:
        """``work(parts)``, remembered."""
        for known, result in self._known:
            if len(known) == len(parts) and all(a is b for a, b in zip(known, parts, strict=True)):
                return result
        result = self._work(parts)
        self._known.append((tuple(parts), result))
        return result
