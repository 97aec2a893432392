"""One request against the books and what other open requests have been promised."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Any

from tests.oracle import market_rules, valuation
from tests.oracle.amounts import MILLI, ZERO, money
from tests.oracle.dated import least_margin
from tests.oracle.ledger import Account
from tests.oracle.oracle import Oracle
from tests.oracle.reservations import SELLING, Open, Reservation

Record = dict[str, Any]
BUYS = ("collateral_buy", "financing_buy", "buy_to_return")
MONEY = ("withdraw_cash", "repay")
FORCED_SALES = ("sell_to_repay", "collateral_sell")


class Request:
    """One request against the books and what other open requests have been promised."""

    def __init__(self, oracle: Oracle, open_: dict[str, Open], order: Record) -> None:
        assert oracle.day is not None
        self.oracle, self.order, self.open = oracle, order, open_
        self.day, self.prices = oracle.day, oracle.prices
        self.account = oracle.accounts[order["account"]]
        tag = order["account"].partition("}")[0] if order["account"].startswith("{") else None
        self.group = [self.account]
        if tag is not None:
            self.group = [a for name, a in oracle.accounts.items() if name.startswith(tag + "}")]
        self.mine = open_.setdefault(order["account"], Open())
        self.business, self.security = order["business"], order.get("security") or ""
        record = oracle.listings.of(self.security)
        self.nature: Record = {"kind": "stock", "board": market_rules.board_of(self.security)} | record
        borrowed = self.mine.sum("financing") + self.mine.sum("lending")
        self.assets = valuation.assets(self.account, self.prices) + borrowed - self.mine.sum("leaving")
        self.debt = valuation.debt(self.account, self.prices, self.day) + borrowed
        self.margin = self._margin() - self.mine.sum("margin")
        lent = [c for c in self.account.contracts.values() if c.kind == "lending"]
        self.proceeds = sum((c.principal for c in lent), ZERO)
        self.forced = oracle.forced_orders(self.account.name)
        repaid = sum((money(o["amount"]) for o in self.forced if o["business"] == "repay"), ZERO)
        cash = self.account.cash - self.account.frozen_cash - self.mine.sum("own_cash") - repaid
        bought = [o for o in self.forced if o["business"] == "buy_to_return"]
        covers = sum((o["qty"] * money(o["expected_price"]) for o in bought), self.mine.sum("cover_cash"))
        self.all_cash = max(ZERO, cash - covers)
        self.own_cash = max(ZERO, cash - max(self.proceeds, covers))
        self.blind = bool(valuation.unpriced(self.account, self.prices))
        self.limit_order = order.get("order_type") == "limit"
        self.price = self._price()
        self.haircut = oracle.haircut(self.security)

    def _margin(self) -> Decimal:
        exact = self.oracle.available_margin(self.account.name) * 1000
        return Decimal(exact.__floor__()) / 1000

    def _price(self) -> Decimal:
        """What costs are counted at: the order's own price, else the upper limit of a purchase, else the
        mark.
        """
        if self.business in MONEY:
            return ZERO
        if self.business == "withdraw_security":
            return self.worth
        if self.limit_order:
            return money(self.order["price"])
        up = market_rules.limits(self.prices, self.security, self.nature, self.day)[1]
        return (up if self.business in BUYS else None) or self.prices.mark(self.security) or ZERO

    @property
    def worth(self) -> Decimal:
        """What a share counts at in assets; where it has no mark, the price of the order."""
        worth = self.prices.collateral_price(self.security)
        if worth is not None:
            return worth
        return self.price if self.business != "withdraw_security" else ZERO

    def wanted(self) -> Decimal:
        return money(self.order["amount"] if self.business in MONEY else self.order["qty"])

    def sellable(self) -> int:
        return max(0, self.account.sellable(self.security) - self.selling())

    def selling(self) -> int:
        """What open requests and forced orders will sell."""
        forced = [
            o["qty"] for o in self.forced if o["business"] in FORCED_SALES and self.security == o["security"]
        ]
        return int(self.mine.shares(self.security, *SELLING) + sum(forced))

    def cost(self, value: Decimal) -> Decimal:
        """Rounded up to 0.001."""
        buys = self.business in BUYS
        commission = self.oracle.preset(self.account).commission
        rate = market_rules.cost_rate(self.day, commission, self.nature["kind"], buys=buys)
        return (value * rate).quantize(MILLI, rounding=ROUND_CEILING)

    def cost_rate(self) -> Fraction:
        commission = self.oracle.preset(self.account).commission
        buys = self.business in BUYS
        return Fraction(market_rules.cost_rate(self.day, commission, self.nature["kind"], buys=buys))

    def margin_ratio(self) -> Decimal:
        kind = "lending" if self.business == "short_sell" else "financing"
        published = self.nature.get(f"{kind}_margin")
        return least_margin(kind, self.account.client, self.day) if published is None else money(published)

    # -- what is borrowed

    def line(self, credit: Record, name: str) -> Decimal | None:
        """A line that has ended lends nothing."""
        if credit.get(name) is None:
            return None
        until = credit.get("until")
        return ZERO if until and date.fromisoformat(until) < self.day else money(credit[name])

    def used(self, account: Account, name: str) -> Decimal:
        """Principal, and shorts at their sale price, open requests included."""
        open_ = self.open.setdefault(account.name, Open())
        kinds = ("financing", "lending") if name == "total" else (name,)
        owed = [c.principal for c in account.contracts.values() if c.kind in kinds]
        return sum(owed, ZERO) + sum((open_.sum(kind) for kind in kinds), ZERO)

    # -- if it were filled

    def after(self, qty: Decimal) -> tuple[Decimal, Decimal]:
        """Assets and debt if the request and every open one were filled."""
        assets, debt, gross = self.assets, self.debt, qty * self.price
        worth = ZERO if self.business in MONEY else qty * self.worth
        mark = self.prices.mark(self.security) or ZERO
        match self.business:
            case "financing_buy":
                return assets + worth, debt + gross
            case "short_sell":
                return assets + gross, debt + qty * (mark or self.price)
            case "collateral_buy":
                return assets + worth - gross - self.cost(gross), debt
            case "collateral_sell":
                return assets + gross - self.cost(gross) - worth, debt
            case "sell_to_repay":
                brought = max(ZERO, gross - self.cost(gross))
                repaid = min(brought, debt)
                return assets - worth + brought - repaid, debt - repaid
            case "buy_to_return":
                return assets - gross - self.cost(gross), debt - qty * mark
            case "withdraw_security":
                return assets - worth, debt
            case "withdraw_cash":
                return assets - qty, debt
        return assets - qty, debt - qty

    def reservation(self) -> Reservation:
        qty, figures = self.wanted(), {}
        gross = qty * self.price
        match self.business:
            case "financing_buy" | "short_sell":
                kind = "financing" if self.business == "financing_buy" else "lending"
                margin = (gross * self.margin_ratio()).quantize(MILLI, rounding=ROUND_CEILING)
                figures = {"margin": margin, kind: gross}
            case "collateral_buy":
                spent = gross + self.cost(gross)
                counted = (qty * self.worth * self.haircut).quantize(MILLI, rounding=ROUND_FLOOR)
                figures = {"own_cash": spent, "leaving": self.cost(gross)}
                figures["margin"] = max(ZERO, spent - counted)
            case "buy_to_return":
                figures = {"cover_cash": gross + self.cost(gross)}
            case "withdraw_cash":
                figures = {"own_cash": qty, "leaving": qty, "margin": qty}
            case "withdraw_security":
                margin = (gross * self.haircut).quantize(MILLI, rounding=ROUND_CEILING)
                figures = {"leaving": gross, "margin": margin}
            case "repay":
                figures = {"own_cash": qty}
        security = None if self.business in MONEY else self.security
        return Reservation(self.business, security, qty, qty, figures)
