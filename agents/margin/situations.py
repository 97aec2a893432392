"""What the planner is told about an account of a shard: books, prices, obligations and what this slice may
send.
"""

from __future__ import annotations

from dataclasses import dataclass

from agents.books.contracts import LENDING
from agents.gate.reservations import COVER_CASH, OWN_CASH, RETURNING, SELLING
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
from agents.liquidation.prices import expected_cover, expected_sale
from agents.liquidation.situation import NOT_GIVEN, Book, Holding, Short, Situation
from agents.liquidation.tradable import why_uncoverable, why_unsellable
from agents.margin.desk import Desk
from agents.margin.obligations import Obligations, due_now
from agents.margin.slices import COVER, SALE
from agents.rules.concentration import tier_of
from agents.rules.values import Tier
from schemas.account import CLIENT_CLASSES
from schemas.units import RATIO_SCALE


@dataclass(frozen=True, slots=True)
class Paper:
    """A security at one moment: what of it is the same for every account. Prices milli; `adv` shares."""

    name: str
    board: str
    kind: str
    mark: int
    value: int
    st: bool
    delisting: bool
    adv: int
    book: Book
    why_unsellable: str | None
    why_uncoverable: str | None


class Market:
    """Securities at one moment, each looked at once."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._papers: dict[int, Paper] = {}

    def paper(self, security: int) -> Paper:
        """A security by its row."""
        found = self._papers.get(security)
        if found is None:
            found = self._papers[security] = _paper(self.desk, security)
        return found


def situation_of(market: Market, account: int) -> Situation:
    """An account now, and what a plan of forced liquidation has to achieve for it."""
    desk = market.desk
    accounts, preset = desk.books.accounts, desk.preset(account)
    own = accounts.cash[account] - accounts.frozen_cash[account]
    proceeds, reserved = accounts.proceeds[account], desk.reservations.sums(account)
    kept = max(0, proceeds - reserved[COVER_CASH])
    spoken_for = reserved[OWN_CASH] + max(0, reserved[COVER_CASH] - proceeds)
    aim = due_now(desk, account)
    return Situation(
        free_cash=max(0, own - proceeds - spoken_for),
        short_proceeds=max(0, min(own, kept)),
        repayable=accounts.principal[account] + accounts.interest[account],
        assets=accounts.assets(account),
        debt=accounts.debt(account),
        target=preset.target,
        day=desk.books.day,
        commission=preset.commission,
        holdings=tuple(_holdings(market, account)),
        shorts=tuple(_shorts(market, account, aim)),
        must_repay=aim.money,
        to_target=aim.to_target,
        rules=desk.rules,
    )


def _holdings(market: Market, account: int) -> list[Holding]:
    desk = market.desk
    rows, most = desk.books.positions.rows, _largest_share(desk, account)
    slippage, day = desk.preset(account).slippage, desk.books.day
    found = []
    for row in desk.books.positions.run(account):
        security, qty, coming = rows.security[row], rows.qty[row], rows.transit[row]
        if not (qty or coming):
            continue
        paper = market.paper(security)
        sellable = max(0, qty - rows.locked[row] - rows.frozen[row])
        in_orders = min(sellable, desk.reservations.shares(account, security)[SELLING])
        holding = Holding(
            security=paper.name,
            qty=qty,
            sellable=sellable - in_orders,
            mark=paper.value,
            expected=paper.mark,
            board=paper.board,
            kind=paper.kind,
            why_unsellable=paper.why_unsellable,
            frozen=rows.frozen[row],
            st=paper.st,
            delisting=paper.delisting,
            days_to_liquidate=(qty, paper.adv) if paper.adv > 0 else None,
            concentration_excess=max(0, qty * paper.value - most),
            book=paper.book,
            quota=desk.slices.quota(desk, security, SALE),
            in_orders=in_orders,
            in_transit=coming,
        )
        found.append(expected_sale(holding, slippage, day, desk.rules))
    return sorted(found, key=lambda holding: holding.security)


def _largest_share(desk: Desk, account: int) -> int:
    """The most (milli) that one security may be worth in the account, by the concentration preset of its
    client's class (rulebook 8); all its assets where nothing limits it.
    """
    accounts, day, rules = desk.books.accounts, desk.books.day, desk.rules
    assets, debt = accounts.assets(account), accounts.debt(account)
    preset = rules.text(f"concentration_preset_{CLIENT_CLASSES[accounts.client[account]]}", day)
    entry = rules.find(f"concentration_{preset}", day) if preset != "none" else None
    steps = entry.value if entry is not None and isinstance(entry.value, tuple) else ()
    tier = tier_of((step for step in steps if isinstance(step, Tier)), assets, debt)
    return assets if tier is None else assets * tier.share // RATIO_SCALE


def _shorts(market: Market, account: int, aim: Obligations) -> list[Short]:
    desk, books = market.desk, market.desk.books
    contracts, slippage = books.contracts, desk.preset(account).slippage
    found, returning = [], dict[int, int]()
    for row in contracts.chain(books.accounts.first[account]):
        security, qty = contracts.security[row], contracts.qty[row]
        if contracts.kind[row] != LENDING or not qty:
            continue
        paper, may_go = market.paper(security), books.returnable(row)
        left = returning.get(security, desk.reservations.shares(account, security)[RETURNING])
        in_orders = min(left, may_go)
        returning[security] = left - in_orders
        short = Short(
            contract=contracts.names[row],
            security=paper.name,
            qty=qty,
            sale_price=contracts.base[row] // qty,
            mark=paper.mark,
            expected=paper.mark,
            board=paper.board,
            kind=paper.kind,
            why_uncoverable=paper.why_uncoverable,
            st=paper.st,
            delisting=paper.delisting,
            book=paper.book,
            must_cover=row in aim.contracts,
            quota=desk.slices.quota(desk, security, COVER),
            fresh=qty - may_go,
            in_orders=in_orders,
        )
        found.append(expected_cover(short, slippage, books.day, desk.rules))
    return sorted(found, key=lambda short: (short.security, short.contract))


def _paper(desk: Desk, security: int) -> Paper:
    securities = desk.books.securities
    book, halted = _book(desk, security), _stopped(desk, security)
    suspended = securities.get(security, SUSPENDED) == 1
    return Paper(
        name=securities.names[security],
        board=securities.board(security),
        kind=securities.kind(security),
        mark=max(0, securities.get(security, MARK)),
        value=max(0, securities.get(security, VALUE)),
        st=bool(securities.get(security, ST)),
        delisting=securities.get(security, DELISTING) == 1,
        adv=securities.get(security, ADV_20),
        book=book,
        why_unsellable=why_unsellable(
            suspended=suspended,
            halted=halted,
            last=book.last,
            limit_down=book.limit_down,
            best_bid=book.best_bid,
        ),
        why_uncoverable=why_uncoverable(
            suspended=suspended,
            halted=halted,
            last=book.last,
            limit_up=book.limit_up,
            best_ask=book.best_ask,
        ),
    )


def _book(desk: Desk, security: int) -> Book:
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


def _side(price: int, qty: int) -> int:
    """Best price of a side of the book: 0 when it is empty, -1 when it was not given."""
    if price < 0:
        return NOT_GIVEN
    return price if qty != 0 else 0
