"""One field of many events at once: a list of JSON values to a numpy column.

The quick way of each field type accepts only what it can prove good by looking at the whole list; anything
else goes through the field type's own `decode`, value by value, so that both ways agree by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.account import NO_CODE
from schemas.batches import ABSENT
from schemas.errors import BadRecord
from schemas.fields import Choice, Codec, Date, Flag, Scaled, Text, Timestamp, Whole
from schemas.records import FieldSpec
from schemas.units import TS_MAX, TS_MIN

NDArray = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
_NONE = type(None)


class StringPool:
    """Strings by first appearance; `None` is index -1."""

    __slots__ = ("_index",)

    def __init__(self) -> None:
        self._index: dict[str | None, int] = {None: ABSENT}

    def intern(self, values: Sequence[str | None]) -> npt.NDArray[np.int32]:
        """The index of every string."""
        index = self._index
        return np.array([index.setdefault(value, len(index) - 1) for value in values], np.int32)

    def strings(self) -> list[str]:
        """All strings, by index."""
        return [value for value in self._index if value is not None]


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and which of its values are good (`None`: all); the content of the others is undefined."""

    values: NDArray
    good: Mask | None


def read_column(field: FieldSpec, values: list[Any], pool: StringPool) -> Column:
    """The values of one field as a column: `None` is absent, which is no good for a required field."""
    if not field.required and values.count(None) == len(values):
        return _nothing(field.codec, len(values))
    column = _dispatch(field.codec, values, pool)
    if field.required and None in values:
        present = np.array([value is not None for value in values])
        return Column(column.values, present if column.good is None else column.good & present)
    return column


def _nothing(codec: Codec, count: int) -> Column:
    """A field that no event has."""
    if isinstance(codec, Choice):
        return Column(np.full(count, NO_CODE, np.uint8), None)
    return Column(np.full(count, ABSENT, np.int32 if isinstance(codec, Text) else np.int64), None)


def _dispatch(codec: Codec, values: list[Any], pool: StringPool) -> Column:
    for kind, read in _READERS.items():
        if isinstance(codec, kind):
            return read(codec, values, pool)
    raise TypeError(f"no column for {codec!r}")


def _scaled(codec: Scaled, values: list[Any], pool: StringPool) -> Column:
    kinds = set(map(type, values))
    if kinds <= {int, float, _NONE}:
        return _scaled_numbers(codec, values)
    if kinds <= {str, _NONE}:
        return _by_distinct_value(codec, values)
    return _one_by_one(codec, values, pool)


def _scaled_numbers(codec: Scaled, values: list[Any]) -> Column:
    scale = 10**codec.decimals
    numbers = np.array(values, np.float64)
    absent = np.isnan(numbers)  # JSON knows no NaN: these were null
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(numbers * scale)
        good = (scaled / scale == numbers) & (scaled >= codec.minimum) & (scaled <= codec.maximum)
    if codec.nonzero:
        good &= scaled != 0
    column = np.where(good, scaled, ABSENT).astype(np.int64)
    good |= absent
    return Column(column, None if good.all() else good)


def _integers(codec: Codec, minimum: int, maximum: int, values: list[Any], pool: StringPool) -> Column:
    kinds = set(map(type, values))
    if kinds == {int, _NONE}:
        if minimum <= ABSENT:
            return _one_by_one(codec, values, pool)
        absent = np.array([value is None for value in values])
        column = _bounded(minimum, maximum, [minimum if value is None else value for value in values])
        if column is not None:
            column.values[absent] = ABSENT
            return column
    elif kinds == {int}:
        column = _bounded(minimum, maximum, values)
        if column is not None:
            return column
    elif kinds == {_NONE}:
        return Column(np.full(len(values), ABSENT, np.int64), None)
    return _one_by_one(codec, values, pool)


def _bounded(minimum: int, maximum: int, values: list[int]) -> Column | None:
    try:
        numbers = np.array(values, np.int64)
    except OverflowError:
        return None
    good = (numbers >= minimum) & (numbers <= maximum)
    return Column(numbers, None if good.all() else good)


def _whole(codec: Whole, values: list[Any], pool: StringPool) -> Column:
    column = _integers(codec, codec.minimum, codec.maximum, values, pool)
    if not codec.nonzero:
        return column
    nonzero = column.values != 0
    good = nonzero if column.good is None else column.good & nonzero
    return Column(column.values, None if good.all() else good)


def _timestamp(codec: Timestamp, values: list[Any], pool: StringPool) -> Column:
    return _integers(codec, TS_MIN, TS_MAX - 1, values, pool)


def _text(codec: Text, values: list[Any], pool: StringPool) -> Column:
    if not set(map(type, values)) <= {str, _NONE}:
        return _one_by_one(codec, values, pool)
    fits = codec.fits
    odd = {value for value in set(values) if value is not None and not fits(value)}
    if not odd:
        return Column(pool.intern(values), None)
    good = np.array([value not in odd for value in values])
    return Column(pool.intern([None if value in odd else value for value in values]), good)


def _choice(codec: Choice, values: list[Any], pool: StringPool) -> Column:
    if not set(map(type, values)) <= {str, _NONE}:
        return _one_by_one(codec, values, pool)
    codes: dict[str | None, int] = {option: i for i, option in enumerate(codec.options)}
    codes[None] = NO_CODE
    unknown = NO_CODE - 1
    column = np.array([codes.get(value, unknown) for value in values], np.uint8)
    good = column != unknown
    return Column(column, None if good.all() else good)


def _flag(codec: Flag, values: list[Any], pool: StringPool) -> Column:
    if not set(map(type, values)) <= {bool, _NONE}:
        return _one_by_one(codec, values, pool)
    return Column(np.array([ABSENT if value is None else value for value in values], np.int8), None)


def _date(codec: Date, values: list[Any], pool: StringPool) -> Column:
    if not set(map(type, values)) <= {str, _NONE}:
        return _one_by_one(codec, values, pool)
    return _by_distinct_value(codec, values)


def _by_distinct_value(codec: Codec, values: list[Any]) -> Column:
    """Each distinct string is decoded once: prices and days repeat."""
    known: dict[str | None, int] = {None: ABSENT}
    bad: set[str] = set()
    for value in set(values):
        if value is None:
            continue
        try:
            known[value] = codec.decode(value)
        except BadRecord:
            known[value] = ABSENT
            bad.add(value)
    column = np.array([known[value] for value in values], np.int64)
    return Column(column, np.array([value not in bad for value in values]) if bad else None)


def _one_by_one(codec: Codec, values: list[Any], pool: StringPool) -> Column:
    decoded: list[Any] = []
    good = np.ones(len(values), np.bool_)
    for i, value in enumerate(values):
        try:
            decoded.append(None if value is None else codec.decode(value))
        except BadRecord:
            decoded.append(None)
            good[i] = False
    if isinstance(codec, Text):
        return Column(pool.intern(decoded), good)
    if isinstance(codec, Choice):
        codes = [NO_CODE if value is None else codec.options.index(value) for value in decoded]
        return Column(np.array(codes, np.uint8), good)
    return Column(np.array([ABSENT if value is None else int(value) for value in decoded], np.int64), good)


_READERS: dict[type, Callable[[Any, list[Any], StringPool], Column]] = {
    Scaled: _scaled,
    Timestamp: _timestamp,
    Whole: _whole,
    Text: _text,
    Choice: _choice,
    Flag: _flag,
    Date: _date,
}


def bounds_of(codec: Codec) -> tuple[int, int]:
    """Smallest and greatest good value of a numeric field type."""
    if isinstance(codec, (Scaled, Whole)):
        return codec.minimum, codec.maximum
    if isinstance(codec, Timestamp):
        return TS_MIN, TS_MAX - 1
    raise TypeError(f"no bounds for {codec!r}")
