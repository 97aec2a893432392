"""What a corporate action (公司行为) owes a holder, or a short owes the lender, between ex-date and payment
(rulebook 11).

Rows are few: one per account, action and side. Cash in transit is part of an account's OWN or OWED; shares
in transit are part of its position row, so they move with the mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.books.columns import ReusedRows, Snapshot, numbers, text_snapshot, texts

RECEIVABLE = 0
COMPENSATION = 1


class Transit(ReusedRows):
    """Open items. `cash` (milli) and `shares` are what counts now. Of a rights issue (配股): `entitled`
    shares may still be subscribed at `price`; `worth`, what the right to one of them counts at, and `paid`,
    money that is no share yet, are part of `cash`.
    """

    account: memoryview = numbers("i4", -1)
    security: memoryview = numbers("i4", -1)
    side: memoryview = numbers("i1")
    cash: memoryview = numbers("i8")
    shares: memoryview = numbers("i8")
    entitled: memoryview = numbers("i8")
    price: memoryview = numbers("i8")
    worth: memoryview = numbers("i8")
    paid: memoryview = numbers("i8")
    pay_date: memoryview = numbers("i4", -1)
    actions: list[str] = texts()

    def __init__(self) -> None:
        super().__init__()
        self._of: dict[int, list[int]] = {}
        self.announced: dict[str, set[int]] = {}
        """Rights issues whose ex-date is still to come: action -> securities. Who fills it restores it."""

    def of(self, account: int) -> list[int]:
        """Open items of an account."""
        return self._of.get(account, [])

    def accounts(self) -> list[int]:
        """Accounts with open items."""
        return list(self._of)

    def item(self, account: int, action: str, security: int) -> int:
        """The item of an action that the account has as a holder, -1 for none."""
        for row in self.of(account):
            if (
                self.actions[row] == action
                and self.security[row] == security
                and self.side[row] == RECEIVABLE
            ):
                return row
        return -1

    def add(self, account: int, action: str, security: int, side: int) -> int:
        """A new empty item."""
        row = self.take()
        self.actions[row] = action
        self.account[row], self.security[row], self.side[row] = account, security, side
        self._of.setdefault(account, []).append(row)
        return row

    def drop(self, row: int) -> None:
        """The item is settled."""
        account = self.account[row]
        self._of[account].remove(row)
        if not self._of[account]:
            del self._of[account]
        self.give_back(row)

    def snapshot(self, prefix: str) -> Snapshot:
        """All items."""
        return {
            **super().snapshot(prefix),
            f"{prefix}.order": text_snapshot([f"{row}" for rows in self._of.values() for row in rows]),
            f"{prefix}.free": text_snapshot([f"{row}" for row in self.free]),
        }

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """All items again, in the same order."""
        super().restore(prefix, {**snapshot, f"{prefix}.free": _numbers(snapshot[f"{prefix}.free"])})
        self._of = {}
        for row in _numbers(snapshot[f"{prefix}.order"]):
            self._of.setdefault(self.account[row], []).append(row)


def _numbers(data: Any) -> list[int]:
    return [int(text) for text in bytes(data).decode().split("\n") if text]
