"""The trading day as session records tell it (contract section 2, `market.session`).

Trading days are the distinct dates of `pre_open` (or of whatever phase came first, but not of a mere clock);
deadlines count them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from agents.books.columns import Snapshot

CONTINUOUS = "continuous"
PRE_OPEN = "pre_open"
_MARKETS = ("SH", "SZ", "BJ")


class Calendar:
    """Trading days begun, the day last settled, phase and halt of each market, and market time (ms)."""

    def __init__(self) -> None:
        self.days: list[int] = []
        self.settled = -1
        self.phases: dict[str, str] = {}
        self.halted: set[str] = set()
        self.market_ts = -1

    @property
    def index(self) -> int:
        """The current trading day, counted from 0; -1 before the first."""
        return len(self.days) - 1

    def begins(self, date: int) -> bool:
        """Whether `date` is a trading day not begun yet."""
        return not self.days or date > self.days[-1]

    def begin(self, date: int) -> None:
        """A new trading day."""
        self.days.append(date)
        self.phases = dict.fromkeys(_MARKETS, PRE_OPEN)
        self.halted.clear()

    def enter(self, market: str, phase: str) -> None:
        """A market, or ALL, is in a phase."""
        for name in _MARKETS if market == "ALL" else (market,):
            self.phases[name] = phase

    def halt(self, market: str, *, halted: bool) -> None:
        """A market, or ALL, is halted or resumes."""
        for name in _MARKETS if market == "ALL" else (market,):
            (self.halted.add if halted else self.halted.discard)(name)

    def trading(self) -> bool:
        """Whether forced orders may be sent: continuous trading somewhere, or no phase was ever told."""
        return not self.phases or CONTINUOUS in self.phases.values()

    def stopped(self, security: str) -> bool:
        """Whether the market of a security does not trade now."""
        market = security[-2:]
        return market in self.halted or self.phases.get(market, CONTINUOUS) != CONTINUOUS

    def date_of(self, index: int) -> int:
        """Date of a trading day counted from 0, -1 while it has not begun."""
        return self.days[index] if 0 <= index < len(self.days) else -1

    def snapshot(self) -> Snapshot:
        """Everything."""
        return {
            "calendar.days": np.asarray(self.days, dtype=np.int32),
            "calendar.now": orjson.dumps(
                [self.settled, self.market_ts, sorted(self.phases.items()), sorted(self.halted)]
            ),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        self.days = np.asarray(snapshot["calendar.days"]).tolist()
        self.settled, self.market_ts, phases, halted = orjson.loads(bytes(snapshot["calendar.now"]))
        self.phases, self.halted = dict(phases), set(halted)
