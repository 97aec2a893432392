"""Whether a plan of forced liquidation may be sent and suffices: rulebook 7.3 to 7.5, order by order.

The oracle makes no plans. It takes one from the core, counts it again, and asks whether every order is legal,
whether the quantity passes and a lot less fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.oracle import market_rules
from tests.oracle.amounts import ZERO, money
from tests.oracle.calls import Moment
from tests.oracle.ledger import Account
from tests.oracle.oracle import Oracle
from tests.oracle.reservations import SELLING, Open

Record = dict[str, Any]
SALES = ("sell_to_repay", "collateral_sell")


@dataclass
class Balance:
    """What is left of assets and debt while orders fill at their expected prices; exact."""

    value: Fraction
    owed: Fraction
    repayable: Fraction

    def repay(self, amount: Fraction) -> None:
        part = min(amount, self.repayable)
        self.value, self.owed, self.repayable = self.value - part, self.owed - part, self.repayable - part


class PlanCheck:
    def __init__(self, oracle: Oracle, plan: Record, orders: list[Record]) -> None:
        assert oracle.day is not None
        self.oracle, self.plan, self.orders, self.day = oracle, plan, orders, oracle.day
        self.prices = oracle.prices
        self.account: Account = oracle.accounts[plan["account"]]
        self.preset = oracle.preset(self.account)
        self.now: Moment = oracle.moment(self.account.name)

    def check(self) -> None:
        for order in self.orders:
            assert order["forced"] is True, order
            assert order["order_type"] == "limit", order
            if order["business"] == "repay":
                self._repayment(order)
            else:
                self._tradable(order)
                self._priced(order)
        for security in {o["security"] for o in self.orders if o["business"] in SALES}:
            self._sales_of(security)
        self._covers()
        self._suffices()

    def _nature(self, security: str) -> Record:
        return {"kind": "stock", "board": market_rules.board_of(security)} | self.oracle.listings.of(security)

    # -- each order

    def _repayment(self, order: Record) -> None:
        """Own free cash, never short-sale proceeds."""
        lent = [c for c in self.account.contracts.values() if c.kind == "lending"]
        proceeds = sum((c.principal for c in lent), ZERO)
        amount = money(order["amount"])
        assert 0 < amount <= self.account.cash - self.account.frozen_cash - proceeds, order

    def _tradable(self, order: Record) -> None:
        """Not suspended, in the hours of continuous auction, with a counterparty."""
        security = order["security"]
        assert not self._nature(security).get("suspended"), order
        if self.now.time is not None:
            kind = self._nature(security)["kind"]
            assert market_rules.in_continuous_hours(security, kind, self.day, self.now.time), order
        down, up = self.prices.published(security, "limit_down"), self.prices.published(security, "limit_up")
        quote, last = self.prices.newest_quote(security), self.prices.last(security)
        if order["business"] in SALES and down is not None and last is not None and last <= down:
            assert quote.get("bid") != [], order
        if order["business"] not in SALES and up is not None and last is not None and last >= up:
            assert quote.get("ask") != [], order

    def _priced(self, order: Record) -> None:
        """The lowest legal price of a sale, the highest of a cover; the mark is expected."""
        security, buys = order["security"], order["business"] == "buy_to_return"
        nature = self._nature(security)
        down, up = market_rules.limits(self.prices, security, nature, self.day)
        cage = market_rules.cage(self.prices, security, nature, self.day, buys=buys)
        bounds = [price for price in (up if buys else down, cage) if price is not None]
        price, mark = money(order["price"]), self.prices.mark(security)
        assert mark is not None, order
        expected = mark if not bounds else min(bounds) if buys else max(bounds)
        assert price == expected, (order, bounds)
        assert money(order["expected_price"]) == mark, order

    def _sales_of(self, security: str) -> None:
        """Together no more than is sellable and not in the client's own orders, each of a legal size."""
        nature, mine = self._nature(security), self.oracle.open.setdefault(self.account.name, Open())
        sellable = self.account.sellable(security) - mine.shares(security, *SELLING)
        lot = market_rules.lot(nature["board"], nature["kind"])
        sizes = [o["qty"] for o in self.orders if o["business"] in SALES and o["security"] == security]
        assert sum(sizes) <= sellable, (security, sizes, sellable)
        for place, qty in enumerate(sizes):
            assert qty <= lot.largest, (security, sizes)
            everything = place == len(sizes) - 1 and sum(sizes) == sellable
            assert lot.whole(qty) or everything, (security, sizes, sellable)

    def _covers(self) -> None:
        for order in self.orders:
            if order["business"] != "buy_to_return":
                continue
            nature = self._nature(order["security"])
            lot = market_rules.lot(nature["board"], nature["kind"])
            contract = self.account.contracts[order["contract"]]
            assert contract.security == order["security"], order
            assert order["qty"] <= contract.returnable(self.day), order
            assert lot.whole(order["qty"]), order
            assert order["qty"] <= lot.largest, order

    # -- all together

    def _cost(self, security: str, *, buys: bool) -> Fraction:
        kind = self._nature(security)["kind"]
        return Fraction(market_rules.cost_rate(self.day, self.preset.commission, kind, buys=buys))

    def after(self, orders: list[Record]) -> Balance:
        contracts = self.account.contracts.values()
        repayable = self.account.interest(self.day)
        repayable += sum((c.principal for c in contracts if c.kind == "financing"), ZERO)
        balance = Balance(Fraction(self.now.value), Fraction(self.now.owed), Fraction(repayable))
        for order in orders:
            self._fill(balance, order)
        return balance

    def _fill(self, balance: Balance, order: Record) -> None:
        if order["business"] == "repay":
            balance.repay(Fraction(money(order["amount"])))
            return
        security, qty = order["security"], order["qty"]
        mark, expected = Fraction(money(order["mark"])), Fraction(money(order["expected_price"]))
        buys = order["business"] == "buy_to_return"
        cost = self._cost(security, buys=buys)
        if buys:
            balance.value -= qty * expected * (1 + cost)
            balance.owed -= qty * mark
            return
        worth = Fraction(self.prices.collateral_price(security) or ZERO)
        brought = qty * expected * (1 - cost)
        balance.value += brought - qty * worth
        if order["business"] == "sell_to_repay":
            balance.repay(brought)

    def _suffices(self) -> None:
        """Where the ratio alone is at stake: the last sale reaches the target, and a lot less does not."""
        balance = self.after(self.orders)
        if self.plan.get("later") or not self.orders:
            return
        shown = self.plan["ratio_after"]
        if balance.owed > 0 and shown is not None:
            assert abs(Fraction(shown) - balance.value / balance.owed) <= Fraction(1, 1_000_000), self.plan
        sales = [order for order in self.orders if order["business"] == "sell_to_repay"]
        covers = [order for order in self.orders if order["business"] in ("buy_to_return", "collateral_sell")]
        if self.now.value < self.now.owed:
            return  # whatever is sold, debt remains: everything goes (7.3)
        if self.now.due or covers or not sales or not self._reaches(balance):
            return
        last = sales[-1]
        fewer = self._one_lot_less(last)
        others = [order for order in self.orders if order is not last]
        less = self.after(others + ([{**last, "qty": fewer}] if fewer else []))
        assert not self._reaches(less), (last, fewer)

    def _reaches(self, balance: Balance) -> bool:
        return balance.value >= balance.owed * Fraction(self.preset.target)

    def _one_lot_less(self, order: Record) -> int:
        nature = self._nature(order["security"])
        lot = market_rules.lot(nature["board"], nature["kind"])
        fewer = order["qty"] - 1
        while fewer and not lot.whole(fewer):
            fewer -= 1
        return int(fewer)


def check_plans(oracle: Oracle, said: list[Record]) -> None:
    """Every plan of a run of `liquidation.orders` records with the orders that belong to it."""
    for plan in said:
        if plan.get("event") == "plan" and not plan.get("held"):
            batch = (plan["episode"], plan["batch"])
            orders = [o for o in said if "business" in o and (o["episode"], o["batch"]) == batch]
            PlanCheck(oracle, plan, orders).check()
            if oracle.simulates:
                oracle.forced[plan["account"]] = orders
