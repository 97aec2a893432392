"""Requests to the gate, and what becomes of those it accepted."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.oracle import market_rules
from tests.oracle.account_operations import share
from tests.oracle.ledger import FEN
from tests.oracle.requests import BUYS, MONEY
from tests.oracle.story import Story

TRADES = (
    "collateral_buy",
    "collateral_sell",
    "financing_buy",
    "sell_to_repay",
    "short_sell",
    "buy_to_return",
)


def near(story: Story, security: str, amount: int) -> str:
    """97 % to 103 % of the mark, most often on the price step."""
    step = market_rules.tick(story.nature[security]["kind"])
    mark = story.oracle.prices.mark(security) or Decimal(10)
    price = max(step, (mark * (970 + amount * 60 // 1000) / 1000).quantize(step))
    return str(price + Decimal("0.001") if amount % 37 == 0 else price)


def trade_request(story: Story, name: str, security: str, amount: int, business: str) -> None:
    account = story.oracle.accounts[name]
    lent = [c.security for c in account.contracts.values() if c.kind == "lending"]
    if business in ("collateral_sell", "sell_to_repay") and account.held and amount % 8:
        security = sorted(account.held)[amount % len(account.held)]
    elif business == "buy_to_return" and lent and amount % 8:
        security = lent[0]
    if story.oracle.prices.mark(security) is None:
        return
    if business in ("collateral_sell", "sell_to_repay"):
        qty = account.held.get(security, 0) * (amount % 101) // 100
    elif business == "buy_to_return":
        qty = account.short_qty(security) * (amount % 101) // 100
    else:
        qty = amount // 100 * 100 * (1 + amount % 4)
    qty = max(1, qty + (amount % 7 if amount % 5 == 0 else 0))
    order: dict[str, Any] = {"account": name, "business": business, "security": security, "qty": qty}
    if amount % 6 == 0:
        order["order_type"] = "market"
    else:
        order |= {"order_type": "limit", "price": near(story, security, amount)}
    if amount % 9 == 0:
        order["side"] = "B" if business in BUYS or amount % 4 == 0 else "S"
    if amount % 41 == 0:
        order["venue"] = ("SSE", "fae:tianjin", "BSE", "NEEQ")[amount % 4]
    if amount % 43 == 0:
        order["lender"] = ("refinancing", "anybody")[amount % 2]
    follow(story, order, amount)


def follow(story: Story, order: dict[str, Any], amount: int) -> None:
    """Asks; asks for exactly the limit where that was too much; then fills, closes, or leaves it open."""
    decided = story.request(order)
    money = order["business"] in MONEY
    if decided["decision"] == "reject" and Decimal(str(decided["limit"])) > 0 and amount % 2:
        order = {**order, "amount" if money else "qty": decided["limit"]}
        decided = story.request(order)
        assert decided["decision"] == "accept", decided
    if decided["decision"] == "reject" or money or order["business"] == "withdraw_security":
        return
    name = order["account"]
    if amount % 3 == 0:
        part = order["qty"] if amount % 2 else -(-order["qty"] // 2)
        price = order.get("price") or str(story.oracle.prices.mark(order["security"]))
        about = {"business": order["business"], "security": order["security"], "qty": part, "price": price}
        story.fact(name, "fill", **about, order=decided["order"])
    elif amount % 5 == 0:
        story.fact(name, "order_closed", order=decided["order"], reason="cancelled")


def trade_requested(business: str) -> Callable[[Story, str, str, int], None]:
    def ask(story: Story, name: str, security: str, amount: int) -> None:
        trade_request(story, name, security, amount, business)

    return ask


def money_requested(story: Story, name: str, security: str, amount: int) -> None:
    """A withdrawal or a repayment, made when it was accepted or not."""
    account, business = story.oracle.accounts[name], ("withdraw_cash", "repay")[amount % 2]
    wanted = max(FEN, share(abs(account.cash), amount % 300 if amount % 3 else amount))
    follow(story, {"account": name, "business": business, "amount": str(wanted)}, amount)


def shares_requested(story: Story, name: str, security: str, amount: int) -> None:
    """Collateral to be moved out."""
    mine = story.oracle.accounts[name].held
    security = sorted(mine)[amount % len(mine)] if mine and amount % 8 else security
    held = mine.get(security, 0)
    if story.oracle.prices.mark(security) is not None:
        qty = max(1, held * (amount % 101) // 100)
        order = {"account": name, "business": "withdraw_security", "security": security, "qty": qty}
        follow(story, order, amount)


REQUESTS: dict[str, Callable[[Story, str, str, int], None]] = {
    f"{business}_requested": trade_requested(business) for business in TRADES
} | {"money_requested": money_requested, "shares_requested": shares_requested}
