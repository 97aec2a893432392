"""What account events say about open requests: fills, closings, money and shares that left.

A fill and `order_closed` name their order. A withdrawal or repayment names none: it counts for the oldest
open requests of its kind.
"""

from __future__ import annotations

from agents.books.rows import EventRows
from agents.gate.reservations import Reservations
from schemas.account import KINDS, REASONS
from schemas.orders import ORDER_BUSINESSES

_FILL, _CLOSED, _CASH, _TRANSFER, _REPAY = (
    KINDS.index(kind) for kind in ("fill", "order_closed", "cash", "transfer", "repay")
)
_WITHDRAWAL, _OUT = REASONS.index("withdrawal"), REASONS.index("collateral_out")
_WITHDRAW_CASH, _WITHDRAW_SECURITY, _REPAY_REQUEST = (
    ORDER_BUSINESSES.index(business) for business in ("withdraw_cash", "withdraw_security", "repay")
)


def note_use(
    reservations: Reservations, securities: dict[str, int], events: EventRows, row: int, account: int
) -> None:
    """Frees what an event, already applied, has used; `securities` are rows by name."""
    kind = events.kind[row]
    if kind in (_FILL, _CLOSED):
        order = reservations.named(account, events.pool[events.order[row]] or "")
        if order < 0:
            return
        if kind == _CLOSED:
            reservations.close(order)
        else:
            reservations.use(order, events.qty[row])
    elif kind == _REPAY:
        _use_oldest(reservations, account, _REPAY_REQUEST, -1, events.amount[row])
    elif kind == _CASH and events.batch.reason[row] == _WITHDRAWAL:
        _use_oldest(reservations, account, _WITHDRAW_CASH, -1, -events.amount[row])
    elif kind == _TRANSFER and events.batch.reason[row] == _OUT:
        security = securities.get(events.security_name(row), -1)
        _use_oldest(reservations, account, _WITHDRAW_SECURITY, security, -events.qty[row])


def _use_oldest(reservations: Reservations, account: int, business: int, security: int, done: int) -> None:
    for order in reservations.of(account):
        if done <= 0:
            return
        if reservations.business[order] == business and reservations.security[order] == security:
            part = min(done, reservations.left[order])
            reservations.use(order, part)
            done -= part
