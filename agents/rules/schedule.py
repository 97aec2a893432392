"""The schedule of dated parameters: loads `schedule.yaml`, refuses what is out of order, has gaps or has
the wrong type.

A parameter is a list of entries, each in force from its day (day number) until the next one. Ratios are
integers in 1e-4, rates in 1e-6, exact from decimal text: a binary float in the file is an error.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

import yaml

from schemas.units import RATE_SCALE, RATIO_SCALE, format_day, parse_day

SCHEMA = 1
CONFIDENCE = frozenset({"V1", "V2", "V3", "D", "R", "P"})
INCLUSIVE = "inclusive"
_READINGS = frozenset({INCLUSIVE, "exclusive"})


class ScheduleError(ValueError):
    """The schedule's text is not usable: names the place and what is wrong with it."""


class NoRuleError(LookupError):
    """A parameter has ended and has no value on a day."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Legal order sizes in shares: at least `minimum`, in steps of `step`, at most `maximum` an order."""

    minimum: int
    step: int
    maximum: int


@dataclass(frozen=True, slots=True)
class CageWidth:
    """Width of the price cage: a ratio (1e-4) of the base, and at least `ticks` price steps."""

    width: int
    ticks: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a per-security limit in 1e-4: suspend at, resume at, remind at."""

    suspend: int
    resume: int
    remind: int


Value = int | str | Lot | CageWidth | Lines


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


def _scaled(text: Any, scale: int, where: str) -> int:
    if not isinstance(text, str):
        raise ScheduleError(f"{where}: a decimal must be written in quotes, got {text!r}")
    try:
        scaled = Decimal(text) * scale
    except InvalidOperation:
        raise ScheduleError(f"{where}: {text!r} is not a decimal") from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or scaled < 0:
        raise ScheduleError(f"{where}: {text!r} is negative or finer than 1/{scale}")
    return int(scaled)


def ratio_of(text: Any, where: str) -> int:
    """A decimal text as a ratio in 1e-4. Raises ScheduleError."""
    return _scaled(text, RATIO_SCALE, where)


def rate_of(text: Any, where: str) -> int:
    """A decimal text as a rate in 1e-6. Raises ScheduleError."""
    return _scaled(text, RATE_SCALE, where)


def _count(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ScheduleError(f"{where}: expected a whole number, got {value!r}")
    return value


def _fields(value: Any, names: tuple[str, ...], where: str) -> list[Any]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise ScheduleError(f"{where}: expected the fields {', '.join(names)}, got {value!r}")
    return [value[name] for name in names]


def _lot(value: Any, where: str) -> Lot:
    lot = Lot(*(_count(part, where) for part in _fields(value, ("minimum", "step", "max"), where)))
    if lot.step < 1 or lot.minimum < 1 or lot.maximum < lot.minimum or lot.maximum % lot.step:
        raise ScheduleError(
            f"{where}: step and minimum are at least 1, max is a multiple of step and at least minimum"
        )
    return lot


def _cage(value: Any, where: str) -> CageWidth:
    width, ticks = _fields(value, ("width", "ticks"), where)
    return CageWidth(ratio_of(width, where), _count(ticks, where))


def _lines(value: Any, where: str) -> Lines:
    suspend, resume, remind = (
        ratio_of(part, where) for part in _fields(value, ("suspend", "resume", "remind"), where)
    )
    if resume > suspend or remind > suspend:
        raise ScheduleError(f"{where}: resume and remind must not lie above suspend")
    return Lines(suspend, resume, remind)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ScheduleError(f"{where}: expected text, got {value!r}")
    return value


_TYPES: Mapping[str, Callable[[Any, str], Value]] = {
    "ratio": ratio_of,
    "rate": rate_of,
    "count": _count,
    "text": _text,
    "lot": _lot,
    "cage": _cage,
    "lines": _lines,
}


def _day(value: Any, where: str) -> int:
    if isinstance(value, date) or not isinstance(value, str):
        raise ScheduleError(f'{where}: a date must be written as "YYYY-MM-DD", in quotes, got {value!r}')
    try:
        return parse_day(value)
    except ValueError:
        raise ScheduleError(f"{where}: {value!r} is not a date") from None


def _entry(parameter: str, kind: str, raw: Any, where: str) -> Entry:
    if not isinstance(raw, dict):
        raise ScheduleError(f"{where}: an entry is a mapping, got {raw!r}")
    missing = {"from", "value", "conf", "source"} - set(raw)
    unknown = set(raw) - {"from", "to", "value", "conf", "source"}
    if missing or unknown:
        raise ScheduleError(f"{where}: missing {sorted(missing)}, unknown {sorted(unknown)}")
    conf = _text(raw["conf"], where)
    if not set(conf.split("/")) <= CONFIDENCE:
        raise ScheduleError(f"{where}: {conf!r} is not a confidence code")
    until = _day(raw["to"], where) if "to" in raw else None
    since = _day(raw["from"], where)
    if until is not None and until < since:
        raise ScheduleError(f"{where}: ends before it begins")
    return Entry(
        parameter, since, until, _TYPES[kind](raw["value"], where), conf, _text(raw["source"], where)
    )


def _parameter(name: str, raw: Any) -> tuple[Entry, ...]:
    where = f"parameters.{name}"
    if not isinstance(raw, dict) or not isinstance(raw.get("entries"), list) or not raw["entries"]:
        raise ScheduleError(f"{where}: needs a type and a list of entries")
    unknown = set(raw) - {"type", "entries", "choices", "gaps"}
    if unknown or raw.get("type") not in _TYPES:
        raise ScheduleError(
            f"{where}: type must be one of {sorted(_TYPES)}, unknown fields {sorted(unknown)}"
        )
    entries = tuple(_entry(name, raw["type"], item, f"{where}[{i}]") for i, item in enumerate(raw["entries"]))
    choices = raw.get("choices")
    for i, entry in enumerate(entries):
        if choices is not None and entry.value not in choices:
            raise ScheduleError(f"{where}[{i}]: {entry.value!r} is not one of {choices}")
    for i, (earlier, later) in enumerate(pairwise(entries), start=1):
        if later.since <= earlier.since:
            raise ScheduleError(
                f"{where}[{i}]: {format_day(later.since)} does not follow {format_day(earlier.since)}"
            )
        if earlier.until is not None and earlier.until >= later.since:
            raise ScheduleError(f"{where}[{i}]: begins before the entry above ends")
        if earlier.until is not None and earlier.until + 1 < later.since and not raw.get("gaps", False):
            raise ScheduleError(f"{where}[{i}]: gap after {format_day(earlier.until)}")
    return entries


class Schedule:
    """Dated parameters, looked up by name and day number."""

    def __init__(
        self,
        parameters: Mapping[str, tuple[Entry, ...]],
        boundary: Mapping[str, str],
        presets: Mapping[str, Any],
    ) -> None:
        self._entries = dict(parameters)
        self._days = {name: [entry.since for entry in entries] for name, entries in parameters.items()}
        self._boundary = dict(boundary)
        self.presets = dict(presets)

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read a schedule from YAML text. Raises ScheduleError with the place of the first fault."""
        try:
            raw = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ScheduleError(f"not YAML: {error}") from None
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
            raise ScheduleError(f"schema must be {SCHEMA}")
        unknown = set(raw) - {"schema", "parameters", "boundary", "presets"}
        if unknown or not isinstance(raw.get("parameters"), dict):
            raise ScheduleError(f"needs a mapping of parameters; unknown parts {sorted(unknown)}")
        boundary = raw.get("boundary", {})
        for name, reading in boundary.items():
            if reading not in _READINGS:
                raise ScheduleError(f"boundary.{name}: {reading!r} is not one of {sorted(_READINGS)}")
        parameters = {name: _parameter(name, part) for name, part in raw["parameters"].items()}
        return cls(parameters, boundary, raw.get("presets", {}))

    def with_boundary(self, **readings: str) -> "Schedule":
        """The same schedule with other readings of boundary words (`resume_at="exclusive"`)."""
        wrong = set(readings.values()) - _READINGS
        if wrong or set(readings) - set(self._boundary):
            raise ScheduleError(f"boundary: unknown name or reading in {readings}")
        return Schedule(self._entries, self._boundary | readings, self.presets)

    def find(self, parameter: str, day: int) -> Entry | None:
        """The entry in force on `day`, or None. Raises KeyError for a parameter that does not exist."""
        entries = self._entries[parameter]
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
        """An integer parameter (ratio, rate, count) on `day`, as `entry` finds it. Raises TypeError for
        another type.
        """
        value = self.entry(parameter, day).value
        if not isinstance(value, int):
            raise TypeError(f"{parameter} is not a number")
        return value

    def text(self, parameter: str, day: int) -> str:
        """A text parameter on `day`. Raises NoRuleError."""
        return str(self.entry(parameter, day).value)

    def inclusive(self, boundary: str) -> bool:
        """Whether a boundary counts as reached at equality. Raises KeyError."""
        return self._boundary[boundary] == INCLUSIVE


@cache
def built_in() -> Schedule:
    """The schedule shipped with the package, read once."""
    return Schedule.parse(
        resources.files("agents.rules").joinpath("schedule.yaml").read_text(encoding="utf-8")
    )
