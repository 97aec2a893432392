"""Contracts of financing (融资) and lending (融券): rows chained per account, and what is owed on them.

Interest (rulebook 9) is a function of principal-days, never of a running sum: closed parts + outstanding
base x days, where days = max(1, day - opened); one half-up rounding of the cumulative amount, less what was
paid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.books.columns import Columns, Snapshot, Spec, text_restore, text_snapshot
from agents.rules.initial_margin import initial_margin
from agents.rules.interest import days_in_use, interest_milli
from agents.rules.presets import BUILT_IN_SINCE
from schemas.account import CLIENT_CLASSES

FINANCING = 0
LENDING = 1
TYPE_NAMES = ("financing", "lending")

NO_DAY = -1


@lru_cache(maxsize=4096)
def _least_margin(kind: int, opened: int, client: int) -> int:
    return initial_margin(TYPE_NAMES[kind], opened, CLIENT_CLASSES[client])


def least_margin(kind: int, opened: int, client: int) -> int:
    """The exchange's minimum margin ratio of a contract opened on a day, 1e-4; `client` indexes
    CLIENT_CLASSES.
    """
    return _least_margin(kind, max(opened, BUILT_IN_SINCE), client)


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
    due: int = NO_DAY
    accrued: int = 0
    covered: int = 0
    """Principal-days that `accrued` stands for."""


class Contracts(Columns):
    """Contract rows. `base` outstanding principal or unreturned quantity x sale price (milli), `qty` shares
    unpaid or unreturned, `closed_days` principal-days (milli x days) of parts paid back, less those an
    opening's `accrued` covers; `owed` interest as of the books' day; `first_qty`, `first_base` as borrowed;
    `following` the account's next row, -1 at the end.
    """

    SPEC: ClassVar[Spec] = {
        "account": ("i4", -1, 1),
        "security": ("i4", -1, 1),
        "kind": ("i1", 0, 1),
        "alive": ("i1", 0, 1),
        "opened": ("i4", 0, 1),
        "due": ("i4", NO_DAY, 1),
        "qty": ("i8", 0, 1),
        "base": ("i8", 0, 1),
        "first_qty": ("i8", 0, 1),
        "first_base": ("i8", 0, 1),
        "closed_days": ("i8", 0, 1),
        "rate": ("i8", 0, 1),
        "margin_ratio": ("i8", 0, 1),
        "accrued": ("i8", 0, 1),
        "paid": ("i8", 0, 1),
        "owed": ("i8", 0, 1),
        "following": ("i4", -1, 1),
    }
    account: memoryview
    security: memoryview
    kind: memoryview
    alive: memoryview
    opened: memoryview
    due: memoryview
    qty: memoryview
    base: memoryview
    first_qty: memoryview
    first_base: memoryview
    closed_days: memoryview
    rate: memoryview
    margin_ratio: memoryview
    accrued: memoryview
    paid: memoryview
    owed: memoryview
    following: memoryview

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.free: list[int] = []

    def chain(self, first: int) -> Iterator[int]:
        """Rows of an account from its `first` on, in the order they came."""
        following = self.following
        while first >= 0:
            yield first
            first = following[first]

    def add(self, account: int, new: NewContract) -> int:
        """A row for `new`, not chained and without interest yet."""
        if self.free:
            row = self.free.pop()
            self.names[row] = new.name
        else:
            row = self.append()
            self.names.append(new.name)
        self.account[row] = account
        self.security[row] = new.security
        self.kind[row] = new.kind
        self.alive[row] = 1
        self.opened[row] = new.opened
        self.due[row] = new.due
        self.qty[row] = self.first_qty[row] = new.qty
        self.base[row] = self.first_base[row] = new.base
        self.closed_days[row] = -new.covered
        self.rate[row] = new.rate
        self.margin_ratio[row] = new.margin_ratio
        self.accrued[row] = new.accrued
        return row

    def add_new(self, names: list[str], columns: Mapping[str, NDArray[Any] | int]) -> int:
        """Rows for many contracts, ordered by account and chained; returns the first row."""
        first = self.append(len(names))
        self.names.extend(names)
        new = slice(first, self.rows)
        for name, values in columns.items():
            self.array(name)[new] = values
        account = self.array("account")[new]
        chained = np.flatnonzero(account[:-1] == account[1:])
        self.array("following")[first + chained] = first + chained + 1
        return first

    def drop(self, row: int) -> None:
        """Frees a row that is in no chain any more."""
        self.reset(row)
        self.names[row] = ""
        self.free.append(row)

    def interest(self, row: int, day: int) -> int:
        """Interest owed on `day`, milli."""
        days = days_in_use(self.opened[row], day)
        principal_days = max(0, self.closed_days[row] + self.base[row] * days)
        return self.accrued[row] + interest_milli(principal_days, self.rate[row]) - self.paid[row]

    def take_back(self, row: int, base: int, day: int) -> None:
        """Principal of `base` milli comes back on `day`; its days are closed."""
        self.closed_days[row] += base * days_in_use(self.opened[row], day)
        self.base[row] -= base

    def lend_more(self, row: int, qty: int, base: int, day: int) -> None:
        """Another execution under the same contract: interest of the addition begins on `day`."""
        self.closed_days[row] -= base * max(0, day - self.opened[row])
        for column in (self.qty, self.first_qty):
            column[row] += qty
        for column in (self.base, self.first_base):
            column[row] += base

    def unpaid_shares(self, row: int) -> int:
        """Shares of a financing contract in proportion to its unpaid principal, rounded half up (rulebook
        2).
        """
        first = self.first_base[row]
        return (2 * self.first_qty[row] * self.base[row] + first) // (2 * first) if first else 0

    def snapshot(self, prefix: str) -> Snapshot:
        """All columns, names and free rows."""
        return {
            **super().snapshot(prefix),
            f"{prefix}.names": text_snapshot(self.names),
            f"{prefix}.free": np.asarray(self.free, dtype=np.int32),
        }

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        super().restore(prefix, snapshot)
        self.names = text_restore(snapshot[f"{prefix}.names"], self.rows)
        self.free = np.asarray(snapshot[f"{prefix}.free"]).tolist()
