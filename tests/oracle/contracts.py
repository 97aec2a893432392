"""One contract (rulebook 3.2, 7.6, 9): what is owed on it, day by day, and when it falls due."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.oracle.amounts import FEN, MILLI, ZERO, RefusedError, half_up
from tests.oracle.dated import EXTENSIONS_SINCE, RETURN_NEXT_DAY_SINCE

DAY = timedelta(days=1)
TERM_MONTHS = EXTENSION_MONTHS = 6
LONGEST_CLOSURE = 12
"""Calendar days between trading days at most; in a longer gap trading days are missing."""
PENALTY = Decimal("0.18")
"""A year, on top of the rate, on what is overdue: 0.05 % a day."""


def months_later(day: date, months: int) -> date:
    """The same day of the month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def not_on_a_weekend(day: date) -> date:
    """Due dates on a day without trading are met on the trading day before."""
    return day - DAY * max(0, day.weekday() - 4)


@dataclass
class Contract:
    """One financing (融资) or lending (融券) contract.

    `principal` is what interest runs on: money outstanding, or unreturned quantity times the sale price.
    `exact` is the interest of all days before `charged_to`, never rounded; of the first day what was
    borrowed counts, `first_day`, whatever of it came back that day (算头不算尾).
    """

    name: str
    kind: str
    security: str
    opened: date
    qty: int
    price: Decimal
    principal: Decimal
    rate: Decimal
    margin_ratio: Decimal = Decimal(1)
    due: date | None = None
    floating: bool = False
    """The rate is the preset's, whatever that is on a day."""
    accrued: Decimal = ZERO
    paid: Decimal = ZERO
    first_qty: int = 0
    first_principal: Decimal = ZERO
    first_day: Decimal = ZERO
    exact: Fraction = Fraction(0)
    charged_to: date = date.min
    fresh: int = 0
    fresh_on: date = date.min
    """Shares sold short on the latest day of selling."""
    maturity: date | None = None
    deferred: bool = False
    """The security's suspension holds the contract open."""

    def __post_init__(self) -> None:
        self.first_qty, self.first_principal, self.first_day = self.qty, self.principal, self.principal
        self.fresh, self.fresh_on = self.qty, self.opened
        self.charged_to = max(self.charged_to, self.opened)
        self.maturity = None if self.due is None else not_on_a_weekend(self.due)

    # -- interest

    def _charge(self, day: date, rate: Decimal) -> Fraction:
        base = self.first_day if day == self.opened else self.principal
        return Fraction(base) * Fraction(rate) / 360

    def run_to(self, today: date, rate_on: Callable[[Contract, date], Decimal]) -> None:
        """Interest of every day up to yesterday, each at the rate of that day."""
        while self.charged_to < today:
            day = self.charged_to
            rate = self.rate if day == self.opened else rate_on(self, day)
            if self.opened < day and self.matured(day):
                rate += PENALTY
            self.exact += self._charge(day, rate)
            self.charged_to += DAY

    def interest(self, day: date) -> Decimal:
        """Owed on `day`: the cumulative exact amount rounded once, half up, to 0.001, less what was paid."""
        first = self._charge(day, self.rate) if day == self.opened == self.charged_to else Fraction(0)
        return self.accrued + half_up(self.exact + first, MILLI) - self.paid

    def interest_due(self, day: date) -> Decimal:
        return half_up(self.interest(day), FEN)

    def pay_interest(self, amount: Decimal, day: date) -> None:
        """Paying exactly what is due settles the owed amount, thousandths included."""
        self.paid += self.interest(day) if amount == self.interest_due(day) else amount

    # -- what is borrowed

    def give_back(self, qty: int) -> None:
        """The sale price of shares sold at several prices is their mean: the part is rounded half up."""
        part = self.principal
        if qty < self.qty:
            part = half_up(Decimal(self.principal * qty) / self.qty, MILLI)
        self.principal -= part
        self.qty -= qty

    def borrow_more(self, qty: int, principal: Decimal, day: date, sold: date) -> None:
        """Another execution under the same contract: interest of the addition begins on `day`; it was `sold`
        on that day or before, if told late.
        """
        self.qty += qty
        self.first_qty += qty
        self.principal += principal
        self.first_principal += principal
        if day == self.opened:
            self.first_day += principal
        if sold >= self.fresh_on:
            self.fresh = qty + (self.fresh if self.fresh_on == sold else 0)
            self.fresh_on = sold

    def returnable(self, day: date) -> int:
        """What was sold short today goes back from the next trading day on, since 2015-08-04."""
        waits = day >= RETURN_NEXT_DAY_SINCE and self.fresh_on >= day
        return max(0, self.qty - (self.fresh if waits else 0))

    # -- falling due

    def matured(self, day: date) -> bool:
        return self.maturity is not None and self.maturity <= day and not self.deferred

    def order(self, day: date) -> tuple[int, date, str]:
        """What falls due today, then what is overdue, then the earliest opened, then the name."""
        rank = 2
        if self.matured(day):
            rank = 0 if self.maturity == day else 1
        return (rank, self.opened, self.name)

    def set_due(self, due: date, day: date, *, suspended: bool, suspended_since: date | None) -> None:
        """A due date of today, or one within a suspension that began before it, is held open."""
        self.due, self.maturity = due, not_on_a_weekend(due)
        began = suspended_since is not None and suspended_since <= self.maturity
        self.deferred = suspended and self.maturity <= day and (self.maturity == day or began)

    def fall_due(
        self, before: date | None, day: date, *, suspended: bool, suspended_since: date | None
    ) -> None:
        """Days without trading are known afterwards; a suspension holds the contract open until it ends."""
        before = before or day - DAY
        if self.maturity is None or (self.maturity > day and not self.deferred):
            return
        began = suspended and suspended_since is not None and suspended_since <= self.maturity
        if not (self.deferred or before < self.maturity or began):
            return
        if suspended:
            self.deferred = True
        elif self.deferred:
            self.deferred, self.maturity = False, day
        elif self.maturity < day and (day - before).days <= LONGEST_CLOSURE:
            self.maturity = before

    def extend(self, due: date, day: date) -> None:
        """Not before 2015-07-02; later than what is in force, by six months at most, not into the past."""
        assert self.due is not None
        assert self.maturity is not None
        in_force = max(self.due, self.maturity, day if self.deferred else date.min)
        if day < EXTENSIONS_SINCE:
            raise RefusedError("due", "no extension is allowed")
        if due < day or due <= in_force:
            raise RefusedError("due", "lies in the past, or is no extension")
        if due > months_later(in_force, EXTENSION_MONTHS):
            raise RefusedError("due", "is more than one extension")


def longest_term(opened: date, as_of: date) -> date:
    """The due date nobody named: six months; if that was before `as_of`, it must have been extended."""
    months = TERM_MONTHS
    while months_later(opened, months) < as_of and as_of >= EXTENSIONS_SINCE:
        months += EXTENSION_MONTHS
    return months_later(opened, months)


def check_term(due: date, day: date) -> None:
    if due < day or due > months_later(day, TERM_MONTHS):
        raise RefusedError("due", "lies in the past, or beyond the longest term")
