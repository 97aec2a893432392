"""What forced liquidation (强制平仓) has on order: the account's own requests leave it alone.

A plan that is only proposed, or held, binds nobody: the client may still sell and repay himself.
"""

from __future__ import annotations

from agents.margin.desk import PROPOSE, Desk
from agents.margin.orders import BUY_TO_RETURN, COLLATERAL_SELL, REPAY, SELL_TO_REPAY


def forced_sales(desk: Desk, account: int, security: int) -> int:
    """Shares of a security that open forced orders will sell."""
    orders = desk.orders
    return sum(
        orders.left[row]
        for row in _sent(desk, account)
        if orders.business[row] in (SELL_TO_REPAY, COLLATERAL_SELL) and orders.security[row] == security
    )


def forced_cash(desk: Desk, account: int) -> tuple[int, int]:
    """Own cash (milli) that open forced repayments use, and cash that open covers will cost."""
    orders = desk.orders
    repaid = covered = 0
    for row in _sent(desk, account):
        if orders.business[row] == REPAY:
            repaid += orders.left[row]
        elif orders.business[row] == BUY_TO_RETURN:
            covered += orders.left[row] * orders.expected[row]
    return repaid, covered


def _sent(desk: Desk, account: int) -> list[int]:
    """Open forced orders that are on their way."""
    found = desk.orders.of(account)
    if not found:
        return found
    episodes, row = desk.episodes, desk.books.accounts.episode[account]
    if row < 0 or episodes.held[row] or episodes.capped[row]:
        return []
    return found if desk.config.liquidation != PROPOSE or episodes.approved[row] else []
