"""What a dated parameter may be: numbers in their units, words, and small records of several numbers.

Every type has one reader from YAML, which refuses what contradicts itself and names the place. Ratios are
integers in 1e-4, rates in 1e-6, money in 0.001 yuan, times minutes since midnight in Shanghai. Decimals are
written in quotes: a binary float in the file is an error.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from schemas.units import MILLI, RATE_SCALE, RATIO_SCALE, parse_day

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class ScheduleError(ValueError):
    """The schedule's text is not usable: names the place and what is wrong with it."""


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


@dataclass(frozen=True, slots=True)
class ConcentrationGate:
    """The gate on financing buys of one concentrated stock (rulebook 5.3): all four lines reached together.

    Lines in 1e-4; `pe_from` is a whole static P/E; `negative` whether a negative one counts as high.
    """

    security_ratio: int
    client_share: int
    mmr: int
    pe_from: int
    negative: bool


@dataclass(frozen=True, slots=True)
class Tier:
    """Up to a maintenance ratio `mmr` (1e-4; at it only if `including`) one security may be `share` (1e-4) of
    the account's assets.
    """

    mmr: int
    including: bool
    share: int


@dataclass(frozen=True, slots=True)
class MarginAddOn:
    """A broker's initial margin, never below the exchange's (rulebook 3.3); ratios in 1e-4.

    `fixed`: `base`. `less_haircut`: max(`least`, base - haircut). `over_minimum`: the exchange's minimum
    + (1 - haircut) + base.
    """

    formula: str
    base: int
    least: int


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the trading day: minutes since midnight in Shanghai, `end` not inside."""

    start: int
    end: int

    def __contains__(self, minute: object) -> bool:
        """Whether a minute lies inside."""
        return isinstance(minute, int) and self.start <= minute < self.end


@dataclass(frozen=True, slots=True)
class Breaker:
    """Index circuit breaker (指数熔断): lines (1e-4) of both levels, minutes of the first halt, and the
    minute of the day from which the first level halts to the close.
    """

    first: int
    first_minutes: int
    to_close_from: int
    second: int


@dataclass(frozen=True, slots=True)
class StockHalt:
    """Halts of one stock (盘中临时停牌) on moves (1e-4) from the day's open: minutes each, over at the latest
    at `until` (minute of the day).
    """

    moves: tuple[int, ...]
    minutes: int
    until: int


Value = (
    int
    | str
    | bool
    | None
    | tuple[str, ...]
    | tuple[Tier, ...]
    | tuple[Window, ...]
    | Lot
    | CageWidth
    | Lines
    | ConcentrationGate
    | MarginAddOn
    | Window
    | Breaker
    | StockHalt
)


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


def _money(text: Any, where: str) -> int:
    return _scaled(text, MILLI, where)


def count_of(value: Any, where: str) -> int:
    """A whole number from 0 up. Raises ScheduleError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ScheduleError(f"{where}: expected a whole number, got {value!r}")
    return value


def flag_of(value: Any, where: str) -> bool:
    """Yes or no. Raises ScheduleError."""
    if not isinstance(value, bool):
        raise ScheduleError(f"{where}: expected true or false, got {value!r}")
    return value


def text_of(value: Any, where: str) -> str:
    """A text. Raises ScheduleError."""
    if not isinstance(value, str):
        raise ScheduleError(f"{where}: expected text, got {value!r}")
    return value


def day_of(value: Any, where: str) -> int:
    """A date text as a day number. Raises ScheduleError."""
    if isinstance(value, date) or not isinstance(value, str):
        raise ScheduleError(f'{where}: a date must be written as "YYYY-MM-DD", in quotes, got {value!r}')
    try:
        return parse_day(value)
    except ValueError:
        raise ScheduleError(f"{where}: {value!r} is not a date") from None


def _texts(value: Any, where: str) -> tuple[str, ...]:
    return tuple(text_of(item, where) for item in _items(value, where))


def _items(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ScheduleError(f"{where}: expected a list, got {value!r}")
    return value


def _fields(value: Any, names: tuple[str, ...], where: str) -> list[Any]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise ScheduleError(f"{where}: expected the fields {', '.join(names)}, got {value!r}")
    return [value[name] for name in names]


def _lot(value: Any, where: str) -> Lot:
    lot = Lot(*(count_of(part, where) for part in _fields(value, ("minimum", "step", "max"), where)))
    if lot.step < 1 or lot.minimum < 1 or lot.maximum < lot.minimum or lot.maximum % lot.step:
        raise ScheduleError(
            f"{where}: step and minimum are at least 1, max is a multiple of step and at least minimum"
        )
    return lot


def _cage(value: Any, where: str) -> CageWidth:
    width, ticks = _fields(value, ("width", "ticks"), where)
    return CageWidth(ratio_of(width, where), count_of(ticks, where))


def _lines(value: Any, where: str) -> Lines:
    suspend, resume, remind = (
        ratio_of(part, where) for part in _fields(value, ("suspend", "resume", "remind"), where)
    )
    if resume > suspend or remind > suspend:
        raise ScheduleError(f"{where}: resume and remind must not lie above suspend")
    return Lines(suspend, resume, remind)


def _gate(value: Any, where: str) -> ConcentrationGate:
    names = ("security_ratio", "client_share", "mmr_at_or_below", "pe_at_or_above", "or_negative")
    ratio, share, mmr, pe_from, negative = _fields(value, names, where)
    return ConcentrationGate(
        ratio_of(ratio, where),
        ratio_of(share, where),
        ratio_of(mmr, where),
        count_of(pe_from, where),
        flag_of(negative, where),
    )


def _tier(value: Any, where: str) -> Tier:
    including = isinstance(value, dict) and "mmr_up_to" in value
    mmr, share = _fields(value, ("mmr_up_to" if including else "mmr_below", "share"), where)
    return Tier(ratio_of(mmr, where), including, ratio_of(share, where))


def _tiers(value: Any, where: str) -> tuple[Tier, ...]:
    tiers = tuple(_tier(item, where) for item in _items(value, where))
    for lower, upper in pairwise(tiers):
        if upper.mmr <= lower.mmr or upper.share < lower.share:
            raise ScheduleError(f"{where}: tiers rise in maintenance ratio, and their shares never fall")
    return tiers


def _addon(value: Any, where: str) -> MarginAddOn:
    formula, base, least = _fields(value, ("formula", "base", "least"), where)
    if formula not in {"fixed", "less_haircut", "over_minimum"}:
        raise ScheduleError(f"{where}: formula must be fixed, less_haircut or over_minimum")
    return MarginAddOn(formula, ratio_of(base, where), ratio_of(least, where))


def _time(value: Any, where: str) -> int:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ScheduleError(f'{where}: a time must be written as "HH:MM", in quotes, got {value!r}')
    return int(match[1]) * 60 + int(match[2])


def _window(value: Any, where: str) -> Window:
    start, _, end = text_of(value, where).partition("-")
    window = Window(_time(start, where), _time(end, where))
    if window.end <= window.start:
        raise ScheduleError(f"{where}: {value!r} ends before it begins")
    return window


def _windows(value: Any, where: str) -> tuple[Window, ...]:
    windows = tuple(_window(item, where) for item in _items(value, where))
    for earlier, later in pairwise(windows):
        if later.start < earlier.end:
            raise ScheduleError(f"{where}: windows overlap")
    return windows


def _breaker(value: Any, where: str) -> Breaker:
    names = ("l1", "l1_minutes", "l1_to_close_from", "l2")
    first, minutes, to_close, second = _fields(value, names, where)
    breaker = Breaker(
        ratio_of(first, where), count_of(minutes, where), _time(to_close, where), ratio_of(second, where)
    )
    if breaker.second <= breaker.first:
        raise ScheduleError(f"{where}: l2 must lie above l1")
    return breaker


def _halt(value: Any, where: str) -> StockHalt:
    moves, minutes, until = _fields(value, ("moves", "minutes", "until"), where)
    lines = tuple(ratio_of(move, where) for move in _items(moves, where))
    if not lines or any(later <= earlier for earlier, later in pairwise(lines)):
        raise ScheduleError(f"{where}: moves must rise")
    return StockHalt(lines, count_of(minutes, where), _time(until, where))


READERS: Mapping[str, Callable[[Any, str], Value]] = {
    "ratio": ratio_of,
    "rate": rate_of,
    "money": _money,
    "count": count_of,
    "flag": flag_of,
    "text": text_of,
    "texts": _texts,
    "time": _time,
    "window": _window,
    "windows": _windows,
    "lot": _lot,
    "cage": _cage,
    "lines": _lines,
    "gate": _gate,
    "tiers": _tiers,
    "addon": _addon,
    "breaker": _breaker,
    "halt": _halt,
}
"""Type of a parameter -> how its values are read from YAML: `(raw, place) -> value`, or ScheduleError."""
