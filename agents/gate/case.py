"""One request with everything that checks look at. Nothing here changes the books."""

from __future__ import annotations

from agents.gate.day_rules import DayRules
from agents.gate.forced import forced_cash
from agents.gate.groups import Groups
from agents.gate.instrument import Instrument
from agents.gate.reservations import (
    COVER_CASH,
    FINANCING,
    LEAVING,
    LENDING,
    MARGIN,
    OWN_CASH,
)
from agents.kernels.layout import BLIND, HOT_WIDTH
from agents.margin.desk import Desk
from schemas.orders import MONEY_REQUESTS, AccountOrder
from schemas.units import RATE_SCALE

BUYS = frozenset({"collateral_buy", "financing_buy", "buy_to_return"})


class Case:
    """A request of an open account. Money in milli.

    `assets` and `debt` are as if every open order of the account were filled; `margin` is the available
    margin less what open orders reserve; `own_cash` is neither frozen, reserved nor short-sale proceeds,
    `all_cash` includes the proceeds. `wanted` is the quantity, or the amount of a request for money; `price`
    the price that costs are counted at (the upper limit for a market order, else the mark), 0 where none is
    known.
    """

    __slots__ = (
        "account",
        "all_cash",
        "assets",
        "business",
        "debt",
        "desk",
        "groups",
        "margin",
        "order",
        "own_cash",
        "paper",
        "price",
        "reserved",
        "rules",
        "wanted",
    )

    def __init__(
        self, desk: Desk, groups: Groups, rules: DayRules, order: AccountOrder, account: int, margin: int
    ) -> None:
        self.desk, self.groups, self.rules = desk, groups, rules
        self.order, self.account, self.business = order, account, order.business
        accounts = desk.books.accounts
        self.reserved = reserved = desk.reservations.sums(account)
        borrowed = reserved[FINANCING] + reserved[LENDING]
        self.assets = accounts.assets(account) + borrowed - reserved[LEAVING]
        self.debt = accounts.debt(account) + borrowed
        self.margin = margin - reserved[MARGIN]
        repaid, covered = forced_cash(desk, account)
        cash = accounts.cash[account] - accounts.frozen_cash[account] - reserved[OWN_CASH] - repaid
        covered += reserved[COVER_CASH]
        self.all_cash = max(0, cash - covered)
        self.own_cash = max(0, cash - max(accounts.proceeds[account], covered))
        row = desk.books.securities.index.get(order.security, -1) if order.security is not None else -1
        self.paper: Instrument | None = None
        if row >= 0 and self.business not in MONEY_REQUESTS:
            short_sale = self.business == "short_sell"
            self.paper = Instrument(desk.books, desk.calendar, rules, row, account, short_sale=short_sale)
        self.wanted = (order.amount if self.business in MONEY_REQUESTS else order.qty) or 0
        self.price = self._price()

    def _price(self) -> int:
        paper, order = self.paper, self.order
        if paper is None:
            return 0
        if self.business == "withdraw_security":
            return max(0, paper.value)
        if order.order_type == "limit" and order.price is not None:
            return order.price
        up = paper.limits()[1] if self.business in BUYS else 0
        return up if up > 0 else max(0, paper.mark)

    @property
    def security(self) -> Instrument:
        """The security of a request that has one and that is known."""
        if self.paper is None:
            raise LookupError("the request is about no security")
        return self.paper

    @property
    def blind(self) -> bool:
        """Whether something of the account cannot be valued."""
        return bool(self.desk.books.accounts.hot[self.account * HOT_WIDTH + BLIND])

    @property
    def share_value(self) -> int:
        """What a share more counts at in the account's assets; the order's price where it has no mark."""
        value = self.security.value
        return value if value >= 0 else self.price

    def cost_rate(self) -> int:
        """Costs of the trade in 1e-6 of its value (rulebook 7.3)."""
        commission = self.desk.preset(self.account).commission
        return self.rules.cost(buys=self.business in BUYS, commission=commission, kind=self.security.kind)

    def cost(self, value: int) -> int:
        """Costs of a trade worth `value`, rounded up to 0.001 yuan."""
        return -(-value * self.cost_rate() // RATE_SCALE)

    def margin_ratio(self) -> int:
        """The initial margin ratio that the new contract would have, 1e-4."""
        kind = 1 if self.business == "short_sell" else 0
        security, day = self.security.row, self.rules.day
        return self.desk.fold.margin_ratio(self.account, kind, security, day, -1)
