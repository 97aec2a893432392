"""What account events say about open liquidation orders: fills, closings, repayments."""

from __future__ import annotations

from agents.books.rows import EventRows
from agents.margin.desk import Desk
from agents.margin.orders import REPAY
from schemas.account import KINDS

_FILL, _ORDER_CLOSED, _REPAY = (KINDS.index(kind) for kind in ("fill", "order_closed", "repay"))


def note_progress(desk: Desk, events: EventRows, row: int, account: int) -> bool:
    """Brings open orders of an account up to an event already applied; says whether one of them was touched.

    A `repay` names no order: it counts for the open repayment of the plan.
    """
    orders, kind = desk.orders, events.kind[row]
    if kind == _REPAY:
        open_orders = [order for order in orders.of(account) if orders.business[order] == REPAY]
        order, done = (open_orders[0] if open_orders else -1), events.amount[row]
    elif kind in (_FILL, _ORDER_CLOSED) and events.order[row] >= 0:
        order = orders.named(account, events.batch.pool[events.order[row]])
        done = events.qty[row] if kind == _FILL else 2**62
    else:
        return False
    if order < 0:
        return False
    left = orders.left[order] - done
    if left > 0:
        orders.left[order] = left
    else:
        orders.close(order)
    return True
