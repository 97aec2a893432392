"""Per-security limits with hysteresis (rulebook 5.1): when financing or lending in a security is suspended
and resumed.

An indicator is an exact quotient (numerator, denominator). The state computed on day T governs the next
trading day. Whether equality counts at a line is a flag of the schedule (`boundary`), because the rules'
wording leaves it open.
"""

from dataclasses import dataclass

from agents.rules.schedule import Lines, Schedule, built_in
from schemas.units import RATIO_SCALE

HALT = "halt"
RESUME = "resume"
REMIND = "remind"


@dataclass(frozen=True, slots=True)
class LimitRule:
    """The lines (1e-4) in force on a day, how their boundaries are read, and the rule's name and date."""

    lines: Lines
    suspend_inclusive: bool
    resume_inclusive: bool
    remind_inclusive: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Step:
    """State after a day's indicator: whether suspended, what is signalled (None: nothing) and the line that
    decided.
    """

    suspended: bool
    signal: str | None
    line: int | None


def limit_rule(kind: str, day: int, schedule: Schedule | None = None) -> LimitRule | None:
    """The limit of a kind of security on `day`; None for kinds and days without one."""
    if kind not in {"stock", "etf"}:
        return None
    rules = built_in() if schedule is None else schedule
    entry = rules.find(f"limit_{kind}", day)
    if entry is None or not isinstance(entry.value, Lines):
        return None
    return LimitRule(
        entry.value,
        rules.inclusive("suspend_at"),
        rules.inclusive("resume_at"),
        rules.inclusive("remind_at"),
        entry.rule,
    )


def _at_or_above(numerator: int, denominator: int, line: int, *, inclusive: bool) -> bool:
    left, right = numerator * RATIO_SCALE, denominator * line
    return left > right or (inclusive and left == right)


def advance(rule: LimitRule, suspended: bool, numerator: int, denominator: int) -> Step:
    """One day's step of the state machine OPEN -> SUSPENDED -> OPEN for the indicator numerator/denominator
    (> 0).
    """
    lines = rule.lines
    if suspended:
        if _at_or_above(numerator, denominator, lines.resume, inclusive=not rule.resume_inclusive):
            return Step(suspended=True, signal=None, line=None)
        return Step(suspended=False, signal=RESUME, line=lines.resume)
    if _at_or_above(numerator, denominator, lines.suspend, inclusive=rule.suspend_inclusive):
        return Step(suspended=True, signal=HALT, line=lines.suspend)
    if _at_or_above(numerator, denominator, lines.remind, inclusive=rule.remind_inclusive):
        return Step(suspended=False, signal=REMIND, line=lines.remind)
    return Step(suspended=False, signal=None, line=None)


def uses_smaller_figure(day: int, schedule: Schedule | None = None) -> bool:
    """Whether the financing indicator is min(balance, value held in credit accounts) / float value on
    `day`, or the balance's.
    """
    rules = built_in() if schedule is None else schedule
    entry = rules.find("financing_indicator", day)
    return entry is not None and entry.value == "smaller"
