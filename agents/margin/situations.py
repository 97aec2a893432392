"""What the planner is told about an account of a shard: books, prices, obligations and what this slice may
send.
"""

from __future__ import annotations

from agents.books.contracts import LENDING
from agents.kernels.layout import (
    ADV_20,
    ASK_PRICE,
    ASK_QTY,
    BID_PRICE,
    BID_QTY,
    DELISTING,
    HALTED,
    MARK,
    ST,
    SUSPENDED,
    VALUE,
)
from agents.liquidation.situation import NOT_GIVEN, Book, Holding, Short, Situation
from agents.liquidation.tradable import why_uncoverable, why_unsellable
from agents.margin.desk import Desk
from agents.margin.obligations import Obligations, due_now
from agents.margin.slices import COVER, SALE


def situation_of(desk: Desk, account: int) -> Situation:
    """An account now, and what a plan of forced liquidation has to achieve for it."""
    accounts, preset = desk.books.accounts, desk.preset(account)
    own = accounts.cash[account] - accounts.frozen_cash[account]
    proceeds = accounts.proceeds[account]
    aim = due_now(desk, account)
    return Situation(
        free_cash=max(0, own - proceeds),
        short_proceeds=max(0, min(own, proceeds)),
        repayable=accounts.principal[account] + accounts.interest[account],
        assets=accounts.assets(account),
        debt=accounts.debt(account),
        target=preset.target,
        day=desk.books.day,
        commission=preset.commission,
        holdings=tuple(_holdings(desk, account)),
        shorts=tuple(_shorts(desk, account, aim)),
        must_repay=aim.money,
        to_target=aim.to_target,
        rules=desk.rules,
    )


def _holdings(desk: Desk, account: int) -> list[Holding]:
    securities, rows = desk.books.securities, desk.books.positions.rows
    found = []
    for row in desk.books.positions.run(account):
        security, qty = rows.security[row], rows.qty[row]
        if not qty:
            continue
        adv = securities.get(security, ADV_20)
        found.append(
            Holding(
                security=securities.names[security],
                qty=qty,
                sellable=max(0, qty - rows.locked[row] - rows.frozen[row]),
                mark=max(0, securities.get(security, VALUE)),
                expected=max(0, securities.get(security, MARK)),
                board=securities.board(security),
                kind=securities.kind(security),
                why_unsellable=unsellable_now(desk, security),
                frozen=rows.frozen[row],
                st=bool(securities.get(security, ST)),
                delisting=securities.get(security, DELISTING) == 1,
                days_to_liquidate=(qty, adv) if adv > 0 else None,
                book=book_of(desk, security),
                quota=desk.slices.quota(desk, security, SALE),
            )
        )
    return sorted(found, key=lambda holding: holding.security)


def _shorts(desk: Desk, account: int, aim: Obligations) -> list[Short]:
    books = desk.books
    contracts, securities = books.contracts, books.securities
    found = []
    for row in contracts.chain(books.accounts.first[account]):
        security, qty = contracts.security[row], contracts.qty[row]
        if contracts.kind[row] != LENDING or not qty:
            continue
        mark = max(0, securities.get(security, MARK))
        found.append(
            Short(
                contract=contracts.names[row],
                security=securities.names[security],
                qty=qty,
                sale_price=contracts.base[row] // qty,
                mark=mark,
                expected=mark,
                board=securities.board(security),
                kind=securities.kind(security),
                why_uncoverable=uncoverable_now(desk, security),
                st=bool(securities.get(security, ST)),
                delisting=securities.get(security, DELISTING) == 1,
                book=book_of(desk, security),
                must_cover=row in aim.contracts,
                quota=desk.slices.quota(desk, security, COVER),
                fresh=qty - books.returnable(row),
            )
        )
    return sorted(found, key=lambda short: (short.security, short.contract))


def book_of(desk: Desk, security: int) -> Book:
    """Prices of the day around a forced order."""
    day, securities = desk.books.day, desk.books.securities
    bid = _side(securities.quoted(security, BID_PRICE, day), securities.quoted(security, BID_QTY, day))
    ask = _side(securities.quoted(security, ASK_PRICE, day), securities.quoted(security, ASK_QTY, day))
    return Book(
        best_bid=bid,
        best_ask=ask,
        last=securities.last(security, day),
        prev_close=securities.reference_close(security, day),
        limit_down=securities.limit_down(security, day),
        limit_up=securities.limit_up(security, day),
    )


def _stopped(desk: Desk, security: int) -> bool:
    securities = desk.books.securities
    halted = securities.quoted(security, HALTED, desk.books.day) == 1
    outside = not desk.slices.trades(desk, security)
    return halted or outside or desk.calendar.stopped(securities.names[security])


def unsellable_now(desk: Desk, security: int) -> str | None:
    """Why nothing of a security can be sold now, or None."""
    book = book_of(desk, security)
    return why_unsellable(
        suspended=desk.books.securities.get(security, SUSPENDED) == 1,
        halted=_stopped(desk, security),
        last=book.last,
        limit_down=book.limit_down,
        best_bid=book.best_bid,
    )


def uncoverable_now(desk: Desk, security: int) -> str | None:
    """Why nothing of a security can be bought now, or None."""
    book = book_of(desk, security)
    return why_uncoverable(
        suspended=desk.books.securities.get(security, SUSPENDED) == 1,
        halted=_stopped(desk, security),
        last=book.last,
        limit_up=book.limit_up,
        best_ask=book.best_ask,
    )


def _side(price: int, qty: int) -> int:
    """Best price of a side of the book: 0 when it is empty, -1 when it was not given."""
    if price < 0:
        return NOT_GIVEN
    return price if qty != 0 else 0
