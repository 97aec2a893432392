"""How fast market time passes in a replay."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from streams.errors import UsageError

IDLE_MS = 60_000
"""A stretch of market time without events, such as the noon break or a night, passes as if it were this
long."""


@dataclass(slots=True)
class Pace:
    """Maps market time to the time to wait. ``speed`` 60 means an hour of market time in a minute; None: no
    waiting.

    At speed 1 only what is longer than a break is shortened (a night), so that it can stand in for a live
    day. Who is late does not wait until he has caught up.
    """

    speed: float | None
    clock: Callable[[], float] = time.monotonic
    idle_ms: int = IDLE_MS
    _market: int | None = field(default=None, init=False)
    _due: float = field(default=0.0, init=False)

    def wait(self, ts: int, *, same_day: bool) -> float:
        """Seconds to wait before what happened at market time ``ts`` (ms) may be published."""
        if self.speed is None:
            return 0.0
        now = self.clock()
        if self._market is None:
            self._market, self._due = ts, now
            return 0.0
        passed = max(ts - self._market, 0)
        if self.speed != 1 or not same_day:
            passed = min(passed, self.idle_ms)
        self._market = ts
        self._due += passed / 1000 / self.speed
        return max(self._due - now, 0.0)

    def restart(self) -> None:
        """Begin to count at the next call: what came before was not paced."""
        self._market = None


def parse_speed(text: str) -> float | None:
    """``max`` as None, ``60`` or ``60x`` as 60.0. UsageError for what is no positive number."""
    if text == "max":
        return None
    number = text.removesuffix("x")
    if number.replace(".", "", 1).isdigit() and float(number) > 0:
        return float(number)
    raise UsageError(f"{text!r} is no speed", advice="write 1, 60 or max")
