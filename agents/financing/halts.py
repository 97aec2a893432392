"""When financing or lending in a security is halted, resumed or reminded of: figures with hysteresis, and
notices that win.

A state computed from figures of day T governs the trading day after T. That day's date is not known at T's
end, because trading days are learnt from `pre_open` and no calendar is guessed; a signal therefore says
`effective` = the calendar day after T, and is in force from the first trading day on or after it. An
exchange's notice names its own day, stands against every computed state from that day on, and is lifted
only by another notice (contract section 2).
"""

from bisect import bisect_right, insort
from dataclasses import asdict, dataclass, field
from typing import Any

from agents.financing.figures import Quotient
from agents.rules.halt_lines import HALT, REMIND, RESUME, LimitRule, advance
from schemas.units import format_day, format_line, format_ratio

FINANCING = "financing"
LENDING = "lending"

COMPUTED = "computed"
PUBLISHED = "published"
NOTICE = "notice"

NO_FIGURE = "none"
"""Indicator and line of a signal that stems from a notice."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal. `effective`: in force from the first trading day on or after this day number."""

    security: str
    business: str
    signal: str
    day: int
    effective: int
    indicator: str
    line: str
    basis: str
    rule: str
    figures: dict[str, Any]

    @property
    def id(self) -> str:
        """Made of what caused it: the figures of a day, or a notice and its effective day."""
        cause = f"notice:{format_day(self.effective)}" if self.basis == NOTICE else format_day(self.day)
        return f"{self.security}:{self.business}:{self.signal}:{cause}"

    def record(self, ts: int) -> dict[str, Any]:
        """The value of `security.signals`."""
        return {
            "id": self.id,
            "security": self.security,
            "ts": ts,
            "date": format_day(self.day),
            "effective": format_day(self.effective),
            "business": self.business,
            "signal": self.signal,
            "indicator": self.indicator,
            "line": self.line,
            "basis": self.basis,
            "figures": self.figures,
            "rule": self.rule,
        }


@dataclass(slots=True)
class _State:
    """State of one business in one security: after the last figures, before them, their day; notices by
    effective day.
    """

    suspended: bool = False
    before: bool = False
    day: int = -1
    notices: list[tuple[int, str]] = field(default_factory=list)

    def governed(self, day: int) -> bool:
        """Whether a notice is in force on `day`."""
        return bool(self.notices) and self.notices[0][0] <= day


class Halts:
    """The state machines OPEN -> SUSPENDED -> OPEN of every security and business."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], _State] = {}

    def _state(self, security: str, business: str) -> _State:
        return self._states.setdefault((security, business), _State())

    def evaluate(
        self,
        security: str,
        business: str,
        day: int,
        indicator: Quotient,
        rule: LimitRule,
        basis: str,
        figures: dict[str, Any],
        today: int,
    ) -> Signal | None:
        """Advance by the figures of `day`, known on `today`; the signal that follows, if any.

        Figures of an earlier day than the last are ignored. Figures of the same day again replace that
        day's step, and signal only when the state comes out otherwise.
        """
        state = self._state(security, business)
        if day < state.day:
            return None
        again = day == state.day
        if not again:
            state.before, state.day = state.suspended, day
        step = advance(rule, state.before, *indicator)
        changed, state.suspended = step.suspended != state.suspended, step.suspended
        signal = step.signal
        if again:
            signal = (HALT if step.suspended else RESUME) if changed else None
        if signal is None or state.governed(max(day + 1, today)):
            return None
        lines = {HALT: rule.lines.suspend, RESUME: rule.lines.resume, REMIND: rule.lines.remind}
        shown = format_ratio(*indicator) or NO_FIGURE
        line = format_line(lines[signal])
        return Signal(security, business, signal, day, day + 1, shown, line, basis, rule.rule, figures)

    def notice(self, security: str, business: str, effective: int, action: str, day: int) -> list[Signal]:
        """Take an exchange's notice on `day`; its signal, none when it was known already or a later one has
        taken its place by then. Another action for the same effective day replaces the earlier one.

        Notices ahead of it are signalled once more.
        """
        state = self._state(security, business)
        if (effective, action) in state.notices:
            return []
        state.notices = [known for known in state.notices if known[0] != effective]
        insort(state.notices, (effective, action))
        if any(effective < known <= day for known, _ in state.notices):
            return []
        own = _of_notice(security, business, effective, action, day)
        return [own, *self.ahead(security, business, effective, day)]

    def ahead(self, security: str, business: str, effective: int, day: int) -> list[Signal]:
        """The notices known on `day` for days after `effective`. Repeated behind a signal that holds until
        then, they leave a shard that meets both on the later day with the one in force.
        """
        notices = self._state(security, business).notices
        return [_of_notice(security, business, *known, day) for known in notices if known[0] > effective]

    def halted(self, security: str, business: str, day: int) -> bool:
        """Whether the business is halted on trading day `day`: by the notice in force, else by figures of
        earlier days.
        """
        state = self._states.get((security, business))
        if state is None:
            return False
        if state.governed(day):
            return state.notices[bisect_right(state.notices, (day, "~")) - 1][1] == HALT
        return state.suspended if state.day < day else state.before

    def dump(self) -> list[list[Any]]:
        """All states as plain values in a fixed order."""
        return [[*key, *asdict(state).values()] for key, state in sorted(self._states.items())]

    def load(self, rows: list[list[Any]]) -> None:
        """Become what `dump` described."""
        self._states = {
            (security, business): _State(
                suspended, before, day, [(effective, action) for effective, action in notices]
            )
            for security, business, suspended, before, day, notices in rows
        }


def _of_notice(security: str, business: str, effective: int, action: str, day: int) -> Signal:
    figures = {"action": action, "effective": format_day(effective)}
    rule = f"exchange notice@{format_day(effective)}"
    return Signal(security, business, action, day, effective, NO_FIGURE, NO_FIGURE, NOTICE, rule, figures)
