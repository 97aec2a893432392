"""Kernel that reads flat JSON objects in their plain form straight into columns.

It accepts only what it can prove: an object whose keys are known and come once, with ASCII strings without
escapes, numbers without sign and exponent and of at most 15 digits, all within their bounds. Any other
record, good or bad, is left to the careful decoder, which alone decides and explains. So a record is read
here only if the careful decoder reads the same from it.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

I8 = NDArray[np.int64]
U1 = NDArray[np.uint8]

FIELD_WIDTH = 8
KIND = 0
DECIMALS = 1
LOWEST = 2
HIGHEST = 3
REQUIRED = 4
COLUMN = 5
"""Where the value goes; a book's side takes two columns, price and quantity of its best level."""
FIRST_OPTION = 6
"""FIRST_OPTION to LAST_OPTION (exclusive): the words of a choice."""
LAST_OPTION = 7

TEXT, SCALED, WHOLE, FLAG, CHOICE, SIDE, VERSION, ODD = range(8)
"""ODD: a field whose values are never plain."""

MOST_DIGITS = 15
"""A decimal of so many digits is one double and no other decimal's."""
EXACT_BOUND = 2**50
"""A JSON number whose scaled value lies within is what the nearest double says, whatever is rounded."""

_QUOTE, _BACKSLASH, _COMMA, _COLON, _POINT, _ZERO, _NINE = 34, 92, 44, 58, 46, 48, 57
_OPEN, _CLOSE, _LIST, _LIST_END = 123, 125, 91, 93
_BLANK, _TAB, _LINE, _RETURN = 32, 9, 10, 13
_BAD = -1


@njit(cache=True, forceinline=True)
def _skip(data: U1, at: int, end: int) -> int:
    """The next byte that is no white space."""
    while at < end and (data[at] == _BLANK or data[at] == _LINE or data[at] == _RETURN or data[at] == _TAB):
        at += 1
    return at


@njit(cache=True, forceinline=True)
def _string_end(data: U1, at: int, end: int) -> int:
    """Where the string that begins at `at` has its closing quote, _BAD if it is not plain."""
    while at < end:
        byte = data[at]
        if byte == _QUOTE:
            return at
        if byte < 32 or byte > 126 or byte == _BACKSLASH:
            return _BAD
        at += 1
    return _BAD


@njit(cache=True, forceinline=True)
def _is(data: U1, at: int, end: int, words: U1, first: int, last: int) -> bool:
    """Whether `data[at:end]` is the word `words[first:last]`."""
    if end - at != last - first:
        return False
    for i in range(end - at):  # noqa: SIM110 - kernels have no generators
        if data[at + i] != words[first + i]:
            return False
    return True


@njit(cache=True, forceinline=True)
def _digits(data: U1, at: int, end: int) -> tuple[int, int, int]:
    """Digits, and perhaps a point and digits: where they end, their value without the point, and how many
    follow it (-1: there is no point, or end _BAD: too many digits or none).
    """
    first, number = at, 0
    while at < end and _ZERO <= data[at] <= _NINE:
        number = number * 10 + (data[at] - _ZERO)
        at += 1
        if at - first > MOST_DIGITS:
            return _BAD, 0, 0
    if at == first:
        return _BAD, 0, 0
    if at == end or data[at] != _POINT:
        return at, number, -1
    whole = at - first
    at += 1
    point = at
    while at < end and _ZERO <= data[at] <= _NINE:
        number = number * 10 + (data[at] - _ZERO)
        at += 1
        if whole + at - point > MOST_DIGITS:
            return _BAD, 0, 0
    if at == point:
        return _BAD, 0, 0
    return at, number, at - point


@njit(cache=True, forceinline=True)
def _number(data: U1, at: int, end: int, field: I8) -> tuple[int, int]:
    """Where a number ends (a decimal may be a string), and its scaled value; end _BAD if it is not plain."""
    quoted = data[at] == _QUOTE and field[KIND] == SCALED
    if quoted:
        at += 1
    elif data[at] == _ZERO and at + 1 < end and _ZERO <= data[at + 1] <= _NINE:
        return _BAD, 0
    at, number, places = _digits(data, at, end)
    if at == _BAD or places > field[DECIMALS]:
        return _BAD, 0
    for _ in range(field[DECIMALS] - max(places, 0)):
        number *= 10
    if number < field[LOWEST] or number > field[HIGHEST]:
        return _BAD, 0
    if not quoted:
        return (at if number <= EXACT_BOUND else _BAD), number
    if at == end or data[at] != _QUOTE:
        return _BAD, 0
    return at + 1, number


@njit(cache=True)
def _intern(data: U1, at: int, end: int, slots: NDArray[np.int32], spans: I8, used: I8) -> int:
    """The number of the string `data[at:end]` in order of first appearance; `slots` is an open-addressing
    table of a power of two, `spans` int64[n, 2] where each string lies, `used[0]` how many there are.
    """
    mask = len(slots) - 1
    value = np.uint64(14695981039346656037)
    for i in range(at, end):
        value = (value ^ np.uint64(data[i])) * np.uint64(1099511628211)
    value = (value ^ (value >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)  # so that every byte counts
    slot = np.int64(value >> np.uint64(40)) & mask
    while slots[slot] >= 0:
        known = slots[slot]
        if _is(data, at, end, data, spans[known, 0], spans[known, 1]):
            return int(known)
        slot = (slot + 1) & mask
    number = used[0]
    slots[slot] = number
    spans[number, 0], spans[number, 1] = at, end
    used[0] = number + 1
    return int(number)


@njit(cache=True)
def _side(data: U1, at: int, end: int, price: I8, qty: I8, best: I8) -> int:
    """Where the array of levels `[price, qty]` that begins at `at` ends; `best` int64[2] is its first level,
    zeros without one.
    """
    best[0] = best[1] = 0
    if data[at] != _LIST:
        return _BAD
    at = _skip(data, at + 1, end)
    if at < end and data[at] == _LIST_END:
        return at + 1
    first = True
    while at < end and data[at] == _LIST:
        at = _skip(data, at + 1, end)
        if at == end:
            return _BAD
        at, paid = _number(data, at, end, price)
        if at == _BAD:
            return _BAD
        at = _skip(data, at, end)
        if at == end or data[at] != _COMMA:
            return _BAD
        at = _skip(data, at + 1, end)
        if at == end:
            return _BAD
        at, number = _number(data, at, end, qty)
        if at == _BAD:
            return _BAD
        at = _skip(data, at, end)
        if at == end or data[at] != _LIST_END:
            return _BAD
        if first:
            best[0], best[1] = paid, number
            first = False
        at = _skip(data, at + 1, end)
        if at == end:
            return _BAD
        if data[at] == _LIST_END:
            return at + 1
        if data[at] != _COMMA:
            return _BAD
        at = _skip(data, at + 1, end)
    return _BAD


@njit(cache=True, forceinline=True)
def _value(
    data: U1,
    at: int,
    end: int,
    row: int,
    field: I8,
    level: I8,
    words: U1,
    word_ends: I8,
    columns: I8,
    slots: NDArray[np.int32],
    spans: I8,
    used: I8,
    best: I8,
) -> int:
    """Reads one value into its column; where it ends, or _BAD."""
    kind, column = field[KIND], field[COLUMN]
    first = data[at]
    if first == 110 and kind != VERSION and field[REQUIRED] == 0:  # null
        return at + 4 if _is_at(data, at, end, 117, 108, 108) else _BAD
    if kind == SCALED or kind == WHOLE or kind == VERSION:  # noqa: SIM109
        at, number = _number(data, at, end, field)
    elif kind == ODD:
        return _BAD
    elif kind == SIDE:
        at = _side(data, at, end, level[0], level[1], best)
        columns[column + 1, row] = best[1]
        number = best[0]
    elif kind == FLAG:
        number = 1 if first == 116 else 0
        if first == 116:  # true
            at = at + 4 if _is_at(data, at, end, 114, 117, 101) else _BAD
        elif first == 102 and at + 4 < end and data[at + 4] == 101:  # false
            at = at + 5 if _is_at(data, at, end, 97, 108, 115) else _BAD
        else:
            at = _BAD
    else:
        if first != _QUOTE:
            return _BAD
        start = at + 1
        at = _string_end(data, start, end)
        if at == _BAD:
            return _BAD
        number = _BAD
        if kind == TEXT:
            number = _intern(data, start, at, slots, spans, used)
        else:
            for word in range(field[FIRST_OPTION], field[LAST_OPTION]):
                if _is(data, start, at, words, word_ends[word - 1], word_ends[word]):
                    number = word - field[FIRST_OPTION]
        at = at + 1 if number >= 0 else _BAD
    columns[column, row] = number
    return at


@njit(cache=True, forceinline=True)
def _is_at(data: U1, at: int, end: int, second: int, third: int, fourth: int) -> bool:
    """Whether these bytes follow the one at `at`."""
    return at + 3 < end and data[at + 1] == second and data[at + 2] == third and data[at + 3] == fourth


@njit(cache=True, forceinline=True)
def _key(data: U1, at: int, end: int, count: int, guess: int, words: U1, word_ends: I8) -> int:
    """The field whose name is `data[at:end]`, tried from `guess` on; _BAD for an unknown one."""
    for i in range(count):
        field = guess + i
        if field >= count:
            field -= count
        if _is(data, at, end, words, word_ends[field - 1] if field else 0, word_ends[field]):
            return field
    return _BAD


@njit(cache=True)
def scan(
    data: U1,
    ends: I8,
    fields: I8,
    level: I8,
    words: U1,
    word_ends: I8,
    columns: I8,
    good: U1,
    spans: I8,
) -> int:
    """Reads the records that end at `ends` int64[n] in `data` into `columns` int64[c, n], which come filled
    with what stands for "absent"; sets `good` uint8[n] to 1 for those that were read.

    `fields` int64[f, FIELD_WIDTH]; `level` int64[2, FIELD_WIDTH], price and quantity of a book's level;
    `words`, cut at `word_ends`, are the fields' names and then the words of choices. Strings become numbers
    in the order of first appearance; `spans` int64[m, 2], m above n times the number of text fields, says
    where each lies. Returns how many there are.
    """
    size = 16
    while size < 2 * len(spans):
        size *= 2
    slots = np.full(size, -1, np.int32)
    used, best = np.zeros(1, np.int64), np.zeros(2, np.int64)
    required = 0
    for field in range(len(fields)):
        if fields[field, REQUIRED]:
            required |= 1 << field
    begin = 0
    for row in range(len(ends)):
        end = ends[row]
        at = _skip(data, begin, end)
        begin = end
        if at == end or data[at] != _OPEN:
            continue
        seen, field, separator = 0, -1, _COMMA
        while separator == _COMMA:
            at = _skip(data, at + 1, end)
            if at == end or data[at] != _QUOTE:
                break
            key = at + 1
            at = _string_end(data, key, end)
            if at == _BAD:
                break
            field = _key(data, key, at, len(fields), field + 1, words, word_ends)
            if field == _BAD or seen >> field & 1:
                break
            seen |= 1 << field
            at = _skip(data, at + 1, end)
            if at == end or data[at] != _COLON:
                break
            at = _skip(data, at + 1, end)
            if at == end:
                break
            at = _value(
                data, at, end, row, fields[field], level, words, word_ends, columns, slots, spans, used, best
            )
            if at == _BAD:
                break
            at = _skip(data, at, end)
            if at == end:
                break
            separator = data[at]
        else:
            if separator == _CLOSE and seen & required == required:
                good[row] = _skip(data, at + 1, end) == end
    return int(used[0])
