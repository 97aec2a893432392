"""The opening event: the books of an account as of a moment (contract section 2, `opening`).

It replaces assets and contracts; an open call, its deadline and the ids seen stay. `sellable` holds for the
Shanghai date of the event, `accrued` covers the days before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.books.book import Books
from agents.books.contracts import FINANCING, LENDING, NewContract
from agents.books.rows import EventRows
from agents.kernels.layout import FLAGS, HOT_WIDTH, MARK, OWED, SECURITY_WIDTH, VALUE
from schemas import decode_opening
from schemas.account import CLIENT_CLASSES, Opening, OpeningContract
from schemas.errors import BadRecord
from schemas.units import MONEY_MAX, QTY_MAX

if TYPE_CHECKING:
    from agents.books.fold import Fold


def open_account(fold: Fold, events: EventRows, row: int, name: str, account: int) -> int:
    """Opens or replaces an account (`account` is -1 for a new one); returns its row. Raises BadRecord
    before any change.
    """
    opening = decode_opening(events.batch.raw_of(row))
    books = fold.books
    preset = fold.terms.index(opening.preset) if opening.preset is not None else -1
    fold.check_other_collateral(opening.other_collateral or 0)
    _check_bounds(books, opening)
    if account < 0:
        account = books.add_account(name)
    else:
        _clear(books, account)
    accounts = books.accounts
    accounts.closed[account] = accounts.written_off[account] = 0
    if preset >= 0:
        flags = account * HOT_WIDTH + FLAGS
        accounts.hot[flags] = preset << 1 | (accounts.hot[flags] & 1)
    if opening.class_ is not None:
        accounts.client[account] = CLIENT_CLASSES.index(opening.class_)
    accounts.add_cash(account, opening.cash)
    accounts.set_other_collateral(account, opening.other_collateral or 0)
    _hold(books, account, opening, events.day[row])
    for contract in opening.contracts:
        _owe(fold, account, contract, events.day[row])
    return account


def _base(contract: OpeningContract) -> int:
    if contract.type == "financing" and contract.principal is not None:
        return contract.principal
    return contract.qty * contract.price


def _check_bounds(books: Books, opening: Opening) -> None:
    table, index = books.securities.table, books.securities.index
    assets = abs(opening.cash) + (opening.other_collateral or 0)
    for position in opening.positions:
        known = index.get(position.security)
        if known is not None:
            assets += position.qty * max(0, table[known * SECURITY_WIDTH + VALUE])
    if assets > MONEY_MAX:
        raise BadRecord("positions", "take the account's assets beyond 10^11 yuan")
    debt = lent = 0
    for contract in opening.contracts:
        debt += (contract.accrued or 0) + _base(contract)
        if contract.type == "lending":
            known = index.get(contract.security)
            lent += contract.qty
            if known is not None:
                debt += contract.qty * max(0, table[known * SECURITY_WIDTH + MARK])
    if debt > MONEY_MAX or lent > QTY_MAX:
        raise BadRecord("contracts", "take the account's debt beyond 10^11 yuan")


def _clear(books: Books, account: int) -> None:
    """Takes everything out of an account."""
    accounts, rows = books.accounts, books.positions.rows
    for row in books.positions.run(account):
        books.move(
            row,
            qty=-rows.qty[row],
            short=-rows.short[row],
            transit=-rows.transit[row],
            compensation=-rows.compensation[row],
        )
        rows.locked[row] = rows.frozen[row] = 0
    for item in list(books.transit.of(account)):
        books.transit.drop(item)
    for row in list(books.contracts.chain(accounts.first[account])):
        books.contracts.drop(row)
    accounts.first[account] = -1
    accounts.add_cash(account, -accounts.cash[account])
    accounts.add_transit_cash(account, -accounts.transit_cash[account])
    accounts.set_other_collateral(account, 0)
    at = account * HOT_WIDTH + OWED
    accounts.hot[at] = 0
    for column in (accounts.owed_cash, accounts.principal, accounts.interest, accounts.proceeds):
        column[account] = 0
    accounts.frozen_cash[account] = 0


def _hold(books: Books, account: int, opening: Opening, day: int) -> None:
    positions = books.positions
    fresh = positions.by_account.count[account] == 0
    if fresh:
        positions.reserve(account, len(opening.positions))
    rows, place = positions.rows, positions.add if fresh else positions.ensure
    index, add = books.securities.index, books.security
    for position in opening.positions:
        if position.qty == 0:
            continue
        security = index.get(position.security, -1)
        row = place(account, security if security >= 0 else add(position.security))
        if position.sellable is not None and position.sellable < position.qty and day >= books.day:
            rows.locked[row] = position.qty - position.sellable
            rows.lock_day[row] = day
        books.move(row, qty=position.qty)


def _owe(fold: Fold, account: int, contract: OpeningContract, day: int) -> None:
    books = fold.books
    kind = LENDING if contract.type == "lending" else FINANCING
    base, security = _base(contract), books.security(contract.security)
    accrued = contract.accrued
    if not (base or contract.qty or accrued):
        return
    new = NewContract(
        name=contract.contract,
        kind=kind,
        security=security,
        opened=contract.opened,
        qty=contract.qty,
        base=base,
        rate=fold.rate(account, kind, -1 if contract.rate is None else contract.rate),
        margin_ratio=fold.margin_ratio(
            account,
            kind,
            security,
            contract.opened,
            -1 if contract.margin_ratio is None else contract.margin_ratio,
        ),
        due=-1 if contract.due is None else contract.due,
        accrued=accrued or 0,
        covered=0 if accrued is None else base * max(0, day - contract.opened),
    )
    books.borrow(account, new)
    if kind == LENDING and contract.qty:
        books.move(books.positions.ensure(account, security), short=contract.qty)
