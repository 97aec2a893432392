"""Opening many new accounts at once: what `agents.books.opening` does one by one, on columns.

Only openings that certainly pass every check and need no more than appending are taken: of accounts never
opened, without lending contracts, well within the bounds. All others are left to the other way, which also
says why one is refused. Accounts do not depend on each other, so opening these first changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agents.books.book import Books
from agents.books.contracts import FINANCING, NO_DAY
from agents.kernels.interest import interests
from agents.kernels.layout import (
    BLIND,
    FINANCING_MARGIN,
    FLAGS,
    HAIRCUT,
    KIND,
    LAST_TRADING_DAY,
    LONG,
    NO_DEBT,
    OWED,
    OWN,
    SHOWN,
    VALUE,
)
from agents.rules.maturity import least_due, matures_on
from schemas.account import KINDS, NO_CODE
from schemas.account_decoding import CREDIT_COLUMNS
from schemas.batches import AccountBatch
from schemas.errors import BadRecord
from schemas.tables import ContractEntries, PositionEntries, spans
from schemas.units import DAY_MS, MONEY_MAX, SHANGHAI_OFFSET_MS

if TYPE_CHECKING:
    from agents.books.fold import Fold

I4 = NDArray[np.int32]
I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]

_OPENING = KINDS.index("opening")
_MOST_ENTRIES = 10_000
_MOST_DAYS = 36_500
"""MONEY_MAX times either stays below 2^63."""


@dataclass(slots=True)
class _Group:
    """Openings as columns. `rows` of the batch; `held_by` and `owed_by`: which of them (by place in `rows`)
    an entry of `positions` and `contracts` belongs to, ascending; positions of nothing are left out.
    """

    rows: I8
    day: I8
    preset: I8
    positions: PositionEntries
    held_by: I8
    contracts: ContractEntries
    owed_by: I8
    base: I8
    since: I8
    due: I8
    maturity: I8
    securities: I4
    """`since`, `due` and `maturity` as contract rows have them. `securities`: row of the security an index
    into the pool stands for, -1 when never heard of or not named.
    """

    def only(self, good: Mask) -> _Group:
        """The good ones."""
        place = np.cumsum(good) - 1
        held, owed = np.flatnonzero(good[self.held_by]), np.flatnonzero(good[self.owed_by])
        return _Group(
            self.rows[good],
            self.day[good],
            self.preset[good],
            self.positions.take(held),
            place[self.held_by[held]],
            self.contracts.take(owed),
            place[self.owed_by[owed]],
            self.base[owed],
            self.since[owed],
            self.due[owed],
            self.maturity[owed],
            self.securities,
        )


def open_new(fold: Fold, batch: AccountBatch, unseen: Mask) -> I4:
    """Opens those accounts of a batch that can be opened at once; int32 account of every row, -1 for rows
    left alone. `unseen`: rows whose id was never used.
    """
    opened = np.full(len(batch), -1, np.int32)
    rows = np.flatnonzero((batch.kind == _OPENING) & unseen)
    if len(rows):
        first = np.unique(batch.account, return_index=True)[1]
        rows = rows[np.isin(rows, first)]
        index, pool = fold.books.accounts.index, batch.pool
        new = [pool[name] not in index for name in batch.account[rows].tolist()]
        group = _group(fold, batch, rows[np.array(new, np.bool_)])
        group = group.only(_certain(fold, batch, group))
        if len(group.rows):
            opened[group.rows] = _open(fold, batch, group)
    return opened


def _group(fold: Fold, batch: AccountBatch, rows: I8) -> _Group:
    held = batch.positions_start[rows], batch.positions_end[rows]
    owed = batch.contracts_start[rows], batch.contracts_end[rows]
    place = np.arange(len(rows))
    positions, held_by = batch.positions.take(spans(*held)), np.repeat(place, held[1] - held[0])
    some = np.flatnonzero(positions.qty)
    contracts = batch.contracts.take(spans(*owed))
    securities = np.full(len(batch.pool), -1, np.int32)
    named, index = _named(positions, contracts), fold.books.securities.index
    securities[named] = [index.get(batch.pool[name], -1) for name in named]
    base = np.where(contracts.principal >= 0, contracts.principal, contracts.qty * contracts.price)
    day, owed_by = (batch.ts[rows] + SHANGHAI_OFFSET_MS) // DAY_MS, np.repeat(place, owed[1] - owed[0])
    opened = contracts.opened.astype(np.int64)
    return _Group(
        rows,
        day,
        _presets(fold, batch, rows),
        positions.take(some),
        held_by[some],
        contracts,
        owed_by,
        base,
        np.where(contracts.accrued >= 0, np.maximum(opened, day[owed_by]), opened),
        *_due(fold, contracts, day[owed_by]),
        securities,
    )


def _named(positions: PositionEntries, contracts: ContractEntries) -> list[int]:
    """Securities as indices into the pool."""
    return np.flatnonzero(np.bincount(np.concatenate([positions.security, contracts.security]))).tolist()


def _presets(fold: Fold, batch: AccountBatch, rows: I8) -> I8:
    """Index of each opening's preset, 0 where none is named, -1 where nobody has described it."""
    known: dict[int, int] = {-1: 0}
    named = batch.preset[rows].tolist()
    for name in set(named) - {-1}:
        try:
            known[name] = fold.terms.index(batch.pool[name])
        except BadRecord:
            known[name] = -1
    return np.array([known[name] for name in named], np.int64)


def _certain(fold: Fold, batch: AccountBatch, group: _Group) -> Mask:
    """Openings that pass all checks beyond doubt."""
    books, rows, n = fold.books, group.rows, len(group.rows)
    positions, contracts = group.positions, group.contracts
    other = np.maximum(batch.other_collateral[rows], 0)
    good: Mask = (group.preset >= 0) & ((other == 0) | fold.other_collateral_counts())
    for entries in (group.held_by, group.owed_by):
        good &= np.bincount(entries, minlength=n) <= _MOST_ENTRIES
    security = group.securities[positions.security]
    value = np.where(security >= 0, books.securities.array("table")[security, VALUE], 0)
    value = np.maximum(value, 0)
    good[group.held_by[positions.qty > MONEY_MAX // np.maximum(value, 1)]] = False
    good[group.owed_by[~_simple(fold, group)]] = False
    assets = abs(batch.amount[rows]) + other + _sums(positions.qty * value, group.held_by, n)
    debt = _sums(np.maximum(contracts.accrued, 0) + group.base, group.owed_by, n)
    good &= (assets <= MONEY_MAX) & (debt <= MONEY_MAX)
    return good


def _simple(fold: Fold, group: _Group) -> Mask:
    """Financing contracts whose base and principal-days stay far from 2^63, that are not due yet and whose
    interest ran at one rate so far.
    """
    books, contracts, day = fold.books, group.contracts, group.day[group.owed_by]
    simple: Mask = contracts.type == FINANCING
    simple &= (contracts.principal >= 0) | (contracts.qty <= MONEY_MAX // np.maximum(contracts.price, 1))
    for reached in (day, books.day):
        simple &= abs(reached - contracts.opened.astype(np.int64)) <= _MOST_DAYS
    security = group.securities[contracts.security]
    ends = books.securities.array("table")[np.maximum(security, 0), LAST_TRADING_DAY] >= 0
    simple &= ~(ends & (security >= 0)) & (group.due >= contracts.opened) & (group.maturity > books.day)
    rates_since = np.array(fold.terms.since, np.int64)[np.maximum(group.preset, 0)[group.owed_by]]
    return simple & ((contracts.rate >= 0) | (rates_since <= contracts.opened))


def _due(fold: Fold, contracts: ContractEntries, day: I8) -> tuple[I8, I8]:
    """(due, maturity) of contracts as openings of `day` tell them, where no security is being delisted."""
    due = contracts.due.astype(np.int64)
    missing = np.flatnonzero(due < 0)
    terms = [contracts.opened[missing].astype(np.int64), day[missing]]
    due[missing] = _of_each(terms, lambda opened, as_of: least_due(opened, as_of, fold.rules))
    return due, _of_each([due], lambda date: matures_on(date, NO_DAY, fold.rules))


def _of_each(columns: list[I8], rule: Callable[..., int]) -> I8:
    """A rule of dates applied to rows; few of them differ."""
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    known = {dates: rule(*dates) for dates in set(rows)}
    return np.fromiter((known[dates] for dates in rows), np.int64, len(rows))


def _sums(values: I8, owner: I8, owners: int) -> I8:
    """Sum of the values of each owner; `owner` ascends."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    bounds = np.searchsorted(owner, np.arange(owners + 1))
    sums: I8 = total[bounds[1:]] - total[bounds[:-1]]
    return sums


def _open(fold: Fold, batch: AccountBatch, group: _Group) -> I4:
    books, rows, n = fold.books, group.rows, len(group.rows)
    pool = batch.pool
    first = books.add_accounts([pool[name] for name in batch.account[rows].tolist()])
    new = slice(first, first + n)
    accounts = books.accounts
    other = np.maximum(batch.other_collateral[rows], 0)
    accounts.array("cash")[new] = batch.amount[rows]
    accounts.array("other_collateral")[new] = other
    for line in CREDIT_COLUMNS:
        accounts.array(line)[new] = batch.column(line)[rows]
    accounts.array("client")[new] = np.where(batch.client[rows] == NO_CODE, 0, batch.client[rows])
    hot = accounts.array("hot")[new]
    hot[:, SHOWN] = NO_DEBT
    hot[:, FLAGS] = group.preset << 1
    hot[:, OWN] = batch.amount[rows] + other
    for name in _named(group.positions, group.contracts):
        if group.securities[name] < 0:
            group.securities[name] = books.security(pool[name])
    _hold(books, group, first, hot)
    _owe(fold, batch, group, first, hot)
    return np.arange(first, first + n, dtype=np.int32)


def _hold(books: Books, group: _Group, first: int, hot: I8) -> None:
    positions, owner = group.positions, group.held_by
    security = group.securities[positions.security]
    value = books.securities.array("table")[security, VALUE]
    day = group.day[owner]
    part = (positions.sellable >= 0) & (positions.sellable < positions.qty) & (day >= books.day)
    locked, lock_day = np.where(part, positions.qty - positions.sellable, 0), np.where(part, day, -1)
    account = (first + owner).astype(np.int32)
    books.positions.add_new(first, len(hot), account, security, positions.qty, locked, lock_day)
    hot[:, LONG] = _sums(positions.qty * np.maximum(value, 0), owner, len(hot))
    hot[:, BLIND] = _sums((value < 0).astype(np.int64), owner, len(hot))


def _owe(fold: Fold, batch: AccountBatch, group: _Group, first: int, hot: I8) -> None:
    books, n = fold.books, len(hot)
    owing = np.flatnonzero(group.base | np.maximum(group.contracts.accrued, 0))
    contracts, owner, base = group.contracts.take(owing), group.owed_by[owing], group.base[owing]
    security, account = group.securities[contracts.security], (first + owner).astype(np.int32)
    given = contracts.accrued >= 0
    rates = np.array([preset.financing_rate for preset in fold.terms.current], np.int64)
    rate = np.where(contracts.rate >= 0, contracts.rate, rates[group.preset[owner]])
    accrued = np.where(given, contracts.accrued, 0)
    opened, since = contracts.opened.astype(np.int64), group.since[owing]
    days = np.where(since > opened, books.day - since, np.maximum(1, books.day - opened))
    owed = accrued + interests(base * days, rate)
    columns: dict[str, NDArray[Any] | int] = {
        "account": account,
        "security": security,
        "alive": 1,
        "opened": contracts.opened,
        "due": group.due[owing],
        "maturity": group.maturity[owing],
        "qty": contracts.qty,
        "base": base,
        "first_qty": contracts.qty,
        "first_base": base,
        "fresh": contracts.qty,
        "fresh_day": contracts.opened,
        "since": since,
        "rate": rate,
        "running": rate,
        "floating": contracts.rate < 0,
        "margin_ratio": _margin_ratios(fold, contracts, security, account),
        "accrued": accrued,
        "owed": owed,
    }
    pool = batch.pool
    row = books.contracts.add_new([pool[name] for name in contracts.contract.tolist()], columns)
    accounts, new = books.accounts, slice(first, first + n)
    bounds = np.searchsorted(owner, np.arange(n + 1))
    accounts.array("first")[new] = np.where(bounds[1:] > bounds[:-1], row + bounds[:-1], -1)
    accounts.array("principal")[new] = _sums(base, owner, n)
    accounts.array("interest")[new] = _sums(owed, owner, n)
    hot[:, OWED] = accounts.array("principal")[new] + accounts.array("interest")[new]


def _margin_ratios(fold: Fold, contracts: ContractEntries, security: I4, account: I4) -> I8:
    """As `Fold.margin_ratio`, of financing contracts."""
    ratio: I8 = contracts.margin_ratio.astype(np.int64)
    missing = np.flatnonzero(ratio < 0)
    if len(missing):
        cells = fold.books.securities.array("table")[security[missing]]
        client = fold.books.accounts.array("client")[account[missing]].astype(np.int64)
        opened = contracts.opened[missing].astype(np.int64)
        facts = [client, opened, *(cells[:, column] for column in (FINANCING_MARGIN, HAIRCUT, KIND))]
        ratio[missing] = _of_each(facts, lambda *terms: fold.standard_ratio(FINANCING, *terms))
    return ratio
