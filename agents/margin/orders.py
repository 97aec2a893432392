"""Open orders of forced liquidations (强制平仓): one row each, found by account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.books.columns import ReusedRows, Snapshot, numbers, texts
from schemas.alerts import LIQUIDATION_BUSINESSES

REPAY, SELL_TO_REPAY, COLLATERAL_SELL, BUY_TO_RETURN = range(4)
assert LIQUIDATION_BUSINESSES == ("repay", "sell_to_repay", "collateral_sell", "buy_to_return")


class Orders(ReusedRows):
    """Rows of open orders. `amount` (milli) of a repay order, `qty` of the others, each less what was
    filled; `expected` price.
    """

    account: memoryview = numbers("i4", -1)
    batch: memoryview = numbers("i4")
    number: memoryview = numbers("i4")
    business: memoryview = numbers("i1")
    security: memoryview = numbers("i4", -1)
    left: memoryview = numbers("i8")
    expected: memoryview = numbers("i8")
    names: list[str] = texts()
    contracts: list[str] = texts()

    def __init__(self) -> None:
        super().__init__()
        self._of: dict[int, list[int]] = {}

    def of(self, account: int) -> list[int]:
        """Open orders of an account in their order of execution."""
        return self._of.get(account, [])

    def accounts(self) -> list[int]:
        """Accounts with open orders."""
        return list(self._of)

    def add(self, account: int, name: str, contract: str | None) -> int:
        """A new open order by its id."""
        row = self.take()
        self.names[row], self.contracts[row] = name, contract or ""
        self.account[row] = account
        self._of.setdefault(account, []).append(row)
        return row

    def close(self, row: int) -> None:
        """The order is filled, or will not be."""
        account = self.account[row]
        self._of[account].remove(row)
        if not self._of[account]:
            del self._of[account]
        self.give_back(row)

    def close_all(self, account: int) -> None:
        """Nothing of the account's orders is open any more."""
        for row in self._of.pop(account, []):
            self.give_back(row)

    def named(self, account: int, name: str) -> int:
        """The open order with this id, or -1."""
        return next((row for row in self.of(account) if self.names[row] == name), -1)

    def snapshot(self, prefix: str) -> Snapshot:
        """Everything."""
        order = [row for rows in self._of.values() for row in rows]
        return {
            **super().snapshot(prefix),
            f"{prefix}.order": np.asarray(order, dtype=np.int32),
        }

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        super().restore(prefix, snapshot)
        self._of = {}
        for row in np.asarray(snapshot[f"{prefix}.order"]).tolist():
            self._of.setdefault(self.account[row], []).append(row)
