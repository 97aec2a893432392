"""Accounts: one row each, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from agents.books.columns import Columns, Snapshot, Spec, text_restore, text_snapshot
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

    SPEC: ClassVar[Spec] = {
        "hot": ("i8", 0, HOT_WIDTH),
        "cash": ("i8", 0, 1),
        "frozen_cash": ("i8", 0, 1),
        "other_collateral": ("i8", 0, 1),
        "transit_cash": ("i8", 0, 1),
        "owed_cash": ("i8", 0, 1),
        "principal": ("i8", 0, 1),
        "interest": ("i8", 0, 1),
        "proceeds": ("i8", 0, 1),
        "first": ("i4", -1, 1),
        "client": ("i1", 0, 1),
        "closed": ("i1", 0, 1),
        "late": ("i1", 0, 1),
        "written_off": ("i1", 0, 1),
        "custody_break": ("i1", 0, 1),
        "credit_total": ("i8", -1, 1),
        "credit_financing": ("i8", -1, 1),
        "credit_lending": ("i8", -1, 1),
        "credit_until": ("i8", -1, 1),
        "group_credit_total": ("i8", -1, 1),
        "group_credit_financing": ("i8", -1, 1),
        "group_credit_lending": ("i8", -1, 1),
        "group_credit_until": ("i8", -1, 1),
        "episode": ("i4", -1, 1),
        "episode_date": ("i4", -1, 1),
        "episode_number": ("i4", 0, 1),
        "settled_cash": ("i8", 0, 1),
        "told_date": ("i4", -1, 1),
        "told_settled": ("i1", 0, 1),
        "told_shown": ("i1", -1, 1),
        "told_assets": ("i8", 0, 1),
        "told_debt": ("i8", 0, 1),
        "told_margin": ("i8", 0, 1),
        "told_last_close": ("i8", 0, 1),
    }
    hot: memoryview
    cash: memoryview
    frozen_cash: memoryview
    other_collateral: memoryview
    transit_cash: memoryview
    owed_cash: memoryview
    principal: memoryview
    interest: memoryview
    proceeds: memoryview
    first: memoryview
    custody_break: memoryview
    credit_total: memoryview
    credit_financing: memoryview
    credit_lending: memoryview
    credit_until: memoryview
    group_credit_total: memoryview
    group_credit_financing: memoryview
    group_credit_lending: memoryview
    group_credit_until: memoryview
    client: memoryview
    closed: memoryview
    late: memoryview
    written_off: memoryview
    episode: memoryview
    episode_date: memoryview
    episode_number: memoryview
    settled_cash: memoryview
    told_date: memoryview
    told_settled: memoryview
    told_shown: memoryview
    told_assets: memoryview
    told_debt: memoryview
    told_margin: memoryview
    told_last_close: memoryview

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.index: dict[str, int] = {}

    def add(self, name: str) -> int:
        """A new account without anything."""
        row = self.append()
        self.names.append(name)
        self.index[name] = row
        self.hot[row * HOT_WIDTH + SHOWN] = NO_DEBT
        return row

    def add_new(self, names: list[str]) -> int:
        """New accounts without anything, one after another; returns the first. SHOWN is the caller's."""
        first = self.append(len(names))
        self.names.extend(names)
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

    def snapshot(self, prefix: str) -> Snapshot:
        """All columns and the names."""
        return {**super().snapshot(prefix), f"{prefix}.names": text_snapshot(self.names)}

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Columns, names and the index of names."""
        super().restore(prefix, snapshot)
        self.names = text_restore(snapshot[f"{prefix}.names"], self.rows)
        self.index = {name: row for row, name in enumerate(self.names)}
