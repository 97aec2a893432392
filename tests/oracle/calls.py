"""Latched levels and the life of a call (contract section 3, rulebook 1.3, 7.1 and 7.2) for one account.

Two demands run beside each other in one episode, each with its clock: the ratio's, and that of what must be
paid or returned whatever the ratio (matured contracts, a court's order, a credit line that ended).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any

from tests.oracle.obligations import NOTHING, Obligations
from tests.oracle.presets import Preset
from tests.oracle.valuation import below, shortfall

NORMAL, WARN, BELOW_MIN, IMMEDIATE = range(4)
LEVEL_NAMES = ["normal", "warn", "below_min", "immediate"]
NOTICE, CALLED, EXPIRED, AT_ONCE, LIQUIDATING = range(5)
NO_NEW_SLICE = time(14, 57)
"""Rulebook 7.5: unless the account is below its immediate line."""
LIQUIDATED_AFTER_MATURITY = 1
"""Rulebook 7.1: from the session after maturity."""


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
    """`called_on` and `pursued` are the ratio's side, `obliged`, `obliged_on`, `obliged_to` the other's."""

    name: str
    state: int = NOTICE
    reason: str = "ratio"
    called_on: int | None = None
    pursued: str | None = None
    """None, "expired" or "at once"."""
    obliged: str | None = None
    obliged_on: int = 0
    obliged_to: date = date.min
    """What matured up to here has been told."""
    terms: tuple[int, int] = (0, 0)
    """Trading days from the call to its deadline and to liquidation, as they were when it was called."""
    extra: int = 0
    at_once: bool = False
    held: bool = False
    acknowledged: bool = False
    command: dict[str, str] | None = None
    """Of an operator, to be named by the next record."""

    def is_called(self) -> bool:
        """A formal call on the ratio whose deadline has not passed."""
        return self.called_on is not None and self.pursued is None

    def deadline(self, now: Moment) -> dict[str, str]:
        """In trading days after the call; the date only once that trading day has begun."""
        if self.at_once:
            return {"deadline": "T", "deadline_date": now.day.isoformat(), "liquidate_from": "T"}
        since, cure, start = self.obliged_on, 0, LIQUIDATED_AFTER_MATURITY
        if self.reason == "ratio":
            if self.called_on is None:
                return {}
            since, (cure, start) = self.called_on, self.terms
        cure, start = cure + self.extra, start + self.extra
        told = {"deadline": f"T+{cure}" if cure else "T", "liquidate_from": f"T+{start}" if start else "T"}
        if 0 <= since + cure < len(now.days):
            told["deadline_date"] = now.days[since + cure].isoformat()
        return told


@dataclass(frozen=True)
class Moment:
    """What an evaluation looks at; `phase` is None while no session record was ever seen.

    Contracts are looked at for maturity at `settled`, and when a day begins (`opens`).
    """

    day: date
    days: list[date]
    phase: str | None
    time: time | None
    value: Decimal
    owed: Decimal
    unpriced: bool
    money_in: bool = False
    settled: bool = False
    own: bool = True
    opens: bool = False
    due: Obligations = NOTHING

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
    steps: list[Step] = field(default_factory=list)

    def evaluate(self, now: Moment, preset: Preset) -> list[Step]:
        """Brings level and calls up to the books; the steps that follow."""
        self.steps = []
        if now.opens:
            if self.shown != "unpriced":
                self._obligations(now, preset)
            return self.steps
        if now.unpriced:
            self.shown = "unpriced"
            return []
        before = self.level
        self.level = NORMAL if now.owed == 0 else latched(self.level, now.value, now.owed, preset)
        self.shown = "no_debt" if now.owed == 0 else LEVEL_NAMES[self.level]
        if now.owed == 0:
            if self.episode is not None:
                self._end("recovered" if self.episode.state == NOTICE else "closed", now)
            return self.steps
        self._ratio(before, now, preset)
        self._obligations(now, preset)
        self._liquidate(now, preset)
        return self.steps

    # -- the ratio

    def _ratio(self, before: int, now: Moment, preset: Preset) -> None:
        at_target = not below(now.value, now.owed, preset.target)
        episode = self.episode
        if episode is not None and episode.pursued:
            if at_target:
                self._ratio_met("closed", now, preset)
        elif (
            episode is not None
            and episode.is_called()
            and at_target
            and (now.settled or preset.cure_intraday)
        ):
            self._ratio_met("cured", now, preset)
        elif now.settled:
            self._settle(before, now, preset)
        else:
            self._intraday(before, now, preset)

    def _ratio_met(self, event: str, now: Moment, preset: Preset) -> None:
        """The end, unless something else must be paid or returned."""
        episode = self.episode
        assert episode is not None
        if not episode.obliged or not now.due:
            self._end(event, now)
            return
        self._notice("partly_met", now, preset)
        episode.called_on = episode.pursued = None
        episode.reason = episode.obliged
        episode.at_once = episode.obliged == "freeze"
        if episode.state == AT_ONCE and not episode.at_once:
            episode.state = EXPIRED

    def _intraday(self, before: int, now: Moment, preset: Preset) -> None:
        worse, episode = self.level > before, self.episode
        if self.level == IMMEDIATE and preset.realtime and (worse or self._again(now, preset)):
            self._immediate(now, preset)
        elif episode is not None and episode.is_called():
            if now.money_in and below(now.value, now.owed, preset.target):
                self._notice("partly_met", now, preset)
        elif worse and self.level >= BELOW_MIN and (before < BELOW_MIN or episode is None):
            self._notice("below_min", now, preset)
        elif worse and episode is None:
            self._notice("warned", now, preset)
        elif not worse and self.level == NORMAL and episode is not None and not episode.obliged:
            self._end("recovered", now)

    def _again(self, now: Moment, preset: Preset) -> bool:
        """Below the line already when an event or a command about the account makes it count."""
        line = preset.immediate
        return now.own and not self.written_off and line is not None and below(now.value, now.owed, line)

    def _settle(self, before: int, now: Moment, preset: Preset) -> None:
        """The formal evaluation: on the exact ratio, not on the latched level."""
        episode, hopeless = self.episode, self.written_off
        if preset.immediate is not None and below(now.value, now.owed, preset.immediate) and not hopeless:
            self._immediate(now, preset)
        elif episode is not None and episode.is_called():
            self._expire_when_due(episode, now, preset)
        elif below(now.value, now.owed, preset.min) and not hopeless:
            episode = self._open(now)
            episode.called_on, episode.reason = now.day_index, "ratio"
            episode.terms = preset.cure_by, preset.liquidate_from
            self._say("called", now, preset)
            episode.state = max(episode.state, CALLED)
            self._expire_when_due(episode, now, preset)
        else:
            self._intraday(before, now, preset)

    def _expire_when_due(self, episode: Episode, now: Moment, preset: Preset) -> None:
        if now.day_index >= (episode.called_on or 0) + episode.terms[0] + episode.extra:
            episode.reason = "ratio"
            self._say("expired", now, preset)
            episode.pursued, episode.state = "expired", max(episode.state, EXPIRED)

    def _immediate(self, now: Moment, preset: Preset) -> None:
        episode = self._open(now)
        episode.at_once, episode.reason = True, "ratio"
        self._say("immediate", now, preset)
        episode.pursued, episode.state = "at once", AT_ONCE

    def _notice(self, event: str, now: Moment, preset: Preset) -> None:
        """A record of the ratio's side, whatever else is demanded."""
        episode = self._open(now)
        before, episode.reason = episode.reason, "ratio"
        self._say(event, now, preset)
        episode.reason = before

    # -- what must be paid or returned

    def _obligations(self, now: Moment, preset: Preset) -> None:
        obliged = None if self.episode is None else self.episode.obliged
        if not now.due:
            if obliged:
                self._met(now, preset)
        elif self.written_off:
            return
        elif now.due.reason == "freeze":
            if obliged != "freeze":
                self._frozen(now, preset)
        elif now.settled or now.opens:
            self._matured(now, preset)
        elif obliged == "freeze":
            self._lifted(now)
        elif obliged and now.money_in and not self.steps and self._state() == CALLED:
            self._say("partly_met", now, preset)

    def _frozen(self, now: Moment, preset: Preset) -> None:
        """A court's order: the whole debt is due at once."""
        episode = self._open(now)
        episode.obliged = episode.reason = "freeze"
        episode.obliged_on, episode.at_once = now.day_index, True
        self._say("immediate", now, preset)
        episode.state = AT_ONCE

    def _lifted(self, now: Moment) -> None:
        """The order is lifted, but something has matured as well."""
        episode = self.episode
        assert episode is not None
        episode.obliged, episode.obliged_on = now.due.reason, now.day_index
        episode.at_once = episode.pursued == "at once"

    def _matured(self, now: Moment, preset: Preset) -> None:
        """Told once for every date on which something falls due; the deadline was that day."""
        episode = self._open(now)
        fresh = episode.obliged is None
        if episode.obliged == "freeze":
            self._lifted(now)
        if fresh:
            episode.obliged = now.due.reason
            episode.obliged_on = now.day_index if now.settled else now.day_index - 1
        assert episode.obliged is not None
        if now.due.latest > episode.obliged_to:
            episode.obliged_to = now.due.until
            if not (now.settled and episode.called_on == now.day_index):
                episode.reason = episode.obliged
                self._say("called", now, preset)
        if not fresh and episode.state != CALLED:
            return
        episode.state = max(episode.state, CALLED)
        if now.day_index >= episode.obliged_on + episode.extra:
            episode.reason = episode.obliged
            self._say("expired", now, preset)
            episode.state = max(episode.state, EXPIRED)

    def _met(self, now: Moment, preset: Preset) -> None:
        """Nothing has to be paid or returned any more: the end, unless the ratio is still too low."""
        episode = self.episode
        assert episode is not None
        assert episode.obliged is not None
        episode.reason = episode.obliged
        if episode.called_on is None and episode.pursued is None:
            self._end("cured" if episode.state == CALLED else "closed", now)
            return
        if not self.steps:
            self._say("partly_met", now, preset)
        episode.reason, episode.obliged, episode.obliged_to = "ratio", None, date.min
        episode.at_once = episode.pursued == "at once"
        if episode.pursued is None:
            episode.state = CALLED
        elif episode.state == LIQUIDATING and not self._ratio_is_pursued(episode, now):
            episode.state = EXPIRED

    def _state(self) -> int:
        return NOTICE if self.episode is None else self.episode.state

    # -- liquidation

    def _ratio_is_pursued(self, episode: Episode, now: Moment) -> bool:
        if episode.pursued != "expired":
            return episode.pursued == "at once"
        return now.day_index >= (episode.called_on or 0) + episode.terms[1] + episode.extra

    def may_plan(self, now: Moment) -> bool:
        """In continuous trading, once the day of liquidation has come for one of the two demands."""
        episode = self.episode
        if episode is None or episode.state < EXPIRED or now.phase not in (None, "continuous"):
            return False
        if episode.held:
            return False
        if now.time is not None and now.time >= NO_NEW_SLICE and not episode.at_once:
            return False
        if episode.obliged and now.due:
            first = episode.obliged_on + LIQUIDATED_AFTER_MATURITY + episode.extra
            if episode.state in (AT_ONCE, LIQUIDATING) or now.day_index >= first:
                return True
        return self._ratio_is_pursued(episode, now)

    def _liquidate(self, now: Moment, preset: Preset) -> None:
        """The first plan; what it holds, and plans after it, are the planner's business."""
        if self.episode is not None and self.episode.state < LIQUIDATING and self.may_plan(now):
            self._say("liquidating", now, preset)

    def planned(self) -> None:
        assert self.episode is not None
        self.episode.state = LIQUIDATING

    def write_off(self) -> None:
        """Nothing sellable is left and debt remains."""
        self.episode, self.written_off = None, True

    # -- records

    def _open(self, now: Moment) -> Episode:
        if self.episode is None:
            number = self.opened.get(now.day, 0) + 1
            self.opened[now.day] = number
            self.episode = Episode(f"{self.account}:{now.day.isoformat()}:{number}")
        return self.episode

    def _say(self, event: str, now: Moment, preset: Preset) -> None:
        episode = self.episode
        assert episode is not None
        missing = shortfall(now.value, now.owed, preset.target)
        told = episode.deadline(now)
        step = Step(self.account, episode.name, event, missing, told, episode.reason)
        if episode.obliged and now.due:
            step.record["obligations"] = now.due.shown()
        self._name_command(step)
        self.steps.append(step)

    def _name_command(self, step: Step) -> None:
        assert self.episode is not None
        if self.episode.command is not None and step.event != "liquidating":
            step.record["command"], self.episode.command = self.episode.command, None

    def _end(self, event: str, now: Moment) -> None:
        assert self.episode is not None
        told = self.episode.deadline(now)
        step = Step(self.account, self.episode.name, event, None, told, self.episode.reason)
        self._name_command(step)
        self.steps.append(step)
        self.episode, self.written_off = None, False


def latched(level: int, value: Decimal, owed: Decimal, preset: Preset) -> int:
    """Down as soon as ratio < line, up only at ratio >= line + rearm, line by line."""
    lines = preset.lines()
    raw = max((n for n, line in enumerate(lines, 1) if below(value, owed, line)), default=NORMAL)
    if raw > level:
        return raw
    while level > raw and (level > len(lines) or not below(value, owed, lines[level - 1] + preset.rearm)):
        level -= 1
    return level
