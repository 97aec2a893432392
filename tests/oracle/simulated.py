"""What a shard that simulates fills by itself: open forced orders, at the next evaluation, at their expected
price; never a suspended or locked security, and only in the hours of continuous auction.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle import market_rules, valuation
from tests.oracle.account_events import FOLDS
from tests.oracle.amounts import MILLI, ZERO, money
from tests.oracle.ledger import Account, repay

if TYPE_CHECKING:
    from tests.oracle.oracle import Oracle

Record = dict[str, Any]


def fill_forced(oracle: Oracle) -> None:
    """Orders that cannot be filled stay open; what can no longer be sold of one is dropped."""
    for name in sorted(oracle.forced):
        account, episode = oracle.accounts[name], oracle.lives[name].episode
        if episode is None or episode.held or valuation.unpriced(account, oracle.prices):
            continue
        oracle.forced[name] = [order for order in oracle.forced[name] if not _filled(oracle, account, order)]


def _filled(oracle: Oracle, account: Account, order: Record) -> bool:
    assert oracle.day is not None
    if order["business"] == "repay":
        account.cash -= repay(account, money(order["amount"]), None, oracle.day, keep_excess=True)
        return True
    security, buys = order["security"], order["business"] == "buy_to_return"
    if blocked(oracle, security, buys=buys):
        return False
    if buys:
        contract = account.contracts.get(order["contract"])
        most = 0 if contract is None else contract.returnable(oracle.day)
    else:
        most = account.sellable(security)
    qty, price = min(order["qty"], most), money(order["expected_price"])
    if qty > 0:
        kind = nature(oracle, security)["kind"]
        commission = oracle.preset(account).commission
        rate = market_rules.cost_rate(oracle.day, commission, kind, buys=buys)
        fee = (qty * price * rate).quantize(MILLI, rounding=ROUND_FLOOR)
        event = {**order, "qty": qty, "price": price, "fee": fee, "contract": order.get("contract")}
        FOLDS["fill"](account, event, oracle.day, oracle.terms(account.preset))
    return True


def after_repayment(orders: list[Record], amount: Decimal) -> list[Record]:
    """A repayment names no order: it counts for the plan's."""
    left = []
    for order in orders:
        if order["business"] == "repay":
            amount, due = ZERO, money(order["amount"]) - amount
            if due <= 0:
                continue
            order = {**order, "amount": str(due)}
        left.append(order)
    return left


def nature(oracle: Oracle, security: str) -> Record:
    return {"kind": "stock", "board": market_rules.board_of(security)} | oracle.listings.of(security)


def blocked(oracle: Oracle, security: str, *, buys: bool) -> bool:
    """Suspended, outside its hours, or at its limit without a counterparty."""
    assert oracle.day is not None
    known, prices = nature(oracle, security), oracle.prices
    if known.get("suspended"):
        return True
    if oracle.time is not None and not market_rules.in_continuous_hours(
        security, known["kind"], oracle.day, oracle.time
    ):
        return True
    quote, last = prices.newest_quote(security), prices.last(security)
    limit = prices.published(security, "limit_up" if buys else "limit_down")
    if limit is None or last is None:
        return False
    at_limit = last >= limit if buys else last <= limit
    return at_limit and quote.get("ask" if buys else "bid") == []
