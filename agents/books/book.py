"""The books of one shard: all tables together, and the few operations that keep their sums true.

Every change of a quantity, of cash or of a debt passes through here, so `hot` (agents.kernels.layout)
always equals what a full recomputation from the rows gives, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.books.accounts import Accounts
from agents.books.columns import Snapshot
from agents.books.contracts import LENDING, Contracts, NewContract
from agents.books.positions import Positions
from agents.books.securities import Securities
from agents.books.seen import Seen
from agents.books.transit import Transit
from agents.kernels.interest import accrue
from agents.kernels.layout import (
    BLIND,
    HOT_WIDTH,
    LONG,
    MARK,
    MONEY_BOUND,
    OWED,
    SECURITY_WIDTH,
    SHORT,
    VALUE,
)
from agents.kernels.valuation import reprice
from schemas.errors import BadRecord
from schemas.units import MONEY_MAX, QTY_MAX

_TABLES = ("accounts", "securities", "contracts", "transit")
_INTEREST = ("account", "alive", "opened", "since", "base", "closed_days", "running", "earned", "remainder")
_ACCRUED = (*_INTEREST, "accrued", "paid", "owed")
NO_DAY = -1


class Books:
    """Accounts, securities, positions, contracts, items in transit, ids seen. `day` is the current day
    number, -1 before any, `previous_day` the one before it; shares sold short on `return_until` or before
    may go back to the lender.
    """

    def __init__(self) -> None:
        self.accounts = Accounts()
        self.securities = Securities()
        self.positions = Positions()
        self.contracts = Contracts()
        self.transit = Transit()
        self.seen = Seen()
        self.flag = np.zeros(0, dtype=np.uint8)
        self.touched = np.zeros(0, dtype=np.int32)
        self.size = np.zeros(1, dtype=np.int32)
        self.day = self.previous_day = NO_DAY
        self.return_until = NO_DAY

    # -- rows

    def add_account(self, name: str) -> int:
        """A new account without anything."""
        row = self.accounts.add(name)
        self.positions.by_account.append()
        if row >= len(self.flag):
            self._grow_touched(max(64, 2 * (row + 1)))
        return row

    def add_accounts(self, names: list[str]) -> int:
        """New accounts, one after another; returns the first."""
        first = self.accounts.add_new(names)
        self.positions.by_account.append(len(names))
        if self.accounts.rows > len(self.flag):
            self._grow_touched(max(64, 2 * self.accounts.rows))
        return first

    def _grow_touched(self, rows: int) -> None:
        flag, touched = np.zeros(rows, dtype=np.uint8), np.zeros(rows, dtype=np.int32)
        flag[: len(self.flag)] = self.flag
        touched[: len(self.touched)] = self.touched
        self.flag, self.touched = flag, touched

    def security(self, name: str) -> int:
        """The row of a security; one never heard of gets a row without a price."""
        row = self.securities.index.get(name)
        if row is None:
            row = self.securities.add(name)
            self.positions.by_security.append()
        return row

    def holders(self) -> tuple[NDArray[Any], ...]:
        """The arrays that a tick walks, as the last arguments of `reprice` and `observe`."""
        by_security, holders = self.positions.by_security, self.positions.holders
        return (
            self.securities.array("table"),
            by_security.array("start"),
            by_security.array("count"),
            holders.array("account"),
            holders.array("qty"),
            holders.array("short"),
            self.accounts.array("hot"),
            self.flag,
            self.touched,
            self.size,
        )

    # -- what is to be looked at

    def touch(self, account: int) -> None:
        """The next evaluation looks at the account."""
        if not self.flag[account]:
            self.flag[account] = 1
            self.touched[self.size[0]] = account
            self.size[0] += 1

    def touch_all(self) -> None:
        """The next evaluation looks at every account."""
        n = self.accounts.rows
        self.flag[:n] = 1
        self.touched[:n] = np.arange(n)
        self.size[0] = n

    def take_touched(self) -> NDArray[np.int32]:
        """Accounts touched since the last time."""
        taken = self.touched[: self.size[0]].copy()
        self.flag[taken] = 0
        self.size[0] = 0
        return taken

    # -- quantities and money

    def move(self, row: int, qty: int = 0, short: int = 0, transit: int = 0, compensation: int = 0) -> None:
        """Adds to the quantities of a position row; values, bounds and the security-major copy follow."""
        rows, holders = self.positions.rows, self.positions.holders
        place = rows.place[row]
        old_long, old_short = holders.qty[place], holders.short[place]
        new_long, new_short = old_long + qty + transit, old_short + short + compensation
        if qty:
            rows.qty[row] += qty
        if short:
            rows.short[row] += short
        if transit or compensation:
            rows.transit[row] += transit
            rows.compensation[row] += compensation
        holders.qty[place], holders.short[place] = new_long, new_short
        cell = rows.security[row] * SECURITY_WIDTH
        mark, value = self.securities.table[cell + MARK], self.securities.table[cell + VALUE]
        hot, at = self.accounts.hot, rows.account[row] * HOT_WIDTH
        if value > 0:
            hot[at + LONG] = _wrapped(hot[at + LONG] + (new_long - old_long) * value)
        if mark > 0 and new_short != old_short:
            hot[at + SHORT] = _wrapped(hot[at + SHORT] + (new_short - old_short) * mark)
        was = _blind(old_long, old_short, mark, value)
        now = _blind(new_long, new_short, mark, value)
        if was != now:
            hot[at + BLIND] += 1 if now else -1

    def receive(self, account: int, security: int, qty: int, lock_day: int, row: int | None = None) -> None:
        """Securities come in; not sellable before the first `pre_open` after `lock_day`. `row`: where
        `check_room` has found them already.
        """
        if row is None:
            row = self.positions.find(account, security)
        if row < 0:
            row = self.positions.add(account, security)
        if lock_day >= self.day:
            rows = self.positions.rows
            rows.locked[row] += qty
            if lock_day > rows.lock_day[row]:
                rows.lock_day[row] = lock_day
        self.move(row, qty=qty)

    def dispose(self, row: int, qty: int) -> None:
        """Securities go out; what was sellable goes first."""
        self.move(row, qty=-qty)
        rows = self.positions.rows
        if rows.locked[row] > rows.qty[row]:
            rows.locked[row] = rows.qty[row]

    def disposable(self, account: int, security: int, qty: int) -> int:
        """The row from which `qty` may leave. Raises BadRecord when it holds less, or less that is not
        frozen.
        """
        row = self.positions.find(account, security)
        held = self.positions.rows.qty[row] if row >= 0 else 0
        if qty > held:
            raise BadRecord("qty", f"more than is held: {qty} of {held}")
        frozen = self.positions.rows.frozen[row]
        if qty > held - frozen:
            raise BadRecord("qty", f"more than is held and not frozen: {qty} of {held - frozen}")
        return row

    def check_room(self, account: int, security: int, qty: int, money: int = 0, field: str = "qty") -> int:
        """Refuses what would pass the bounds when it enters: `qty` more of a security and `money` more of
        assets. Returns the row of the security, -1 when there is none yet.
        """
        row = self.positions.find(account, security)
        held = self.positions.rows.qty[row] if row >= 0 else 0
        if held + qty > QTY_MAX:
            raise BadRecord(field, f"would take the holding beyond {QTY_MAX}")
        value = max(0, self.securities.get(security, VALUE))
        if self.accounts.assets(account) + qty * value + money > MONEY_MAX:
            raise BadRecord(field, "would take the account's assets beyond 10^11 yuan")
        return row

    # -- contracts

    def borrow(self, account: int, new: NewContract) -> int:
        """Opens a contract at the end of the account's chain; its short quantity is not part of this."""
        contracts, accounts = self.contracts, self.accounts
        row = contracts.add(account, new)
        last = -1
        for last in contracts.chain(accounts.first[account]):  # noqa: B007 - the last row is what is looked for
            pass
        if last < 0:
            accounts.first[account] = row
        else:
            contracts.following[last] = row
        self.add_base(account, new.kind, new.base)
        self.refresh_interest(row)
        return row

    def add_base(self, account: int, kind: int, base: int) -> None:
        """More or less outstanding base of contracts of one kind."""
        if kind == LENDING:
            self.accounts.proceeds[account] += base
        else:
            self.accounts.principal[account] += base
            self.accounts.hot[account * HOT_WIDTH + OWED] += base

    def refresh_interest(self, row: int) -> None:
        """Brings what a contract owes in interest to the current day."""
        contracts = self.contracts
        self.owe_interest(row, contracts.interest(row, self.day))

    def owe_interest(self, row: int, owed: int) -> None:
        """Sets the interest owed on a contract."""
        contracts, accounts = self.contracts, self.accounts
        change = owed - contracts.owed[row]
        if change:
            account = contracts.account[row]
            contracts.owed[row] = owed
            accounts.interest[account] += change
            accounts.hot[account * HOT_WIDTH + OWED] += change

    def unchain(self, row: int) -> None:
        """Takes a contract on which nothing is owed out of its account."""
        contracts, accounts = self.contracts, self.accounts
        account, following = contracts.account[row], contracts.following[row]
        if accounts.first[account] == row:
            accounts.first[account] = following
        else:
            before = next(
                r for r in contracts.chain(accounts.first[account]) if contracts.following[r] == row
            )
            contracts.following[before] = following
        contracts.give_back(row)

    def contract_named(self, account: int, name: str) -> int:
        """The row of an account's contract, -1 when there is none."""
        contracts = self.contracts
        chain = contracts.chain(self.accounts.first[account])
        return next((row for row in chain if contracts.names[row] == name), -1)

    def matured(self, account: int) -> list[int]:
        """Rows of an account's contracts that have fallen due, in the order they came."""
        contracts, day = self.contracts, self.day
        chain = contracts.chain(self.accounts.first[account])
        return [row for row in chain if contracts.matured(row, day)]

    def returnable(self, row: int) -> int:
        """Shares of a lending contract that may go back now: not those sold short too recently (rulebook
        6, `short.return_T1`).
        """
        contracts = self.contracts
        fresh = contracts.fresh[row] if contracts.fresh_day[row] > self.return_until else 0
        return max(0, contracts.qty[row] - fresh)

    # -- the day

    def turn_to(self, day: int) -> None:
        """A new day: T+1 quantities become sellable, limits and flows begin at nothing. `revalue` has to
        follow.
        """
        begins = day != self.day
        if begins:
            self.previous_day, self.day = self.day, day
        rows = self.positions.rows
        expired = rows.used("lock_day") < day
        rows.used("locked")[expired] = 0
        rows.used("lock_day")[expired] = -1
        self.positions.compact()
        if begins:
            self.securities.begin_day(day)
            self.seen.begin_day()
        self.accounts.used("late")[:] = 0

    def revalue(self) -> None:
        """Interest and marks as of the current day; every account is looked at next."""
        self.accrue()
        self.remark()
        self.touch_all()

    def accrue(self) -> None:
        """Interest of all contracts as of the current day."""
        c, accounts = self.contracts, self.accounts
        columns = [*(c.array(name) for name in _ACCRUED), accounts.array("interest"), accounts.array("hot")]
        accrue(c.rows, self.day, *columns)

    def remark(self, rows: Iterable[int] | None = None) -> None:
        """Gives securities (all, or `rows`) the mark and value that hold now."""
        if not self.securities.rows:
            return
        mark, value = self.securities.marks(self.day)
        table = self.securities.used("table")
        if rows is None:
            rows = np.flatnonzero((mark != table[:, MARK]) | (value != table[:, VALUE])).tolist()
        arrays = self.holders()
        for row in rows:
            reprice(row, int(mark[row]), int(value[row]), *arrays)

    # -- state

    def snapshot(self) -> Snapshot:
        """Everything, as arrays and bytes."""
        found: Snapshot = {}
        for name in _TABLES:
            found.update(getattr(self, name).snapshot(name))
        found.update(self.positions.snapshot())
        found.update(self.seen.snapshot())
        found["books.touched"] = self.touched[: self.size[0]].copy()
        days = [self.day, self.previous_day, self.return_until]
        found["books.day"] = np.array(days, dtype=np.int32)
        return found

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        for name in _TABLES:
            getattr(self, name).restore(name, snapshot)
        self.positions.restore(snapshot)
        self.seen.restore(snapshot)
        rows = self.accounts.capacity
        touched = np.asarray(snapshot["books.touched"], dtype=np.int32)
        self.flag, self.touched = np.zeros(rows, dtype=np.uint8), np.zeros(rows, dtype=np.int32)
        self.touched[: len(touched)] = touched
        self.flag[touched] = 1
        self.size[0] = len(touched)
        self.day, self.previous_day, self.return_until = np.asarray(snapshot["books.day"]).tolist()


def _blind(long: int, short: int, mark: int, value: int) -> bool:
    """As `agents.kernels.valuation.is_blind`, on Python integers."""
    return (long > 0 and (value < 0 or long * value > MONEY_BOUND)) or (
        short > 0 and (mark < 0 or short * mark > MONEY_BOUND)
    )


def _wrapped(value: int) -> int:
    """Modulo 2^64, as the kernels add: exact again as soon as the true value fits."""
    if -MONEY_BOUND <= value <= MONEY_BOUND:
        return value
    return ((value + 2**63) & (2**64 - 1)) - 2**63
