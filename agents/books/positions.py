"""Positions in two layouts of the same rows: by account for the fold and for sweeps, by security for ticks.

A position row is what one account holds, awaits and owes in one security. Rows of an account lie together,
and so do the holders of a security (contiguous copies of the quantities, which is what a tick walks). A run
that is full moves to the end of its pool with twice the room; `compact` squeezes out what was left behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.books.columns import Columns, Snapshot, numbers
from agents.kernels.holders import enter

_FIRST_ROOM = 4
_SCAN = 24
"""Up to so many rows a Python loop finds a security faster than numpy."""


class _Rows(Columns):
    account: memoryview = numbers("i4", -1)
    security: memoryview = numbers("i4", -1)
    qty: memoryview = numbers("i8")
    transit: memoryview = numbers("i8")
    short: memoryview = numbers("i8")
    compensation: memoryview = numbers("i8")
    locked: memoryview = numbers("i8")
    frozen: memoryview = numbers("i8")
    lock_day: memoryview = numbers("i4", -1)
    settled_qty: memoryview = numbers("i8")
    place: memoryview = numbers("i8", -1)


class _Holders(Columns):
    account: memoryview = numbers("i4", -1)
    qty: memoryview = numbers("i8")
    short: memoryview = numbers("i8")
    row: memoryview = numbers("i8", -1)


class Runs(Columns):
    """Where the run of an account or a security lies in its pool: first row, rows in use, rows reserved."""

    start: memoryview = numbers("i8")
    count: memoryview = numbers("i4")
    room: memoryview = numbers("i4")


class Positions:
    """All positions. `rows` by account (`settled_qty`: `qty` as the last settled day left it), `holders` by
    security (qty and short there include what is in transit).
    """

    def __init__(self) -> None:
        self.rows = _Rows()
        self.holders = _Holders()
        self.by_account = Runs()
        self.by_security = Runs()

    def find(self, account: int, security: int) -> int:
        """The row of a security in an account, or -1."""
        runs = self.by_account
        start, count = runs.start[account], runs.count[account]
        if count > _SCAN:
            found = np.flatnonzero(self.rows.array("security")[start : start + count] == security)
            return start + int(found[0]) if len(found) else -1
        column = self.rows.security
        for row in range(start, start + count):
            if column[row] == security:
                return row
        return -1

    def ensure(self, account: int, security: int) -> int:
        """The row of a security in an account, made if there is none."""
        row = self.find(account, security)
        return row if row >= 0 else self.add(account, security)

    def run(self, account: int) -> range:
        """The account's rows; rows of securities no longer held may be among them."""
        start = self.by_account.start[account]
        return range(start, start + self.by_account.count[account])

    def reserve(self, account: int, positions: int) -> None:
        """Makes room for so many rows of an account at once."""
        runs = self.by_account
        if runs.room[account] >= positions:
            return
        if runs.count[account]:
            self._move_account(account, positions)
        else:
            runs.start[account], runs.room[account] = self.rows.append(positions), positions

    def publish(self, row: int) -> None:
        """Brings the security-major copy up to a row's quantities."""
        rows, place = self.rows, self.rows.place[row]
        self.holders.qty[place] = rows.qty[row] + rows.transit[row]
        self.holders.short[place] = rows.short[row] + rows.compensation[row]

    def add(self, account: int, security: int) -> int:
        """A new row for a security which the account has no row of yet."""
        runs = self.by_account
        if runs.count[account] == runs.room[account]:
            self.reserve(account, max(_FIRST_ROOM, 2 * runs.room[account]))
        row = runs.start[account] + runs.count[account]
        runs.count[account] += 1
        rows = self.rows
        rows.account[row] = account
        rows.security[row] = security
        rows.place[row] = self._add_holder(security, account, row)
        return row

    def add_new(
        self,
        first: int,
        accounts: int,
        account: NDArray[np.int32],
        security: NDArray[np.int32],
        qty: NDArray[np.int64],
        locked: NDArray[np.int64],
        lock_day: NDArray[np.int64],
    ) -> None:
        """Rows for the first positions of the accounts `first` and after, ordered by account."""
        counts = np.bincount(account - first, minlength=accounts)
        start = self.rows.append(len(account))
        runs, new = self.by_account, slice(first, first + accounts)
        runs.array("count")[new] = runs.array("room")[new] = counts
        runs.array("start")[new] = start + np.cumsum(counts) - counts
        held = slice(start, self.rows.rows)
        self.rows.array("account")[held] = account
        self.rows.array("security")[held] = security
        self.rows.array("qty")[held] = qty
        self.rows.array("locked")[held] = locked
        self.rows.array("lock_day")[held] = lock_day
        self._enter(security, account, qty, np.arange(start, self.rows.rows))

    def _enter(
        self,
        security: NDArray[np.int32],
        account: NDArray[np.int32],
        qty: NDArray[np.int64],
        row: NDArray[np.int64],
    ) -> None:
        """New rows join the holders of their securities."""
        runs, holders = self.by_security, self.holders
        wanted = runs.used("count") + np.bincount(security, minlength=runs.rows)
        room, more = runs.used("room").astype(np.int64), 0
        while len(short := np.flatnonzero(room < wanted)):
            room[short] = np.maximum(_FIRST_ROOM, 2 * room[short])
            more += int(room[short].sum())
        free = holders.append(more)
        enter(
            _FIRST_ROOM,
            free,
            security,
            account,
            qty,
            row,
            runs.array("start"),
            runs.array("count"),
            runs.array("room"),
            holders.array("account"),
            holders.array("qty"),
            holders.array("short"),
            holders.array("row"),
            self.rows.array("place"),
        )

    def _add_holder(self, security: int, account: int, row: int) -> int:
        runs = self.by_security
        if runs.count[security] == runs.room[security]:
            self._move_security(security, max(_FIRST_ROOM, 2 * runs.room[security]))
        place = runs.start[security] + runs.count[security]
        runs.count[security] += 1
        holders = self.holders
        holders.account[place] = account
        holders.row[place] = row
        return place

    def _move_account(self, account: int, room: int) -> None:
        runs, rows = self.by_account, self.rows
        old, count = runs.start[account], runs.count[account]
        new = rows.append(room)
        rows.copy(old, new, count)
        left = slice(old, old + count)
        rows.array("account")[left] = rows.array("security")[left] = -1
        holder_row, place = self.holders.row, rows.place
        for row in range(new, new + count):
            holder_row[place[row]] = row
        runs.start[account], runs.room[account] = new, room

    def _move_security(self, security: int, room: int) -> None:
        runs, holders = self.by_security, self.holders
        if not runs.count[security]:
            runs.start[security], runs.room[security] = holders.append(room), room
            return
        old, count = runs.start[security], runs.count[security]
        new = holders.append(room)
        holders.copy(old, new, count)
        moved = holders.array("row")[new : new + count]
        self.rows.array("place")[moved] = np.arange(new, new + count)
        holders.array("row")[old : old + count] = -1
        runs.start[security], runs.room[security] = new, room

    def living(self) -> NDArray[np.intp]:
        """Rows with any quantity, now or when a day was last settled, grouped by account."""
        rows = self.rows
        some = rows.used("qty") | rows.used("transit") | rows.used("short") | rows.used("compensation")
        some |= rows.used("settled_qty")
        alive = np.flatnonzero((some != 0) & (rows.used("account") >= 0))
        return alive[np.argsort(rows.used("account")[alive], kind="stable")]

    def compact(self) -> bool:
        """Squeezes both pools when less than a third of either is in use. Says whether it did."""
        alive = self.living()
        spare = 3 * len(alive) + 1024
        if self.rows.rows <= spare and self.holders.rows <= spare:
            return False
        rows = self.rows
        columns = {name: rows.used(name)[alive] for name in rows.SPEC}
        account, security = columns["account"], columns["security"]
        order = np.argsort(security, kind="stable")
        columns["place"] = np.empty(len(alive), dtype=np.int64)
        columns["place"][order] = np.arange(len(alive))
        held = {
            "account": account[order],
            "qty": (columns["qty"] + columns["transit"])[order],
            "short": (columns["short"] + columns["compensation"])[order],
            "row": order,
        }
        self.rows.replace(columns, len(alive))
        self.holders.replace(held, len(alive))
        _relocate(self.by_account, account)
        _relocate(self.by_security, security)
        return True

    def snapshot(self) -> Snapshot:
        """Both layouts as they are, spare room included: the same growth follows after a restart."""
        parts = (("rows", self.rows), ("holders", self.holders))
        runs = (("by_account", self.by_account), ("by_security", self.by_security))
        found: Snapshot = {}
        for name, columns in (*parts, *runs):
            found.update(columns.snapshot(f"positions.{name}"))
        return found

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Both layouts again."""
        self.rows.restore("positions.rows", snapshot)
        self.holders.restore("positions.holders", snapshot)
        self.by_account.restore("positions.by_account", snapshot)
        self.by_security.restore("positions.by_security", snapshot)


def _relocate(runs: Runs, owner: NDArray[np.int32]) -> None:
    counts = np.bincount(owner, minlength=runs.rows).astype(np.int32)
    runs.used("count")[:] = counts
    runs.used("room")[:] = counts
    runs.used("start")[:] = np.cumsum(counts) - counts
