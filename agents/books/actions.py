"""Corporate actions (公司行为, rulebook 11): what a holder is to get and a short owes, from ex-date to
payment.

| action | holder | short |
|---|---|---|
| dividend | cash in transit, net of tax as the policy has it | the gross dividend in cash |
| bonus, split | shares in transit at the mark | as many shares at the mark |
| rights | the right's worth while it can be subscribed, then shares in transit | the right's worth in cash |

The subscription of rights (配股缴款) usually ends before the ex-date: money paid for an announced action is
in transit until then and turns into shares on it. A right can be subscribed before its `pay_date`; without
one that is not known, and the right counts for nothing.

The money part of an item ends with the account event that carries its `action` and moves money, the part in
shares with the one that moves shares (in for a holder, out for a short); an event of the other kind ends an
item that has no part of its own. Or both end at `pay_date` where the preset says `auto_pay`.
"""

from __future__ import annotations

from agents.books.book import Books
from agents.books.transit import COMPENSATION, RECEIVABLE
from agents.kernels.layout import MARK, VALUE
from agents.rules.corporate_actions import PER_SHARE, ActionTerms, TransitPolicy, right_value
from schemas.reference import CorporateAction
from schemas.units import MONEY_MAX, QTY_MAX, RATE_SCALE

RIGHTS = "rights"

_CASH_MAX, _SHARES_MAX = 2 * MONEY_MAX, 2 * QTY_MAX
"""No item is larger. It is beyond the bounds already, so the account is flagged."""


def terms_of(action: CorporateAction) -> ActionTerms:
    """What an action brings per old share."""
    shares, rights = action.shares_per_share or 0, action.kind == RIGHTS
    return ActionTerms(
        cash=action.cash_per_share or 0,
        free=0 if rights else shares,
        offered=shares if rights else 0,
        price=action.price or 0 if rights else 0,
    )


def go_ex(books: Books, action: CorporateAction, policy: TransitPolicy) -> None:
    """The ex-date begins: items for everybody who holds or owes the security, at the mark of now."""
    security = books.securities.index.get(action.security)
    if security is None:
        return
    runs, holders, rows = books.positions.by_security, books.positions.holders, books.positions.rows
    start = runs.start[security]
    for place in range(start, start + runs.count[security]):
        row = holders.row[place]
        if rows.qty[row]:
            _receivable(books, row, action, policy)
        if rows.short[row]:
            _compensation(books, row, action)


def _receivable(books: Books, row: int, action: CorporateAction, policy: TransitPolicy) -> None:
    rows, transit, terms = books.positions.rows, books.transit, terms_of(action)
    qty, account, security = rows.qty[row], rows.account[row], rows.security[row]
    cash = _milli(qty * terms.cash * policy.kept(action.tax), RATE_SCALE)
    shares, entitled = _shares(qty, terms.free), _shares(qty, terms.offered)
    if not (cash or shares or entitled):
        return
    item = transit.item(account, action.action, security)
    if item < 0:
        item = transit.add(account, action.action, security, RECEIVABLE)
    _date(books, item, action)
    _count(books, item, cash=cash, shares=shares)
    transit.entitled[item], transit.price[item] = entitled, terms.price
    if policy.entitlement and transit.pay_date[item] > books.day:
        _value_right(books, item)
    _turn_into_shares(books, item)


def _compensation(books: Books, row: int, action: CorporateAction) -> None:
    rows, terms = books.positions.rows, terms_of(action)
    qty, account, security = rows.short[row], rows.account[row], rows.security[row]
    mark = max(0, books.securities.get(security, MARK))
    offered = _shares(qty, terms.offered)
    cash = _milli(qty * terms.cash, 1) + min(right_value(offered, mark, terms.price), _CASH_MAX)
    shares = _shares(qty, terms.free)
    if not (cash or shares):
        return
    item = books.transit.add(account, action.action, security, COMPENSATION)
    _date(books, item, action)
    _count(books, item, cash=cash, shares=shares)


def _date(books: Books, item: int, action: CorporateAction) -> None:
    books.transit.pay_date[item] = -1 if action.pay_date is None else action.pay_date


def _shares(qty: int, per_share: int) -> int:
    return min(qty * per_share // PER_SHARE, _SHARES_MAX)


def _milli(micro: int, scale: int) -> int:
    """1e-6 yuan (times `scale`) in milli, rounded half up."""
    unit = 1000 * scale
    return min((2 * micro + unit) // (2 * unit), _CASH_MAX)


def _count(books: Books, item: int, cash: int = 0, shares: int = 0) -> None:
    """Adds to what an item counts; the account's sums follow."""
    transit = books.transit
    account, owed = transit.account[item], transit.side[item] == COMPENSATION
    transit.cash[item] += cash
    transit.shares[item] += shares
    if cash:
        (books.accounts.add_owed_cash if owed else books.accounts.add_transit_cash)(account, cash)
    if shares:
        row = books.positions.ensure(account, transit.security[item])
        books.move(row, transit=0 if owed else shares, compensation=shares if owed else 0)
    books.touch(account)


# -- rights


def _value_right(books: Books, item: int) -> None:
    """What may still be subscribed counts at what one share is worth above its price now."""
    transit = books.transit
    value = max(0, books.securities.get(transit.security[item], VALUE))
    worth = min(right_value(1, value, transit.price[item]), _CASH_MAX // max(1, transit.entitled[item]))
    _count(books, item, cash=(worth - transit.worth[item]) * transit.entitled[item])
    transit.worth[item] = worth


def _turn_into_shares(books: Books, item: int) -> None:
    """Money paid for rights becomes shares on their way, as far as it goes."""
    transit = books.transit
    if not transit.entitled[item] or not transit.paid[item]:
        return
    price, worth = transit.price[item], transit.worth[item]
    shares = min(transit.entitled[item], transit.paid[item] // price)
    transit.entitled[item] -= shares
    transit.paid[item] -= shares * price
    _count(books, item, cash=-shares * (price + worth), shares=shares)


def lapse(books: Books, item: int) -> bool:
    """What was not subscribed is worth nothing any more. Returns whether nothing is left of the item."""
    transit = books.transit
    _count(books, item, cash=-transit.worth[item] * transit.entitled[item])
    transit.entitled[item] = transit.worth[item] = 0
    return _drop_empty(books, item)


def revalue_rights(books: Books, policy: TransitPolicy) -> None:
    """Once a day, at the marks with which it begins: rights that can still be subscribed, as the policy of
    the day has it.
    """
    transit = books.transit
    for account in transit.accounts():
        for item in transit.of(account):
            if not transit.entitled[item]:
                continue
            if policy.entitlement and transit.pay_date[item] > books.day:
                _value_right(books, item)
            elif transit.worth[item]:
                _count(books, item, cash=-transit.worth[item] * transit.entitled[item])
                transit.worth[item] = 0


# -- what ends an item


def release_cash(books: Books, account: int, action: str | None, amount: int) -> None:
    """Money that names `action` came in (milli, > 0) or went out."""
    if action is None:
        return
    transit = books.transit
    items = [item for item in transit.of(account) if transit.actions[item] == action]
    if not items and amount < 0 and action in transit.announced:
        security = min(transit.announced[action], key=lambda row: books.securities.names[row])
        items = [transit.add(account, action, security, RECEIVABLE)]
    for item in items:
        if transit.side[item] == COMPENSATION:
            if amount < 0:
                _end_cash(books, item)
        elif amount < 0:
            _pay_in(books, item, -amount)
        elif transit.paid[item]:
            _refund(books, item, amount)
        else:
            _end_cash(books, item)


def release_shares(books: Books, account: int, action: str | None, qty: int) -> None:
    """Shares that name `action` came in (> 0) or went out."""
    if action is None:
        return
    transit = books.transit
    for item in list(transit.of(account)):
        if transit.actions[item] != action or (transit.side[item] == RECEIVABLE) != (qty > 0):
            continue
        if transit.price[item] or not transit.shares[item]:
            settle(books, item)
        else:
            _count(books, item, shares=-transit.shares[item])
            _drop_empty(books, item)


def _pay_in(books: Books, item: int, money: int) -> None:
    """Money for rights: of an issue still to go ex, or of one that may still be subscribed."""
    transit = books.transit
    if not transit.entitled[item] and transit.actions[item] not in transit.announced:
        return
    transit.paid[item] += money
    _count(books, item, cash=money)
    _turn_into_shares(books, item)


def _refund(books: Books, item: int, money: int) -> None:
    """Money paid for rights comes back."""
    transit = books.transit
    back = min(money, transit.paid[item])
    transit.paid[item] -= back
    _count(books, item, cash=-back)
    _drop_empty(books, item)


def _end_cash(books: Books, item: int) -> None:
    """The money part is over, or the whole item where there is none."""
    transit = books.transit
    cash = transit.cash[item] - transit.worth[item] * transit.entitled[item]
    if not cash:
        settle(books, item)
        return
    _count(books, item, cash=-cash)
    _drop_empty(books, item)


def _drop_empty(books: Books, item: int) -> bool:
    transit = books.transit
    if transit.cash[item] or transit.shares[item] or transit.entitled[item]:
        return False
    transit.drop(item)
    return True


def settle(books: Books, item: int) -> None:
    """An item is no longer open; what takes its place is the caller's."""
    transit = books.transit
    _count(books, item, cash=-transit.cash[item], shares=-transit.shares[item])
    transit.drop(item)


def owes_compensation(books: Books, account: int) -> bool:
    """Whether the account still owes a lender what a corporate action brought."""
    return any(books.transit.side[item] == COMPENSATION for item in books.transit.of(account))
