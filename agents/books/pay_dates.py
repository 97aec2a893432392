"""The pay date of a corporate action (rulebook 11): rights that nobody subscribed lapse, and where the preset
says `auto_pay` everything is paid without a further account event.
"""

from __future__ import annotations

from agents.books.actions import lapse, settle
from agents.books.book import Books
from agents.books.contracts import LENDING
from agents.books.securities import RETURNS
from agents.books.terms import Terms
from agents.books.transit import COMPENSATION
from agents.kernels.layout import FLAGS, HOT_WIDTH


def pay_out(books: Books, terms: Terms, day: int) -> None:
    """Everything with a pay date up to `day`. With `auto_pay` cash and shares are credited; of a short, cash
    is debited and shares are added to what its lending contracts owe, in proportion. Shares owed where no
    contract is left stay owed until they are returned.
    """
    transit = books.transit
    for account in transit.accounts():
        due = [item for item in transit.of(account) if 0 <= transit.pay_date[item] <= day]
        auto_pay = terms.current[books.accounts.hot[account * HOT_WIDTH + FLAGS] >> 1].auto_pay
        for item in due:
            if not lapse(books, item) and auto_pay:
                _pay(books, item)


def _pay(books: Books, item: int) -> None:
    transit = books.transit
    account, security = transit.account[item], transit.security[item]
    cash, shares = transit.cash[item], transit.shares[item]
    if transit.side[item] == COMPENSATION:
        lent = _lent(books, account, security)
        if shares and not lent:
            return
        settle(books, item)
        books.accounts.add_cash(account, -cash)
        _owe_more(books, account, security, lent, shares)
        return
    settle(books, item)
    books.accounts.add_cash(account, cash)
    if shares:
        books.receive(account, security, shares, books.day)


def _lent(books: Books, account: int, security: int) -> list[int]:
    """Lending contracts in a security, the earliest first."""
    contracts = books.contracts
    rows = [
        row
        for row in contracts.chain(books.accounts.first[account])
        if contracts.kind[row] == LENDING and contracts.security[row] == security and contracts.qty[row]
    ]
    return sorted(rows, key=lambda row: (contracts.opened[row], contracts.names[row]))


def _owe_more(books: Books, account: int, security: int, lent: list[int], shares: int) -> None:
    """The quantity borrowed grows, what it was sold for does not. It counts as a rights adjustment (权益调整)
    among the day's returns, which the exchange's identity (rulebook 5.2) has as a deduction there.
    """
    if not shares:
        return
    contracts = books.contracts
    whole = sum(contracts.qty[row] for row in lent)
    parts = [shares * contracts.qty[row] // whole for row in lent]
    parts[0] += shares - sum(parts)
    for row, part in zip(lent, parts, strict=True):
        contracts.qty[row] += part
        contracts.first_qty[row] += part
    books.move(books.positions.ensure(account, security), short=shares)
    books.securities.flows[security * 4 + RETURNS] -= shares
