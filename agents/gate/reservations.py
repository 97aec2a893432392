"""What accepted orders reserve until they are filled, closed or the day ends: margin, cash, credit, shares.

A row is one open order. Every figure is kept as it was at acceptance, together with the quantity; what is
still reserved is in proportion to the quantity left, rounded up, so it depends on the quantity filled and
not on the number of fills.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.books.columns import ReusedRows, Snapshot, numbers, texts
from schemas.orders import ORDER_BUSINESSES

FIGURES = ("margin", "own_cash", "cover_cash", "financing", "lending", "leaving")
MARGIN, OWN_CASH, COVER_CASH, FINANCING, LENDING, LEAVING = range(len(FIGURES))
SELLING, BUYING, RETURNING, LENT = range(4)
"""Shares reserved of a security: to be sold or withdrawn, bought, returned, borrowed."""

_SHARES_OF = {
    "collateral_buy": BUYING,
    "financing_buy": BUYING,
    "collateral_sell": SELLING,
    "sell_to_repay": SELLING,
    "withdraw_security": SELLING,
    "short_sell": LENT,
    "buy_to_return": RETURNING,
}
_SIDE = [_SHARES_OF.get(business, -1) for business in ORDER_BUSINESSES]
NOTHING = (0,) * len(FIGURES)
NO_SHARES = (0, 0, 0, 0)


class Reservations(ReusedRows):
    """Rows of open orders. `business` indexes ORDER_BUSINESSES; `qty` and `left` are shares, or milli of a
    request for money. Figures in milli: `margin` of new debt and of what leaves; `own_cash` that may not be
    short-sale proceeds, `cover_cash` that may; `financing`, `lending`: value of new debt; `leaving`: value
    that leaves the account.
    """

    account: memoryview = numbers("i4", -1)
    security: memoryview = numbers("i4", -1)
    business: memoryview = numbers("i1")
    qty: memoryview = numbers("i8")
    left: memoryview = numbers("i8")
    margin: memoryview = numbers("i8")
    own_cash: memoryview = numbers("i8")
    cover_cash: memoryview = numbers("i8")
    financing: memoryview = numbers("i8")
    lending: memoryview = numbers("i8")
    leaving: memoryview = numbers("i8")
    names: list[str] = texts()

    def __init__(self) -> None:
        super().__init__()
        self._of: dict[int, dict[str, int]] = {}
        self._sums: dict[int, list[int]] = {}
        self._shares: dict[tuple[int, int], list[int]] = {}
        self._lent: dict[int, int] = {}

    # -- what is reserved

    def __bool__(self) -> bool:
        """Whether any order is open."""
        return bool(self._of)

    def of(self, account: int) -> list[int]:
        """Open orders of an account, oldest first."""
        return list(self._of.get(account, {}).values())

    def named(self, account: int, name: str) -> int:
        """The open order with this id, or -1."""
        return self._of.get(account, {}).get(name, -1)

    def sums(self, account: int) -> tuple[int, ...] | list[int]:
        """Reserved figures of an account, in the order of FIGURES."""
        return self._sums.get(account, NOTHING)

    def shares(self, account: int, security: int) -> tuple[int, ...] | list[int]:
        """Reserved shares of a security in an account: selling, buying, returning, lent."""
        return self._shares.get((account, security), NO_SHARES)

    def lent(self, security: int) -> int:
        """Shares of a security that open short sales of the whole shard will borrow."""
        return self._lent.get(security, 0)

    # -- changes

    def add(
        self, account: int, name: str, business: int, security: int, qty: int, figures: tuple[int, ...]
    ) -> int:
        """Reserves for an accepted order; `figures` in the order of FIGURES. Returns the row."""
        row = self.take()
        self.names[row] = name
        self.account[row], self.security[row], self.business[row] = account, security, business
        self.qty[row] = self.left[row] = qty
        for column, figure in zip(FIGURES, figures, strict=True):
            getattr(self, column)[row] = figure
        self._of.setdefault(account, {})[name] = row
        self._count(row, +1)
        return row

    def use(self, row: int, done: int) -> None:
        """So much of an order is done; the rest stays reserved."""
        left = self.left[row] - done
        if left <= 0:
            self.close(row)
            return
        self._count(row, -1)
        self.left[row] = left
        self._count(row, +1)

    def close(self, row: int) -> None:
        """Nothing is reserved for the order any more."""
        self._count(row, -1)
        account = self.account[row]
        del self._of[account][self.names[row]]
        if not self._of[account]:
            del self._of[account], self._sums[account]
        self.give_back(row)

    def end_day(self) -> None:
        """The day's orders are over."""
        for account in list(self._of):
            for row in self.of(account):
                self.close(row)

    def reserved(self, row: int) -> list[int]:
        """What is still reserved for an order, in the order of FIGURES."""
        qty, left = self.qty[row], self.left[row]
        return [-(-getattr(self, name)[row] * left // qty) for name in FIGURES]

    def _count(self, row: int, sign: int) -> None:
        account, security, side = self.account[row], self.security[row], _SIDE[self.business[row]]
        sums = self._sums.setdefault(account, [0] * len(FIGURES))
        for place, figure in enumerate(self.reserved(row)):
            sums[place] += sign * figure
        if side < 0:
            return
        shares = self._shares.setdefault((account, security), [0] * len(NO_SHARES))
        shares[side] += sign * self.left[row]
        if not any(shares):
            del self._shares[account, security]
        if side == LENT:
            self._lent[security] = self._lent.get(security, 0) + sign * self.left[row]

    # -- state

    def snapshot(self, prefix: str) -> Snapshot:
        """Everything."""
        order = [row for rows in self._of.values() for row in rows.values()]
        return {
            **super().snapshot(prefix),
            f"{prefix}.order": np.asarray(order, dtype=np.int32),
        }

    def restore(self, prefix: str, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        super().restore(prefix, snapshot)
        self._of, self._sums, self._shares, self._lent = {}, {}, {}, {}
        for row in np.asarray(snapshot[f"{prefix}.order"]).tolist():
            self._of.setdefault(self.account[row], {})[self.names[row]] = row
            self._count(row, +1)
