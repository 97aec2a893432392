"""Full recomputation of the books from their rows, beside the sums that every event keeps up to date.

The two are equal bit for bit, always; tests prove it over long histories, and `discrepancies` can be asked
at any time.
"""

from __future__ import annotations

import numpy as np

from agents.books.book import Books
from agents.books.contracts import LENDING
from agents.books.transit import RECEIVABLE
from agents.kernels.layout import BLIND, HOT_WIDTH, LONG, MARK, OWED, OWN, SHORT, VALUE
from agents.kernels.valuation import sweep


def discrepancies(books: Books) -> list[str]:
    """Where incremental and recomputed state differ: one line each, none when the books are sound."""
    return [*_marks(books), *_values(books), *_sums(books), *_holders(books)]


def _marks(books: Books) -> list[str]:
    """Marks as the kernel left them, beside the ladder of rulebook 1.4 over everything known."""
    if books.day < 0 or not books.securities.rows:
        return []
    kept = books.securities.used("table")[:, [MARK, VALUE]]
    ladder = np.stack(books.securities.marks(books.day), axis=1)
    return [
        f"{books.securities.names[row]}: marks {kept[row].tolist()}, the ladder says {ladder[row].tolist()}"
        for row in np.flatnonzero((kept != ladder).any(axis=1)).tolist()
    ]


def _values(books: Books) -> list[str]:
    """LONG, SHORT and BLIND of all accounts by a sweep over the account-major rows."""
    accounts, positions = books.accounts, books.positions
    out = np.zeros((accounts.rows, 3), dtype=np.int64)
    rows = positions.rows
    sweep(
        accounts.rows,
        positions.by_account.array("start"),
        positions.by_account.array("count"),
        rows.array("security"),
        rows.array("qty"),
        rows.array("transit"),
        rows.array("short"),
        rows.array("compensation"),
        books.securities.array("table"),
        out,
    )
    kept = accounts.used("hot")[:, [LONG, SHORT, BLIND]]
    return [
        f"{accounts.names[account]}: values {kept[account].tolist()}, rows say {out[account].tolist()}"
        for account in np.flatnonzero((kept != out).any(axis=1)).tolist()
    ]


def _sums(books: Books) -> list[str]:
    """Cash, principal, interest, proceeds, items in transit and borrowed quantities, account by account."""
    accounts, found = books.accounts, []
    for account, name in enumerate(accounts.names):
        expected = _expected(books, account)
        at = account * HOT_WIDTH
        kept = {
            "own": accounts.hot[at + OWN],
            "owed": accounts.hot[at + OWED],
            "principal": accounts.principal[account],
            "interest": accounts.interest[account],
            "proceeds": accounts.proceeds[account],
            "short": sum(books.positions.rows.short[row] for row in books.positions.run(account)),
        }
        if kept != expected:
            found.append(f"{name}: kept {kept}, recomputed {expected}")
    return found


def _expected(books: Books, account: int) -> dict[str, int]:
    accounts, contracts, transit = books.accounts, books.contracts, books.transit
    rows = list(contracts.chain(accounts.first[account]))
    lent = [row for row in rows if contracts.kind[row] == LENDING]
    principal = sum(contracts.base[row] for row in rows) - sum(contracts.base[row] for row in lent)
    interest = sum(contracts.interest(row, books.day) for row in rows)
    items = transit.of(account)
    coming = sum(transit.cash[item] for item in items if transit.side[item] == RECEIVABLE)
    leaving = sum(transit.cash[item] for item in items if transit.side[item] != RECEIVABLE)
    return {
        "own": accounts.cash[account] + accounts.other_collateral[account] + coming,
        "owed": principal + interest + leaving,
        "principal": principal,
        "interest": interest,
        "proceeds": sum(contracts.base[row] for row in lent),
        "short": sum(contracts.qty[row] for row in lent),
    }


def _holders(books: Books) -> list[str]:
    """Every position row has its copy in the security-major layout, and nothing else is there."""
    rows, holders, found = books.positions.rows, books.positions.holders, []
    for account in range(books.accounts.rows):
        for row in books.positions.run(account):
            place = rows.place[row]
            copy = (holders.account[place], holders.row[place], holders.qty[place], holders.short[place])
            long, short = rows.qty[row] + rows.transit[row], rows.short[row] + rows.compensation[row]
            if copy != (account, row, long, short):
                found.append(f"row {row}: its copy for ticks says {copy}")
    by_security, by_account = books.positions.by_security, books.positions.by_account
    if int(by_security.used("count").sum()) != int(by_account.used("count").sum()):
        found.append("the two layouts do not hold the same number of rows")
    return found
