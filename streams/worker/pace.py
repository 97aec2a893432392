"""The pace of live market data: small runs are collected for a moment before the sequencers get them.

Every hand-over makes one frame for each log: composed, appended, read back, evaluated. Handing over each
tick by itself would occupy a core with a few hundred ticks a second, and every tick would wait for the
others. What comes in bulk, and what belongs to a window of a replay, is handed over at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from streams.shardlog.positions import MARKET_TOPICS
from streams.worker.intake import Run, Taken

MOMENT_SECONDS = 0.010
BULK_ROWS = 2_000

Deliver = Callable[[Run, Taken], None]


class Pace:
    """Hands runs on in their order, live market data at most once a moment."""

    def __init__(self, deliver: Deliver, fail: Callable[[BaseException], None]) -> None:
        self._deliver = deliver
        self._fail = fail
        self._waiting: list[tuple[Run, Taken]] = []
        self._timer: asyncio.TimerHandle | None = None

    def put(self, run: Run, taken: Taken) -> None:
        """Hand on now, or within a moment."""
        self._waiting.append((run, taken))
        if not _is_live_market(run, taken):
            self._hand_over()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(MOMENT_SECONDS, self._in_time)

    def _in_time(self) -> None:
        try:
            self._hand_over()
        except Exception as error:  # noqa: BLE001 - the event loop would only write it down
            self._fail(error)

    def _hand_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for run, taken in waiting:
            self._deliver(run, taken)


def _is_live_market(run: Run, taken: Taken) -> bool:
    data = taken.input
    return run.source[0] in MARKET_TOPICS and len(data) < BULK_ROWS and not bool(data.windows.any())
