"""Paying debts back: money to interest, fees and principal, shares to lenders (contract section 2, rulebook
7.4, 9).

Everything is checked before anything changes: BadRecord leaves the books as they were.
"""

from __future__ import annotations

from collections.abc import Iterable

from agents.books.book import Books
from agents.books.contracts import FINANCING, LENDING
from agents.books.securities import REPAYMENTS, RETURNS
from agents.rules.interest import payable_milli
from schemas.errors import BadRecord


def chosen_contracts(books: Books, account: int, name: str | None) -> list[int]:
    """The named contract, or all of the account. Raises BadRecord for a name it does not have."""
    if name is None:
        return list(books.contracts.chain(books.accounts.first[account]))
    row = books.contract_named(account, name)
    if row < 0:
        raise BadRecord("contract", "the account has no such contract")
    return [row]


def repay(books: Books, account: int, amount: int, name: str | None, *, keep_excess: bool) -> int:
    """Uses `amount` milli for debts: interest of the earliest contract first, then principal of those that
    fall due today, then of overdue ones, then the earliest.

    What is due in interest is rounded to 0.01 yuan, and paying it settles the thousandths too. Returns what
    found a debt; more than is owed is a BadRecord unless `keep_excess`. The money itself is the caller's.
    """
    rows = chosen_contracts(books, account, name)
    contracts = books.contracts
    by_age = sorted(rows, key=lambda row: (contracts.opened[row], contracts.names[row]))
    dues = [payable_milli(contracts.owed[row]) for row in by_age]
    loans = _by_rank(books, (row for row in rows if contracts.kind[row] == FINANCING))
    owed = sum(dues) + sum(contracts.base[row] for row in loans)
    if amount > owed and not keep_excess:
        raise BadRecord("amount", "more than is owed")
    left = spent = min(amount, owed)
    for row, due in zip(by_age, dues, strict=True):
        part = min(left, due)
        _pay_interest(books, row, part, settles=part == due)
        left -= part
    for row in loans:
        part = min(left, contracts.base[row])
        _pay_principal(books, row, part)
        left -= part
    _drop_finished(books, rows)
    return spent


def give_back(books: Books, account: int, security: int, qty: int, name: str | None) -> None:
    """Returns `qty` borrowed shares: of the named contract, else in the order of `repay`. More than is
    borrowed, or than may go back yet, is a BadRecord. The shares themselves are the caller's.
    """
    rows, parts = returnable(books, account, security, qty, name)
    contracts = books.contracts
    position = books.positions.find(account, security)
    for row, part in zip(rows, parts, strict=True):
        whole = contracts.qty[row]
        base = (
            contracts.base[row] if part == whole else (2 * contracts.base[row] * part + whole) // (2 * whole)
        )
        contracts.take_back(row, base, books.day)
        contracts.qty[row] -= part
        books.add_base(account, LENDING, -base)
        books.refresh_interest(row)
        books.securities.flows[security * 4 + RETURNS] += part
    books.move(position, short=-qty)
    _drop_finished(books, rows)


def returnable(
    books: Books, account: int, security: int, qty: int, name: str | None
) -> tuple[list[int], list[int]]:
    """Which lending contracts take back how many of `qty` shares. Raises BadRecord when they are fewer, or
    when some were sold short too recently to be returned (rulebook 6, `short.return_T1`).
    """
    contracts = books.contracts
    lent = [
        row
        for row in chosen_contracts(books, account, name)
        if contracts.kind[row] == LENDING and contracts.security[row] == security
    ]
    rows, parts, left = [], [], qty
    for row in _by_rank(books, lent):
        part = min(left, books.returnable(row))
        if part:
            rows.append(row)
            parts.append(part)
            left -= part
    if left:
        borrowed = sum(contracts.qty[row] for row in lent)
        if qty > borrowed:
            raise BadRecord("qty", f"more than is borrowed: {qty} of {borrowed}")
        raise BadRecord("qty", "shares sold short today go back from the next trading day on")
    return rows, parts


def _by_rank(books: Books, rows: Iterable[int]) -> list[int]:
    """Those that fall due today, overdue ones, the others; the earliest opened of each first."""
    contracts, day = books.contracts, books.day

    def rank(row: int) -> tuple[int, int, str]:
        matured = contracts.matured(row, day)
        order = 2 if not matured else int(contracts.maturity[row] < day)
        return (order, contracts.opened[row], contracts.names[row])

    return sorted(rows, key=rank)


def _pay_interest(books: Books, row: int, amount: int, *, settles: bool) -> None:
    contracts = books.contracts
    paid = contracts.owed[row] if settles else amount
    if paid:
        contracts.paid[row] += paid
        books.owe_interest(row, contracts.owed[row] - paid)


def _pay_principal(books: Books, row: int, amount: int) -> None:
    if not amount:
        return
    contracts = books.contracts
    contracts.take_back(row, amount, books.day)
    contracts.qty[row] = contracts.unpaid_shares(row)
    books.add_base(contracts.account[row], FINANCING, -amount)
    books.refresh_interest(row)
    books.securities.flows[contracts.security[row] * 4 + REPAYMENTS] += amount


def _drop_finished(books: Books, rows: list[int]) -> None:
    for row in rows:
        if books.contracts.finished(row):
            books.unchain(row)
