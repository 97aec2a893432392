"""Contracts of financing (融资) and lending (融券): rows chained per account, and what is owed on them.

Interest (rulebook 9) is a function of principal-days, never of a running sum of rounded amounts. A
contract's time is cut into segments of one annual rate (its own or the preset's dated one, and the penalty
while it is overdue); a segment's principal-days are its closed parts + outstanding base x days. What ended
segments brought is kept exactly; one half-up rounding to 0.001 yuan of the cumulative amount, less what was
paid.

The margin ratio is fixed when the contract is opened: later notices, extensions and repayments leave it
(rulebook 3.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.books.columns import ReusedRows, numbers, texts
from agents.rules.initial_margin import initial_margin
from agents.rules.interest import days_in_use, interest_milli
from agents.rules.presets import BUILT_IN_SINCE
from agents.rules.schedule import Schedule
from schemas.account import CLIENT_CLASSES, CONTRACT_TYPES

FINANCING = 0
LENDING = 1
assert CONTRACT_TYPES == ("financing", "lending")

NO_DAY = -1


@lru_cache(maxsize=4096)
def _least_margin(kind: int, opened: int, client: int, rules: Schedule) -> int:
    return initial_margin(CONTRACT_TYPES[kind], opened, CLIENT_CLASSES[client], rules)


def least_margin(kind: int, opened: int, client: int, rules: Schedule) -> int:
    """The exchange's minimum margin ratio of a contract opened on a day, 1e-4; `client` indexes
    CLIENT_CLASSES.
    """
    return _least_margin(kind, max(opened, BUILT_IN_SINCE), client, rules)


@dataclass(slots=True)
class NewContract:
    """A contract as it begins. `qty` shares, `base` milli: the principal, or quantity x sale price of a
    lending contract.
    """

    name: str
    kind: int
    security: int
    opened: int
    qty: int
    base: int
    rate: int
    margin_ratio: int
    floating: bool = False
    accrued: int = 0
    since: int = NO_DAY
    """First day that `accrued` does not cover, NO_DAY when it was not given."""


class Contracts(ReusedRows):
    """Contract rows. `base` outstanding principal or unreturned quantity x sale price (milli), `qty` shares
    unpaid or unreturned; `first_qty`, `first_base` as borrowed; `fresh` of them on `fresh_day`, the latest
    day of borrowing; `following` the account's next row, -1 at the end.

    `due` is the agreed date, `maturity` the day the contract falls due after holidays, suspension and
    delisting; `deferred` 1 while the security's suspension holds it open.

    `rate` is the annual rate agreed, `floating` 1 where that is the preset's; `running` is the rate of the
    running segment, which began on `since` and of which `closed_days` principal-days (milli x days) are of
    parts paid back; `earned` (milli) and `remainder` (1 / 360,000,000 milli) are what ended segments
    brought; `owed` interest as of the books' day.
    """

    account: memoryview = numbers("i4", -1)
    security: memoryview = numbers("i4", -1)
    kind: memoryview = numbers("i1")
    alive: memoryview = numbers("i1")
    opened: memoryview = numbers("i4")
    due: memoryview = numbers("i4", NO_DAY)
    maturity: memoryview = numbers("i4", NO_DAY)
    deferred: memoryview = numbers("i1")
    qty: memoryview = numbers("i8")
    base: memoryview = numbers("i8")
    first_qty: memoryview = numbers("i8")
    first_base: memoryview = numbers("i8")
    fresh: memoryview = numbers("i8")
    fresh_day: memoryview = numbers("i4", NO_DAY)
    since: memoryview = numbers("i4")
    closed_days: memoryview = numbers("i8")
    rate: memoryview = numbers("i8")
    floating: memoryview = numbers("i1")
    running: memoryview = numbers("i8")
    earned: memoryview = numbers("i8")
    remainder: memoryview = numbers("i8")
    margin_ratio: memoryview = numbers("i8")
    accrued: memoryview = numbers("i8")
    paid: memoryview = numbers("i8")
    owed: memoryview = numbers("i8")
    following: memoryview = numbers("i4", -1)
    names: list[str] = texts()

    def chain(self, first: int) -> Iterator[int]:
        """Rows of an account from its `first` on, in the order they came."""
        following = self.following
        while first >= 0:
            yield first
            first = following[first]

    def add(self, account: int, new: NewContract) -> int:
        """A row for `new`, not chained and without interest yet."""
        row = self.take()
        self.names[row] = new.name
        self.account[row] = account
        self.security[row] = new.security
        self.kind[row] = new.kind
        self.alive[row] = 1
        self.opened[row] = new.opened
        self.qty[row] = self.first_qty[row] = self.fresh[row] = new.qty
        self.base[row] = self.first_base[row] = new.base
        self.fresh_day[row] = new.opened
        self.since[row] = max(new.opened, new.since)
        self.rate[row] = self.running[row] = new.rate
        self.floating[row] = int(new.floating)
        self.margin_ratio[row] = new.margin_ratio
        self.accrued[row] = new.accrued
        return row

    def add_new(self, names: list[str], columns: Mapping[str, NDArray[Any] | int]) -> int:
        """Rows for many contracts, ordered by account and chained; returns the first row."""
        first = self.append(len(names))
        self.names[first:] = names
        new = slice(first, self.rows)
        for name, values in columns.items():
            self.array(name)[new] = values
        account = self.array("account")[new]
        chained = np.flatnonzero(account[:-1] == account[1:])
        self.array("following")[first + chained] = first + chained + 1
        return first

    def days(self, row: int, day: int) -> int:
        """Days of interest that `day` shows in the running segment."""
        opened, since = self.opened[row], self.since[row]
        return day - since if since > opened else days_in_use(opened, day)

    def interest(self, row: int, day: int) -> int:
        """Interest owed on `day`, milli."""
        principal_days = max(0, self.closed_days[row] + self.base[row] * self.days(row, day))
        gained = interest_milli(principal_days, self.running[row], self.remainder[row])
        return self.accrued[row] + self.earned[row] + gained - self.paid[row]

    def take_back(self, row: int, base: int, day: int) -> None:
        """Principal of `base` milli comes back on `day`; its days are closed."""
        self.closed_days[row] += base * self.days(row, day)
        self.base[row] -= base

    def lend_more(self, row: int, qty: int, base: int, day: int) -> None:
        """Another execution under the same contract: interest of the addition begins on `day`."""
        first = self.since[row] == self.opened[row] >= day
        self.closed_days[row] -= 0 if first else base * self.days(row, day)
        for column in (self.qty, self.first_qty):
            column[row] += qty
        for column in (self.base, self.first_base):
            column[row] += base

    def note_fresh(self, row: int, qty: int, day: int) -> None:
        """Of what was borrowed, `qty` were on `day`, and nothing later."""
        if day < self.fresh_day[row]:
            return
        self.fresh[row] = qty + (self.fresh[row] if self.fresh_day[row] == day else 0)
        self.fresh_day[row] = day

    def finished(self, row: int) -> bool:
        """Whether nothing is owed any more: neither money nor borrowed shares."""
        lent = self.kind[row] == LENDING and self.qty[row]
        return not (self.base[row] or self.owed[row] or lent)

    def matured(self, row: int, day: int) -> bool:
        """Whether the contract has fallen due by `day`."""
        return 0 <= self.maturity[row] <= day and not self.deferred[row]

    def unpaid_shares(self, row: int) -> int:
        """Shares of a financing contract in proportion to its unpaid principal, rounded half up (rulebook
        2).
        """
        first = self.first_base[row]
        return (2 * self.first_qty[row] * self.base[row] + first) // (2 * first) if first else 0
