"""Fills where the shard simulates: open forced orders at their expected price, at the next evaluation
(contract section 3).
"""

from __future__ import annotations

from agents.books.repayment import repay
from agents.kernels.layout import BLIND, HOT_WIDTH
from agents.margin.desk import SIMULATE, Desk
from agents.margin.orders import BUY_TO_RETURN, REPAY, SELL_TO_REPAY
from agents.margin.situations import Market
from agents.rules.costs import buy_cost, cost_milli, sell_cost
from schemas.errors import BadRecord


def fill_simulated(desk: Desk) -> list[int]:
    """Fills open orders at their expected price, in the order of account names; returns the accounts that
    changed.

    A suspended, halted or locked security fills nothing, and an account that holds something unpriced sells
    nothing; such orders stay open.
    """
    if desk.config.liquidation != SIMULATE or not desk.calendar.trading():
        return []
    changed, hot, market = [], desk.books.accounts.hot, Market(desk)
    for account in desk.books.accounts.by_name(desk.orders.accounts()):
        row = desk.books.accounts.episode[account]
        if desk.episodes.held[row] or hot[account * HOT_WIDTH + BLIND]:
            continue
        before = len(desk.orders.of(account))
        for order in list(desk.orders.of(account)):
            if _fill(market, account, order):
                desk.orders.close(order)
        if len(desk.orders.of(account)) != before:
            changed.append(account)
    return changed


def _fill(market: Market, account: int, order: int) -> bool:
    """Whether the order is done. A fill that would pass the bounds is refused, as a counter's would be."""
    desk = market.desk
    business, left = desk.orders.business[order], desk.orders.left[order]
    if business == REPAY:
        spent = repay(desk.books, account, left, None, keep_excess=True)
        desk.books.accounts.add_cash(account, -spent)
        return True
    try:
        return (_cover if business == BUY_TO_RETURN else _sell)(market, account, order)
    except BadRecord:
        return False


def _sell(market: Market, account: int, order: int) -> bool:
    """Sells what of the order is still sellable; nothing while the security cannot be sold."""
    desk, orders = market.desk, market.desk.orders
    security = orders.security[order]
    if market.paper(security).why_unsellable is not None:
        return False
    row, rows = desk.books.positions.find(account, security), desk.books.positions.rows
    sellable = rows.qty[row] - rows.locked[row] - rows.frozen[row] if row >= 0 else 0
    qty = min(orders.left[order], sellable)
    if qty <= 0:
        return True
    gross = qty * orders.expected[order]
    commission, kind = desk.preset(account).commission, desk.books.securities.kind(security)
    fee = cost_milli(gross, sell_cost(desk.books.day, commission, kind, desk.rules))
    if orders.business[order] == SELL_TO_REPAY:
        desk.fold.sell_to_repay(account, security, qty, gross, fee, None)
    else:
        desk.fold.collateral_sell(account, security, qty, gross, fee)
    return True


def _cover(market: Market, account: int, order: int) -> bool:
    """Buys back what of the order may go back; nothing while the security cannot be bought."""
    desk, orders = market.desk, market.desk.orders
    security, name = orders.security[order], orders.contracts[order]
    if market.paper(security).why_uncoverable is not None:
        return False
    contract = desk.books.contract_named(account, name)
    qty = min(orders.left[order], desk.books.returnable(contract) if contract >= 0 else 0)
    if qty <= 0:
        return True
    gross = qty * orders.expected[order]
    commission, kind = desk.preset(account).commission, desk.books.securities.kind(security)
    fee = cost_milli(gross, buy_cost(desk.books.day, commission, kind, desk.rules))
    desk.fold.buy_to_return(account, security, qty, gross, fee, name)
    return True
