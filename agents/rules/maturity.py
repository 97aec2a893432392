"""When a contract falls due: its term, extensions (展期), days without trading and a security's last trading
day (rulebook 7.6).

All dates are day numbers; NO_DAY (-1) stands for none. What the exchange counts in months ends on the same
day of the month, or on the month's last: 31 August + 6 months = 28 or 29 February.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

from agents.rules.schedule import Schedule
from schemas.errors import BadRecord
from schemas.units import format_day

NO_DAY = -1
_EPOCH = date(1970, 1, 1)
_FRIDAY = 4
_THURSDAY = 3
"""Weekday of day 0, Monday being 0."""


def months_later(day: int, months: int) -> int:
    """The same day of the month so many months later, or that month's last day."""
    start = _EPOCH + timedelta(day)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return (date(year, month + 1, min(start.day, last)) - _EPOCH).days


def weekday(day: int) -> int:
    """0 for Monday to 6 for Sunday."""
    return (day + _THURSDAY) % 7


def last_weekday(day: int) -> int:
    """The day itself, or the Friday before a Saturday or Sunday."""
    return day - max(0, weekday(day) - _FRIDAY)


def next_weekday(day: int) -> int:
    """The day itself, or the Monday after a Saturday or Sunday."""
    over = weekday(day) - _FRIDAY
    return day if over <= 0 else day + 3 - over


@lru_cache(maxsize=65536)
def least_due(opened: int, as_of: int, rules: Schedule) -> int:
    """The due date of a contract whose opening does not name one: the longest term the exchange allows.

    Where that ended before `as_of` and extensions are allowed, the contract must have been extended: then
    the end of the extension that covers `as_of`.
    """
    due = months_later(opened, rules.number("contract_term_max_months", opened))
    step = rules.number("contract_extension_max_months", as_of)
    months = rules.number("contract_term_max_months", opened)
    while due < as_of and step:
        months += step
        due = months_later(opened, months)
    return due


@lru_cache(maxsize=65536)
def matures_on(due: int, last_trading_day: int, rules: Schedule) -> int:
    """The day a contract falls due: the agreed date, moved off a weekend, and before the security stops
    trading.

    Other holidays are known when the next trading day begins; `agents.books.maturities` moves those.
    """
    if due < 0:
        return NO_DAY
    forward = rules.text("contract_maturity_holiday", due) == "next"
    maturity = next_weekday(due) if forward else last_weekday(due)
    if last_trading_day >= 0:
        maturity = min(maturity, before_the_last(last_trading_day, rules))
    return maturity


def before_the_last(last_trading_day: int, rules: Schedule) -> int:
    """The weekday so many sessions before a security's last trading day on which its contracts end."""
    day = last_trading_day
    for _ in range(rules.number("contract_delisting_sessions_before", last_trading_day)):
        day = last_weekday(day - 1)
    return day


def check_term(opened: int, due: int, day: int, rules: Schedule) -> None:
    """A new contract's due date: not past, and within the longest term. Raises BadRecord."""
    longest = months_later(opened, rules.number("contract_term_max_months", opened))
    if due < day:
        raise BadRecord("due", f"lies in the past, on {format_day(day)}")
    if due > longest:
        raise BadRecord("due", f"is beyond the longest term, which ends on {format_day(longest)}")


def check_extension(in_force: int, due: int, day: int, rules: Schedule) -> None:
    """An extension on `day` from the due date in force to `due`. Raises BadRecord: not allowed at all, in
    the past, not later, or longer than one extension may be.
    """
    entry = rules.entry("contract_extension_max_months", day)
    months = rules.number("contract_extension_max_months", day)
    if not months:
        raise BadRecord("due", f"no extension is allowed ({entry.rule})")
    if due < day:
        raise BadRecord("due", f"lies in the past, on {format_day(day)}")
    if due <= in_force:
        raise BadRecord("due", f"is not later than the due date in force, {format_day(in_force)}")
    longest = months_later(in_force, months) if in_force >= 0 else months_later(day, months)
    if due > longest:
        raise BadRecord("due", f"one extension ends on {format_day(longest)} at the latest ({entry.rule})")
