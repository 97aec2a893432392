"""Units and bounds (contract section 1), and the way between them and the wire.

| quantity | inside | unit |
|---|---|---|
| money, prices | int | 0.001 yuan ("milli") |
| lines, haircuts (折算率), margin ratios (保证金比例) | int | 1e-4 |
| annual rates, commission and cost rates | int | 1e-6 |
| quantities | int | shares, fund units, bonds in units of one |
| ts | int | milliseconds since the Unix epoch, UTC |
| dates | int | days since 1970-01-01; -1 is "none" |

Binary floating point enters in exactly one place: a JSON number with a fraction arrives as a double. It is
accepted if and only if it is the double nearest to a decimal of the allowed scale, hence never rounded.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from functools import lru_cache

from schemas.errors import BadRecord, shown

MILLI = 1_000
RATIO_SCALE = 10_000
RATE_SCALE = 1_000_000

MONEY_MAX = 10**14
"""10^11 yuan in 0.001 yuan: bound of one account's assets or debts."""
PRICE_MAX = 10**10
"""10^7 yuan in 0.001 yuan."""
QTY_MAX = 10**11
TURNOVER_MAX = 9 * 10**15
"""Bound of figures of a whole market or company (turnover of an index, float value), 0.001 yuan: 9*10^12 yuan
is the largest round sum whose thousandths a JSON double still tells apart."""
SHARES_MAX = 10**13
"""Bound of share counts of a whole market or company (volume of an index, float shares)."""
LINE_MAX = 90_000
"""9.00 in 1e-4. MONEY_MAX * LINE_MAX stays below 2^63, which is what keeps int64 comparisons exact."""
RATE_MAX = 10 * RATE_SCALE
"""1000 % a year."""
TS_MIN = 631_152_000_000
"""1990-01-01 UTC. A smaller number is a time in seconds or minutes, not in milliseconds."""
TS_MAX = 4_102_444_800_000
"""2100-01-01 UTC. A greater number is a time in microseconds, not in milliseconds."""
SEQ_MAX = 2**63 - 1

DAY_MS = 86_400_000
MINUTE_MS = 60_000
SHANGHAI_OFFSET_MS = 8 * 3_600_000
"""Asia/Shanghai is UTC+8; the last summer time ended in 1991, before any margin contract."""

_PLAIN_DECIMAL = re.compile(r"(-?)([0-9]{1,16})(?:\.([0-9]{1,16}))?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()
_DAY_MIN = dt.date(1990, 1, 1).toordinal() - _EPOCH_ORDINAL
_DAY_MAX = dt.date(2199, 12, 31).toordinal() - _EPOCH_ORDINAL


def parse_scaled(value: object, decimals: int, field: str = "") -> int:
    """A JSON number or plain decimal string as an integer of `10**-decimals`; exact or `BadRecord`.

    A boolean, an exponent in a string, NaN and infinity are refused; trailing zeros beyond the scale are not.
    """
    if isinstance(value, str):
        return _parse_text(value, decimals, field)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadRecord(field, f"must be a number or a decimal string, got {shown(value)}")
    if isinstance(value, int):
        return int(value * 10**decimals)
    if not math.isfinite(value):
        raise BadRecord(field, f"must be finite, got {shown(value)}")
    if abs(value) > 1e16:
        raise BadRecord(field, f"is out of range: {shown(value)}")
    scale = 10**decimals
    scaled: int = round(value * scale)
    if scaled / scale != value:
        raise BadRecord(field, f"has more than {decimals} decimals: {shown(value)}")
    return scaled


def _parse_text(text: str, decimals: int, field: str) -> int:
    """The common form first: digits, perhaps a point and not too many digits after it."""
    whole, point, fraction = text.partition(".")
    spare = decimals - len(fraction)
    if (
        spare >= 0
        and len(whole) <= 16
        and text.isascii()
        and whole.isdigit()
        and (fraction.isdigit() or not point)
    ):
        return int(whole + fraction) * int(10**spare)
    return _parse_decimal_text(text, decimals, field)


def _parse_decimal_text(text: str, decimals: int, field: str) -> int:
    match = _PLAIN_DECIMAL.fullmatch(text)
    if match is None:
        raise BadRecord(field, f"must be a plain decimal such as '12.34', got {shown(text)}")
    sign, whole, fraction = match.groups()
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > decimals:
        raise BadRecord(field, f"has more than {decimals} decimals: {shown(text)}")
    magnitude = int(whole + fraction.ljust(decimals, "0"))
    return -magnitude if sign else magnitude


def _format_scaled(value: int, decimals: int, at_least: int) -> str:
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), 10**decimals)
    fraction = f"{rest:0{decimals}d}".rstrip("0").ljust(at_least, "0")
    return f"{sign}{whole}.{fraction}"


def format_money(milli: int) -> str:
    """0.001 yuan -> `"401234.56"`: at least two decimals, the third only if it is not zero."""
    sign = "-" if milli < 0 else ""
    whole, rest = divmod(abs(milli), 1000)
    return f"{sign}{whole}.{rest:03d}" if rest % 10 else f"{sign}{whole}.{rest // 10:02d}"


def format_line(line: int) -> str:
    """1e-4 -> `"1.30"`: at least two decimals."""
    return _format_scaled(line, 4, 2)


def format_rate(rate: int) -> str:
    """1e-6 -> `"0.0835"`: at least two decimals."""
    return _format_scaled(rate, 6, 2)


def format_ratio(numerator: int, denominator: int) -> str | None:
    """A quotient with six places, rounded half up (away from zero); `None` when the account owes nothing.

    For display only: every comparison is made by cross-multiplication. `denominator` must not be negative.
    """
    if denominator == 0:
        return None
    micro = (2 * abs(numerator) * 10**6 + denominator) // (2 * denominator)
    sign = "-" if numerator < 0 and micro else ""
    whole, rest = divmod(micro, 10**6)
    return f"{sign}{whole}.{rest:06d}"


@lru_cache(maxsize=4096)
def parse_day(text: str, field: str = "") -> int:
    """`"2025-04-07"` as a day number; `BadRecord` for any other form or a day that does not exist."""
    if not _DAY.fullmatch(text):
        raise BadRecord(field, f"must be a date such as '2025-04-07', got {shown(text)}")
    try:
        day = dt.date.fromisoformat(text).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        raise BadRecord(field, f"is no day of the calendar: {shown(text)}") from None
    if not _DAY_MIN <= day <= _DAY_MAX:
        raise BadRecord(field, f"must lie between 1990 and 2199, got {shown(text)}")
    return day


@lru_cache(maxsize=4096)
def format_day(day: int) -> str:
    """A day number as `"YYYY-MM-DD"`."""
    return dt.date.fromordinal(day + _EPOCH_ORDINAL).isoformat()


def shanghai_day(ts: int) -> int:
    """The day number of `ts` in Asia/Shanghai."""
    return (ts + SHANGHAI_OFFSET_MS) // DAY_MS


def shanghai_ms(ts: int) -> int:
    """Milliseconds since midnight in Asia/Shanghai."""
    return (ts + SHANGHAI_OFFSET_MS) % DAY_MS


def shanghai_minute(ts: int) -> int:
    """Minutes since midnight in Asia/Shanghai, 0 to 1439."""
    return shanghai_ms(ts) // MINUTE_MS


def format_minute(minute: int) -> str:
    """Minutes since midnight as `HH:MM`."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def day_start(day: int) -> int:
    """`ts` of midnight in Asia/Shanghai at which `day` begins."""
    return day * DAY_MS - SHANGHAI_OFFSET_MS
