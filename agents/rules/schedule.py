"""The schedule of dated parameters: what `schedule.yaml` says, looked up by name and day, refused where it is
out of order, has gaps or overlaps, or has the wrong type.

A parameter is a list of entries, each in force from its day (day number) until the next one. What a value may
be is in `agents.rules.values`. A broker's file is laid over the built-in one by `agents.rules.overlay`.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

import yaml

from agents.rules.values import (
    READERS,
    CageWidth,
    Lines,
    Lot,
    ScheduleError,
    Value,
    day_of,
    rate_of,
    ratio_of,
    text_of,
)
from schemas.units import format_day

__all__ = [
    "CageWidth",
    "Entry",
    "Lines",
    "Lot",
    "NoRuleError",
    "Parameter",
    "Schedule",
    "ScheduleError",
    "Value",
    "built_in",
    "rate_of",
    "ratio_of",
    "read_parts",
]

SCHEMA = 1
CONFIDENCE = frozenset({"V1", "V2", "V3", "D", "R", "P"})
INCLUSIVE = "inclusive"
READINGS = frozenset({INCLUSIVE, "exclusive"})
_SECTION = re.compile(r"[0-9]+(\.[0-9]+)?")


class NoRuleError(LookupError):
    """A parameter has no value on a day: it has ended, or the contract decides."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One dated value. `since` and `until` (last day, or None) are day numbers."""

    parameter: str
    since: int
    until: int | None
    value: Value
    conf: str
    source: str

    @property
    def rule(self) -> str:
        """Name and date of the rule, as alerts cite it: `limit_stock@2006-08-21`."""
        return f"{self.parameter}@{format_day(self.since)}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: type, what its values may be (None: anything of the type), whether null is a value and
    whether days without an entry may lie between two, the entries in order, and the rulebook's section its
    first source names (empty: none). `stated`: it is said here and by `liangrong rules`, and no core acts on
    it.
    """

    name: str
    kind: str
    choices: tuple[Value, ...] | None
    optional: bool
    gaps: bool
    entries: tuple[Entry, ...]
    section: str = ""
    stated: bool = False


def _value(kind: str, raw: Any, optional: bool, where: str) -> Value:
    if raw is None:
        if optional:
            return None
        raise ScheduleError(f"{where}: a value is needed, got null")
    return READERS[kind](raw, where)


def _entry(parameter: str, kind: str, optional: bool, raw: Any, where: str) -> Entry:
    if not isinstance(raw, dict):
        raise ScheduleError(f"{where}: an entry is a mapping, got {raw!r}")
    missing = {"from", "value", "conf", "source"} - set(raw)
    unknown = set(raw) - {"from", "to", "value", "conf", "source"}
    if missing or unknown:
        raise ScheduleError(f"{where}: missing {sorted(missing)}, unknown {sorted(unknown)}")
    conf = text_of(raw["conf"], where)
    if not set(conf.split("/")) <= CONFIDENCE:
        raise ScheduleError(f"{where}: {conf!r} is not a confidence code")
    until = day_of(raw["to"], where) if "to" in raw else None
    since = day_of(raw["from"], where)
    if until is not None and until < since:
        raise ScheduleError(f"{where}: ends before it begins")
    value = _value(kind, raw["value"], optional, where)
    return Entry(parameter, since, until, value, conf, text_of(raw["source"], where))


def read_parameter(name: str, raw: Any, known: Parameter | None = None) -> Parameter:
    """A parameter from YAML; one that is `known` already keeps its type and choices. Raises ScheduleError."""
    where = f"parameters.{name}"
    if not isinstance(raw, dict) or not isinstance(raw.get("entries"), list) or not raw["entries"]:
        raise ScheduleError(f"{where}: needs a type and a list of entries")
    unknown = set(raw) - {"type", "entries", "choices", "gaps", "optional", "stated"}
    kind = str(raw.get("type", known.kind if known else ""))
    if unknown or kind not in READERS:
        raise ScheduleError(
            f"{where}: type must be one of {sorted(READERS)}, unknown fields {sorted(unknown)}"
        )
    frame_fields = {"choices", "optional", "gaps", "stated"}
    if known is not None and (kind != known.kind or set(raw) & frame_fields):
        raise ScheduleError(f"{where}: its type is {known.kind}; a file can only give it entries")
    choices = raw.get("choices")
    frame = known or Parameter(
        name,
        kind,
        None if choices is None else tuple(choices),
        bool(raw.get("optional")),
        bool(raw.get("gaps")),
        (),
        stated=bool(raw.get("stated")),
    )
    entries = tuple(
        _entry(name, kind, frame.optional, item, f"{where}[{i}]") for i, item in enumerate(raw["entries"])
    )
    match = _SECTION.match(entries[0].source)
    section = frame.section or (match.group() if match else "")
    parameter = replace(frame, entries=entries, section=section)
    _check_order(parameter, where)
    return parameter


def _check_order(parameter: Parameter, where: str) -> None:
    for i, entry in enumerate(parameter.entries):
        if parameter.choices is not None and entry.value not in parameter.choices:
            raise ScheduleError(f"{where}[{i}]: {entry.value!r} is not one of {list(parameter.choices)}")
    for i, (earlier, later) in enumerate(pairwise(parameter.entries), start=1):
        if later.since <= earlier.since:
            raise ScheduleError(
                f"{where}[{i}]: {format_day(later.since)} does not follow {format_day(earlier.since)}"
            )
        if earlier.until is not None and earlier.until >= later.since:
            raise ScheduleError(f"{where}[{i}]: begins before the entry above ends")
        if earlier.until is not None and earlier.until + 1 < later.since and not parameter.gaps:
            raise ScheduleError(f"{where}[{i}]: gap after {format_day(earlier.until)}")


def read_parts(text: str) -> dict[str, Any]:
    """The parts of a file: parameters, boundary, presets, sections, each a mapping. Raises ScheduleError."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScheduleError(f"not YAML: {error}") from None
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        raise ScheduleError(f"schema must be {SCHEMA}")
    names = ("parameters", "boundary", "presets", "sections")
    unknown = set(raw) - {"schema", *names}
    parts = {name: raw.get(name, {}) for name in names}
    wrong = [name for name, part in parts.items() if not isinstance(part, dict)]
    if unknown or wrong:
        raise ScheduleError(f"{', '.join(wrong)} must be mappings; unknown parts {sorted(unknown)}")
    for name, reading in parts["boundary"].items():
        if reading not in READINGS:
            raise ScheduleError(f"boundary.{name}: {reading!r} is not one of {sorted(READINGS)}")
    return parts


class Schedule:
    """Dated parameters, looked up by name and day number."""

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        boundary: Mapping[str, str],
        presets: Mapping[str, Any],
        sections: Mapping[str, str] | None = None,
    ) -> None:
        self.parameters = dict(parameters)
        self._days = {name: [entry.since for entry in part.entries] for name, part in parameters.items()}
        self.boundary = dict(boundary)
        self.presets = dict(presets)
        self.sections = dict(sections or {})

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read a schedule from YAML text. Raises ScheduleError with the place of the first fault."""
        parts = read_parts(text)
        parameters = {name: read_parameter(name, part) for name, part in parts["parameters"].items()}
        return cls(parameters, parts["boundary"], parts["presets"], parts["sections"])

    def with_boundary(self, **readings: str) -> "Schedule":
        """The same schedule with other readings of boundary words (`resume_at="exclusive"`)."""
        wrong = set(readings.values()) - READINGS
        if wrong or set(readings) - set(self.boundary):
            raise ScheduleError(f"boundary: unknown name or reading in {readings}")
        return Schedule(self.parameters, self.boundary | readings, self.presets, self.sections)

    def find(self, parameter: str, day: int) -> Entry | None:
        """The entry in force on `day`, or None. Raises KeyError for a parameter that does not exist."""
        entries = self.parameters[parameter].entries
        index = bisect_right(self._days[parameter], day) - 1
        if index < 0:
            return None
        entry = entries[index]
        return entry if entry.until is None or day <= entry.until else None

    def entry(self, parameter: str, day: int) -> Entry:
        """The entry in force on `day`; before the first one's day, the first: a record dated before the
        business began must not stop a core. Raises NoRuleError when the parameter has ended.
        """
        found = self.find(parameter, max(day, self._days[parameter][0]))
        if found is None:
            raise NoRuleError(f"no {parameter} is in force on {format_day(day)}")
        return found

    def number(self, parameter: str, day: int) -> int:
        """An integer parameter (ratio, rate, money, count, time) on `day`, as `entry` finds it. Raises
        NoRuleError where the value is null, TypeError for another type.
        """
        value = self.entry(parameter, day).value
        if value is None:
            raise NoRuleError(f"{parameter} has no value on {format_day(day)}: the contract decides")
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{parameter} is not a number")
        return value

    def number_or_none(self, parameter: str, day: int) -> int | None:
        """An integer parameter on `day`; None before it begins, after it ended and where its value is null.
        Raises TypeError for another type.
        """
        found = self.find(parameter, day)
        if found is None or found.value is None:
            return None
        if isinstance(found.value, bool) or not isinstance(found.value, int):
            raise TypeError(f"{parameter} is not a number")
        return found.value

    def flag(self, parameter: str, day: int) -> bool:
        """A yes-or-no parameter on `day`; no before it begins and after it ended. Raises TypeError for
        another type.
        """
        found = self.find(parameter, day)
        if found is None:
            return False
        if not isinstance(found.value, bool):
            raise TypeError(f"{parameter} is not a flag")
        return found.value

    def text(self, parameter: str, day: int) -> str:
        """A text parameter on `day`, as `entry` finds it. Raises NoRuleError."""
        return str(self.entry(parameter, day).value)

    def inclusive(self, boundary: str) -> bool:
        """Whether a boundary counts as reached at equality. Raises KeyError."""
        return self.boundary[boundary] == INCLUSIVE


@cache
def built_in() -> Schedule:
    """The schedule shipped with the package, read once."""
    return Schedule.parse(
        resources.files("agents.rules").joinpath("schedule.yaml").read_text(encoding="utf-8")
    )
