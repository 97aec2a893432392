"""Accounts: one row each, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.books.columns import Columns, numbers, texts
from agents.kernels.layout import HOT_WIDTH, LONG, NO_DEBT, OWED, OWN, SHORT, SHOWN


class Accounts(Columns):
    """Account rows. Money in 0.001 yuan; `hot` is the kernels' table (agents.kernels.layout), flat: row * 8
    + column.

    `transit_cash` is in OWN, `owed_cash` (cash compensation to lenders) in OWED. `proceeds` are the
    short-sale proceeds not yet used to return. `first` heads the chain of contract rows, `client` indexes
    schemas.account.CLIENT_CLASSES. `episode` is the row of the open episode, `episode_date` and
    `episode_number` the latest episode's. `custody_break`: the custodian's latest statement differs;
    `settled_cash`: the cash of the last settled day, which a statement is compared with.
    `credit_*`, `group_credit_*`: credit lines, -1 = none; `_until` their last day. `told_*` is the account's
    latest public record, `told_date` -1 before the first.
    """

    hot: memoryview = numbers("i8", 0, HOT_WIDTH)
    cash: memoryview = numbers("i8")
    frozen_cash: memoryview = numbers("i8")
    other_collateral: memoryview = numbers("i8")
    transit_cash: memoryview = numbers("i8")
    owed_cash: memoryview = numbers("i8")
    principal: memoryview = numbers("i8")
    interest: memoryview = numbers("i8")
    proceeds: memoryview = numbers("i8")
    first: memoryview = numbers("i4", -1)
    client: memoryview = numbers("i1")
    closed: memoryview = numbers("i1")
    late: memoryview = numbers("i1")
    written_off: memoryview = numbers("i1")
    custody_break: memoryview = numbers("i1")
    credit_total: memoryview = numbers("i8", -1)
    credit_financing: memoryview = numbers("i8", -1)
    credit_lending: memoryview = numbers("i8", -1)
    credit_until: memoryview = numbers("i8", -1)
    group_credit_total: memoryview = numbers("i8", -1)
    group_credit_financing: memoryview = numbers("i8", -1)
    group_credit_lending: memoryview = numbers("i8", -1)
    group_credit_until: memoryview = numbers("i8", -1)
    episode: memoryview = numbers("i4", -1)
    episode_date: memoryview = numbers("i4", -1)
    episode_number: memoryview = numbers("i4")
    settled_cash: memoryview = numbers("i8")
    told_date: memoryview = numbers("i4", -1)
    told_settled: memoryview = numbers("i1")
    told_shown: memoryview = numbers("i1", -1)
    told_assets: memoryview = numbers("i8")
    told_debt: memoryview = numbers("i8")
    told_margin: memoryview = numbers("i8")
    told_last_close: memoryview = numbers("i8")
    names: list[str] = texts()

    def __init__(self) -> None:
        super().__init__()
        self.index: dict[str, int] = {}

    def add(self, name: str) -> int:
        """A new account without anything."""
        row = self.append()
        self.names[row] = name
        self.index[name] = row
        self.hot[row * HOT_WIDTH + SHOWN] = NO_DEBT
        return row

    def add_new(self, names: list[str]) -> int:
        """New accounts without anything, one after another; returns the first. SHOWN is the caller's."""
        first = self.append(len(names))
        self.names[first:] = names
        self.index.update(zip(names, range(first, self.rows), strict=True))
        return first

    def assets(self, row: int) -> int:
        """V of rulebook 1.1, 0.001 yuan."""
        at = row * HOT_WIDTH
        return self.hot[at + OWN] + self.hot[at + LONG]

    def debt(self, row: int) -> int:
        """Dt of rulebook 1.1, 0.001 yuan."""
        at = row * HOT_WIDTH
        return self.hot[at + OWED] + self.hot[at + SHORT]

    def add_cash(self, row: int, amount: int) -> None:
        """Money in (positive) or out."""
        self.cash[row] += amount
        self.hot[row * HOT_WIDTH + OWN] += amount

    def add_transit_cash(self, row: int, amount: int) -> None:
        """Money on its way to the account."""
        self.transit_cash[row] += amount
        self.hot[row * HOT_WIDTH + OWN] += amount

    def add_owed_cash(self, row: int, amount: int) -> None:
        """Cash compensation owed to lenders."""
        self.owed_cash[row] += amount
        self.hot[row * HOT_WIDTH + OWED] += amount

    def set_other_collateral(self, row: int, value: int) -> None:
        """What else the contract lets count."""
        self.hot[row * HOT_WIDTH + OWN] += value - self.other_collateral[row]
        self.other_collateral[row] = value

    def by_name(self, rows: list[int]) -> list[int]:
        """Rows in the order of account names: the order of everything that is published."""
        names = self.names
        return sorted(rows, key=lambda row: names[row])

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Columns, names and the index of names."""
        super().restore(prefix, snapshot)
        self.index = {name: row for row, name in enumerate(self.names)}
