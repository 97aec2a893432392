"""The opening event: the books of an account as of a moment (contract section 2, `opening`).

It replaces assets and contracts; an open call, its deadline and the ids seen stay. `sellable` holds for the
Shanghai date of the event, `accrued` covers the days before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.books.book import Books
from agents.books.contracts import LENDING, NO_DAY, NewContract
from agents.books.maturities import date_contract
from agents.books.rates import catch_up
from agents.books.rows import ContractRow, EventRows, PositionRow
from agents.kernels.layout import FLAGS, HOT_WIDTH, MARK, OWED, SECURITY_WIDTH, VALUE
from agents.rules.maturity import least_due
from schemas.account import NO_CODE
from schemas.account_decoding import CREDIT_COLUMNS
from schemas.errors import BadRecord
from schemas.units import MONEY_MAX, QTY_MAX

if TYPE_CHECKING:
    from agents.books.fold import Fold


def open_account(fold: Fold, events: EventRows, row: int, name: str, account: int) -> int:
    """Opens or replaces an account (`account` is -1 for a new one); returns its row. Raises BadRecord
    before any change.
    """
    books = fold.books
    cash, other_collateral = events.amount[row], max(0, events.other_collateral[row])
    positions, contracts = events.positions(row), events.contracts(row)
    preset = events.pool[events.preset[row]]
    terms = fold.terms.index(preset) if preset is not None else -1
    fold.check_other_collateral(other_collateral)
    _check_assets(books, abs(cash) + other_collateral, positions)
    _check_debt(books, contracts)
    accounts, before = books.accounts, 0
    if account < 0:
        account = books.add_account(name)
    else:
        before = accounts.assets(account)
        _clear(books, account)
    accounts.closed[account] = 0
    if terms >= 0:
        flags = account * HOT_WIDTH + FLAGS
        accounts.hot[flags] = terms << 1 | (accounts.hot[flags] & 1)
    if events.client[row] != NO_CODE:
        accounts.client[account] = events.client[row]
    _set_credit(books, account, events.credit(row))
    accounts.add_cash(account, cash)
    accounts.set_other_collateral(account, other_collateral)
    _hold(books, account, positions, events.day[row])
    for contract in contracts:
        _owe(fold, account, contract, events.day[row])
    if accounts.assets(account) > before:
        accounts.written_off[account] = 0
    return account


def _set_credit(books: Books, account: int, figures: list[int]) -> None:
    """The account's lines and its group's. Lines that are not named stay as they are: an opening that is
    silent on them does not lend without limit.
    """
    half = len(CREDIT_COLUMNS) // 2
    for own in (slice(0, half), slice(half, None)):
        if max(figures[own]) >= 0:
            for name, figure in zip(CREDIT_COLUMNS[own], figures[own], strict=True):
                getattr(books.accounts, name)[account] = figure


def _check_assets(books: Books, others: int, positions: list[PositionRow]) -> None:
    table, index = books.securities.table, books.securities.index
    for security, qty, _ in positions:
        known = index.get(security)
        if known is not None:
            others += qty * max(0, table[known * SECURITY_WIDTH + VALUE])
    if others > MONEY_MAX:
        raise BadRecord("positions", "take the account's assets beyond 10^11 yuan")


def _check_debt(books: Books, contracts: list[ContractRow]) -> None:
    table, index = books.securities.table, books.securities.index
    debt = lent = 0
    for contract in contracts:
        if 0 <= contract.due < contract.opened:
            raise BadRecord("contracts", f"{contract.name} is due before it was opened")
        debt += max(0, contract.accrued) + contract.base
        if contract.kind == LENDING:
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
        books.contracts.give_back(row)
    accounts.first[account] = -1
    accounts.add_cash(account, -accounts.cash[account])
    accounts.add_transit_cash(account, -accounts.transit_cash[account])
    accounts.set_other_collateral(account, 0)
    at = account * HOT_WIDTH + OWED
    accounts.hot[at] = 0
    for column in (accounts.owed_cash, accounts.principal, accounts.interest, accounts.proceeds):
        column[account] = 0
    accounts.frozen_cash[account] = 0


def _hold(books: Books, account: int, positions: list[PositionRow], day: int) -> None:
    rows, place = books.positions.rows, books.positions.ensure
    if books.positions.by_account.count[account] == 0:
        books.positions.reserve(account, len(positions))
        place = books.positions.add
    for security, qty, sellable in positions:
        if qty == 0:
            continue
        row = place(account, books.security(security))
        if 0 <= sellable < qty and day >= books.day:
            rows.locked[row] = qty - sellable
            rows.lock_day[row] = day
        books.move(row, qty=qty)


def _owe(fold: Fold, account: int, contract: ContractRow, day: int) -> None:
    books, kind = fold.books, contract.kind
    base, security = contract.base, books.security(contract.security)
    if not (base or contract.accrued > 0 or (kind == LENDING and contract.qty)):
        return
    new = NewContract(
        name=contract.name,
        kind=kind,
        security=security,
        opened=contract.opened,
        qty=contract.qty,
        base=base,
        rate=fold.rate(account, kind, contract.rate, contract.opened),
        margin_ratio=fold.margin_ratio(account, kind, security, contract.opened, contract.margin_ratio),
        floating=contract.rate < 0,
        accrued=max(0, contract.accrued),
        since=day if contract.accrued >= 0 else NO_DAY,
    )
    row = books.borrow(account, new)
    due = contract.due if contract.due >= 0 else least_due(contract.opened, day, fold.rules)
    date_contract(books, row, due, fold.rules)
    catch_up(books, fold.terms, fold.rules, row)
    if kind == LENDING and contract.qty:
        books.move(books.positions.ensure(account, security), short=contract.qty)
