"""Latched levels and the life of a margin call (contract section 3, rulebook 1.3 and 7.2) for one account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from tests.oracle.presets import Preset
from tests.oracle.valuation import below, shortfall

NORMAL, WARN, BELOW_MIN, IMMEDIATE = range(4)
LEVEL_NAMES = ["normal", "warn", "below_min", "immediate"]


@dataclass(frozen=True)
class Step:
    account: str
    episode: str
    event: str
    shortfall: Decimal | None = None
    deadline: dict[str, str] = field(default_factory=dict)
    reason: str = "ratio"
    record: dict[str, Any] = field(default_factory=dict)
    """The rest of what is published, put in by whoever knows the books."""


@dataclass
class Episode:
    name: str
    steps: list[str] = field(default_factory=list)
    called_on: int | None = None
    immediate: bool = False
    expired: bool = False
    liquidating: bool = False

    def formal(self) -> bool:
        """A formal call or an immediate disposal: from here on `recovered` is no longer an end."""
        return self.called_on is not None or self.immediate

    def to_liquidate(self) -> bool:
        return self.immediate or self.expired

    def deadline(self, now: Moment, preset: Preset) -> dict[str, str]:
        """In trading days after the call; the date only once that trading day has begun."""
        if self.called_on is None or self.immediate:
            return {}
        cure, start = preset.cure_by, preset.liquidate_from
        told = {"deadline": f"T+{cure}" if cure else "T", "liquidate_from": f"T+{start}" if start else "T"}
        if self.called_on + cure < len(now.days):
            told["deadline_date"] = now.days[self.called_on + cure].isoformat()
        return told


@dataclass(frozen=True)
class Moment:
    """What an evaluation looks at; `phase` is None while no session record was ever seen."""

    day: date
    days: list[date]
    phase: str | None
    value: Decimal
    owed: Decimal
    unpriced: bool
    money_in: bool = False
    settled: bool = False

    @property
    def day_index(self) -> int:
        """Trading days are counted, never guessed."""
        return len(self.days) - 1


@dataclass
class CallLife:
    """`level` is the latched one; `shown` is what margin.ratios calls the account.

    An account `written_off` ended in a shortfall: it is not called again for the same hopeless debt.
    """

    account: str
    level: int = NORMAL
    shown: str = "no_debt"
    episode: Episode | None = None
    written_off: bool = False
    opened: dict[date, int] = field(default_factory=dict)

    def evaluate(self, now: Moment, preset: Preset) -> list[Step]:
        if now.unpriced:
            self.shown = "unpriced"
            return []
        if now.owed == 0:
            self.level, self.shown = NORMAL, "no_debt"
            if self.episode is None:
                return []
            return [self._end("closed" if self.episode.formal() else "recovered")]
        before = self.level
        self.level = latched(self.level, now.value, now.owed, preset)
        self.shown = LEVEL_NAMES[self.level]
        return [step for step in self._steps(before, now, preset) if step is not None]

    def _steps(self, before: int, now: Moment, preset: Preset) -> list[Step | None]:
        at_target = not below(now.value, now.owed, preset.target)
        episode = self.episode
        if episode is not None and episode.formal():
            if episode.to_liquidate():
                return [self._end("closed")] if at_target else self._liquidate(now, preset)
            if at_target and (now.settled or preset.cure_intraday):
                return [self._end("cured")]
        if now.settled:
            return self._settle(before, now, preset)
        return self._intraday(before, now, preset)

    def _intraday(self, before: int, now: Moment, preset: Preset) -> list[Step | None]:
        worse, episode = self.level > before, self.episode
        if worse and self.level == IMMEDIATE and preset.realtime:
            return [self._immediate(now), *self._liquidate(now, preset)]
        if episode is not None and episode.called_on is not None:
            still_short = now.money_in and below(now.value, now.owed, preset.target)
            return [self._say("partly_met", now, preset)] if still_short else []
        if worse and self.level >= BELOW_MIN and (before < BELOW_MIN or episode is None):
            return [self._say("below_min", now, preset)]
        if worse and episode is None:
            return [self._say("warned", now, preset)]
        if self.level == NORMAL and episode is not None:
            return [self._end("recovered")]
        return []

    def _settle(self, before: int, now: Moment, preset: Preset) -> list[Step | None]:
        episode = self.episode
        hopeless = self.written_off
        if preset.immediate is not None and below(now.value, now.owed, preset.immediate) and not hopeless:
            return [self._immediate(now), *self._liquidate(now, preset)]
        if episode is not None and episode.called_on is not None:
            if now.day_index >= episode.called_on + preset.cure_by:
                episode.expired = True
                return [self._say("expired", now, preset)]
            return []
        if below(now.value, now.owed, preset.min) and not hopeless:
            return [self._say("called", now, preset)]
        return self._intraday(before, now, preset)

    def _immediate(self, now: Moment) -> Step:
        step = self._say("immediate", now, None)
        assert self.episode is not None
        self.episode.immediate = True
        return step

    def _liquidate(self, now: Moment, preset: Preset) -> list[Step | None]:
        """In continuous trading: an `immediate` at once, an expired call from its day on.

        What a plan holds is the planner's business: that nothing is left to plan is told by `write_off`.
        """
        episode = self.episode
        assert episode is not None
        if now.phase not in (None, "continuous"):
            return []
        due = episode.immediate or now.day_index >= (episode.called_on or 0) + preset.liquidate_from
        if due and not episode.liquidating:
            episode.liquidating = True
            return [self._say("liquidating", now, None)]
        return []

    def write_off(self) -> Step:
        """Nothing sellable is left and debt remains."""
        assert self.episode is not None
        assert self.episode.to_liquidate()
        return self._end("shortfall")

    def _say(self, event: str, now: Moment, preset: Preset | None) -> Step:
        if self.episode is None:
            number = self.opened.get(now.day, 0) + 1
            self.opened[now.day] = number
            self.episode = Episode(f"{self.account}:{now.day.isoformat()}:{number}")
        self.episode.steps.append(event)
        missing = None if preset is None else shortfall(now.value, now.owed, preset.target)
        if event == "called":
            self.episode.called_on = now.day_index
        deadline = {} if preset is None else self.episode.deadline(now, preset)
        return Step(self.account, self.episode.name, event, missing, deadline)

    def _end(self, event: str) -> Step:
        assert self.episode is not None
        self.episode.steps.append(event)
        step = Step(self.account, self.episode.name, event)
        self.episode, self.written_off = None, event == "shortfall"
        return step


def latched(level: int, value: Decimal, owed: Decimal, preset: Preset) -> int:
    """Down as soon as ratio < line, up only at ratio >= line + rearm, line by line."""
    lines = preset.lines()
    raw = max((n for n, line in enumerate(lines, 1) if below(value, owed, line)), default=NORMAL)
    if raw > level:
        return raw
    while level > raw and (level > len(lines) or not below(value, owed, lines[level - 1] + preset.rearm)):
        level -= 1
    return level
