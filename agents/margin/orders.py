"""Open orders of forced liquidations (强制平仓): one row each, found by account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from agents.books.columns import Columns, Snapshot, Spec, text_restore, text_snapshot
from schemas.alerts import LIQUIDATION_BUSINESSES

REPAY, SELL_TO_REPAY, COLLATERAL_SELL, BUY_TO_RETURN = range(4)
assert LIQUIDATION_BUSINESSES == ("repay", "sell_to_repay", "collateral_sell", "buy_to_return")


class Orders(Columns):
    """Rows of open orders. `amount` (milli) of a repay order, `qty` of the others, each less what was
    filled; `expected` price.
    """

    SPEC: ClassVar[Spec] = {
        "account": ("i4", -1, 1),
        "batch": ("i4", 0, 1),
        "number": ("i4", 0, 1),
        "business": ("i1", 0, 1),
        "security": ("i4", -1, 1),
        "left": ("i8", 0, 1),
        "expected": ("i8", 0, 1),
    }
    account: memoryview
    batch: memoryview
    number: memoryview
    business: memoryview
    security: memoryview
    left: memoryview
    expected: memoryview

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.contracts: list[str] = []
        self.free: list[int] = []
        self._of: dict[int, list[int]] = {}

    def of(self, account: int) -> list[int]:
        """Open orders of an account in their order of execution."""
        return self._of.get(account, [])

    def accounts(self) -> list[int]:
        """Accounts with open orders."""
        return list(self._of)

    def add(self, account: int, name: str, contract: str | None) -> int:
        """A new open order by its id."""
        if self.free:
            row = self.free.pop()
            self.names[row], self.contracts[row] = name, contract or ""
        else:
            row = self.append()
            self.names.append(name)
            self.contracts.append(contract or "")
        self.account[row] = account
        self._of.setdefault(account, []).append(row)
        return row

    def close(self, row: int) -> None:
        """The order is filled, or will not be."""
        account = self.account[row]
        self._of[account].remove(row)
        if not self._of[account]:
            del self._of[account]
        self._release(row)

    def _release(self, row: int) -> None:
        self.reset(row)
        self.names[row] = self.contracts[row] = ""
        self.free.append(row)

    def close_all(self, account: int) -> None:
        """Nothing of the account's orders is open any more."""
        for row in self._of.pop(account, []):
            self._release(row)

    def named(self, account: int, name: str) -> int:
        """The open order with this id, or -1."""
        return next((row for row in self.of(account) if self.names[row] == name), -1)

    def snapshot(self, prefix: str) -> Snapshot:
        """Everything."""
        order = [row for rows in self._of.values() for row in rows]
        return {
            **super().snapshot(prefix),
            f"{prefix}.names": text_snapshot(self.names),
            f"{prefix}.contracts": text_snapshot(self.contracts),
            f"{prefix}.order": np.asarray(order, dtype=np.int32),
            f"{prefix}.free": np.asarray(self.free, dtype=np.int32),
        }

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        super().restore(prefix, snapshot)
        self.names = text_restore(snapshot[f"{prefix}.names"], self.rows)
        self.contracts = text_restore(snapshot[f"{prefix}.contracts"], self.rows)
        self.free = np.asarray(snapshot[f"{prefix}.free"]).tolist()
        self._of = {}
        for row in np.asarray(snapshot[f"{prefix}.order"]).tolist():
            self._of.setdefault(self.account[row], []).append(row)
