"""Corporate actions (公司行为, rulebook 11): what a holder is to get and a short owes, from ex-date to
payment.

| action | holder | short |
|---|---|---|
| dividend | cash in transit, net of the action's `tax` | the gross dividend in cash |
| bonus, split | shares in transit at the mark | as many shares at the mark |
| rights | nothing until paid for: money out turns into shares in transit | nothing |

An item ends with the first account event that carries its `action`: money or securities in for a holder,
out for a short; or at `pay_date` where the preset says `auto_pay`.
"""

from __future__ import annotations

from agents.books.book import Books
from agents.books.terms import Terms
from agents.books.transit import COMPENSATION, RECEIVABLE
from agents.kernels.layout import FLAGS, HOT_WIDTH
from schemas.reference import CorporateAction
from schemas.units import MONEY_MAX, QTY_MAX, RATE_SCALE

_PER_SHARE = 1_000_000
"""`cash_per_share` is in 1e-6 yuan, `shares_per_share` in 1e-6 shares."""

_CASH_MAX, _SHARES_MAX = 2 * MONEY_MAX, 2 * QTY_MAX
"""No item is larger. It is beyond the bounds already, so the account is flagged."""


def go_ex(books: Books, action: CorporateAction) -> None:
    """The ex-date begins: items for everybody who holds or owes the security."""
    security = books.securities.index.get(action.security)
    if security is None:
        return
    runs, holders, rows = books.positions.by_security, books.positions.holders, books.positions.rows
    start = runs.start[security]
    for place in range(start, start + runs.count[security]):
        row = holders.row[place]
        if rows.qty[row]:
            _receivable(books, row, action)
        if rows.short[row]:
            _compensation(books, row, action)


def _receivable(books: Books, row: int, action: CorporateAction) -> None:
    rows = books.positions.rows
    qty, account = rows.qty[row], rows.account[row]
    shares = min(qty * (action.shares_per_share or 0) // _PER_SHARE, _SHARES_MAX)
    gross = qty * (action.cash_per_share or 0)
    cash = _milli(gross * (RATE_SCALE - (action.tax or 0)), RATE_SCALE)
    item = _item(books, row, action, RECEIVABLE)
    transit = books.transit
    if action.kind == "rights":
        transit.entitled[item] = shares
        return
    transit.cash[item], transit.shares[item] = cash, shares
    books.accounts.add_transit_cash(account, cash)
    books.move(row, transit=shares)


def _compensation(books: Books, row: int, action: CorporateAction) -> None:
    if action.kind == "rights":
        return
    rows = books.positions.rows
    qty, account = rows.short[row], rows.account[row]
    cash = _milli(qty * (action.cash_per_share or 0), 1)
    shares = min(qty * (action.shares_per_share or 0) // _PER_SHARE, _SHARES_MAX)
    item = _item(books, row, action, COMPENSATION)
    books.transit.cash[item], books.transit.shares[item] = cash, shares
    books.accounts.add_owed_cash(account, cash)
    books.move(row, compensation=shares)


def _item(books: Books, row: int, action: CorporateAction, side: int) -> int:
    transit, rows = books.transit, books.positions.rows
    item = transit.add(rows.account[row], action.action)
    transit.security[item] = rows.security[row]
    transit.side[item] = side
    transit.price[item] = action.price or 0
    transit.pay_date[item] = -1 if action.pay_date is None else action.pay_date
    return item


def _milli(micro: int, scale: int) -> int:
    """1e-6 yuan (times `scale`) in milli, rounded half up."""
    unit = 1000 * scale
    return min((2 * micro + unit) // (2 * unit), _CASH_MAX)


def release(books: Books, account: int, action: str | None, amount: int) -> None:
    """An account event carrying `action` arrived: `amount` (money or shares) > 0 came in, < 0 went out."""
    if action is None:
        return
    transit = books.transit
    for item in list(books.transit.of(account)):
        if transit.actions[item] != action:
            continue
        if transit.entitled[item] and amount < 0:
            _subscribe(books, item, -amount)
        elif (transit.side[item] == RECEIVABLE) == (amount > 0):
            settle(books, item)


def _subscribe(books: Books, item: int, money: int) -> None:
    """Rights are paid for: the shares are on their way and count at the mark."""
    transit = books.transit
    shares = min(transit.entitled[item], money // transit.price[item])
    transit.entitled[item] -= shares
    transit.shares[item] += shares
    books.move(books.positions.ensure(transit.account[item], transit.security[item]), transit=shares)


def settle(books: Books, item: int) -> None:
    """An item is no longer open; what takes its place is the caller's."""
    transit, account = books.transit, books.transit.account[item]
    row = books.positions.ensure(account, transit.security[item])
    if transit.side[item] == RECEIVABLE:
        books.accounts.add_transit_cash(account, -transit.cash[item])
        books.move(row, transit=-transit.shares[item])
    else:
        books.accounts.add_owed_cash(account, -transit.cash[item])
        books.move(row, compensation=-transit.shares[item])
    transit.drop(item)


def pay_out(books: Books, terms: Terms, day: int) -> None:
    """At `pay_date`, where the preset says `auto_pay`: cash and shares are credited, cash compensation is
    debited. Shares owed to a lender stay owed until they are returned. Rights that nobody paid for lapse on
    that day.
    """
    transit = books.transit
    for account in transit.accounts():
        for item in list(transit.of(account)):
            if transit.entitled[item] and not transit.shares[item] and 0 <= transit.pay_date[item] <= day:
                settle(books, item)
        if not terms.current[books.accounts.hot[account * HOT_WIDTH + FLAGS] >> 1].auto_pay:
            continue
        for item in list(transit.of(account)):
            if 0 <= transit.pay_date[item] <= day:
                _pay(books, item)


def _pay(books: Books, item: int) -> None:
    transit = books.transit
    account, security = transit.account[item], transit.security[item]
    cash, shares = transit.cash[item], transit.shares[item]
    if transit.side[item] == COMPENSATION:
        if shares:
            return
        cash = -cash
    settle(books, item)
    books.accounts.add_cash(account, cash)
    if cash >= 0 and shares:
        books.receive(account, security, shares, books.day)


def owes_compensation(books: Books, account: int) -> bool:
    """Whether the account still owes a lender what a corporate action brought."""
    return any(books.transit.side[item] == COMPENSATION for item in books.transit.of(account))
