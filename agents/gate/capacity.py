"""What an account could still borrow and withdraw, for a person who looks it up (rulebook 2, 1.2)."""

from __future__ import annotations

from typing import Any

from agents.gate.reservations import (
    COVER_CASH,
    FINANCING,
    LEAVING,
    LENDING,
    MARGIN,
    OWN_CASH,
    Reservations,
)
from agents.kernels.layout import BLIND, HOT_WIDTH
from agents.margin.desk import Desk
from agents.rules.capacity import most_value, whole_fen
from agents.rules.initial_margin import initial_margin
from agents.rules.withdrawal import room
from schemas.account import CLIENT_CLASSES
from schemas.orders import ORDER_BUSINESSES
from schemas.units import format_line, format_money

Record = dict[str, Any]


def capacity(desk: Desk, account: int, available: int) -> Record:
    """The most that may be financed, sold short and withdrawn in cash, after what open orders reserve.

    New debt is counted at the exchange's minimum margin ratio of the account's class and day, and within
    the account's own credit lines; a security's own ratio, list, halts and stock may allow less. `available`
    is the available margin, milli.
    """
    accounts, reserved = desk.books.accounts, desk.reservations.sums(account)
    margin = available - reserved[MARGIN]
    shown: Record = {"available_margin": format_money(margin)}
    for kind, column, used in (
        ("financing", accounts.credit_financing, accounts.principal[account] + reserved[FINANCING]),
        ("lending", accounts.credit_lending, accounts.proceeds[account] + reserved[LENDING]),
    ):
        ratio = initial_margin(kind, desk.books.day, CLIENT_CLASSES[accounts.client[account]], desk.rules)
        most = most_value(margin, ratio)
        if 0 <= accounts.credit_until[account] < desk.books.day:
            most = 0
        if column[account] >= 0:
            most = min(most, column[account] - used)
        if accounts.credit_total[account] >= 0:
            both = accounts.principal[account] + accounts.proceeds[account]
            both += reserved[FINANCING] + reserved[LENDING]
            most = min(most, accounts.credit_total[account] - both)
        shown[f"{kind}_margin"] = format_line(ratio)
        shown[f"max_new_{kind}"] = format_money(whole_fen(most))
    shown["withdrawable_cash"] = format_money(_withdrawable(desk, account, margin))
    shown["open_orders"] = _open_orders(desk.reservations, desk, account)
    return shown


def _withdrawable(desk: Desk, account: int, margin: int) -> int:
    accounts, reserved = desk.books.accounts, desk.reservations.sums(account)
    if accounts.custody_break[account] or accounts.hot[account * HOT_WIDTH + BLIND]:
        return 0
    borrowed = reserved[FINANCING] + reserved[LENDING]
    assets = accounts.assets(account) + borrowed - reserved[LEAVING]
    debt, day = accounts.debt(account) + borrowed, desk.books.day
    line, above = desk.rules.number("mmr_withdraw_line", day), desk.rules.inclusive("withdraw_above")
    by_ratio = room(assets, debt, line, inclusive=above)
    promised = max(accounts.proceeds[account], reserved[COVER_CASH])
    own = accounts.cash[account] - accounts.frozen_cash[account] - reserved[OWN_CASH] - promised
    return whole_fen(min(own, margin) if by_ratio is None else min(own, margin, by_ratio))


def _open_orders(reservations: Reservations, desk: Desk, account: int) -> list[Record]:
    """Accepted requests that are neither filled nor closed, oldest first."""
    names, shown = desk.books.securities.names, []
    for row in reservations.of(account):
        business, security = ORDER_BUSINESSES[reservations.business[row]], reservations.security[row]
        record: Record = {"order": reservations.names[row], "business": business}
        if security >= 0:
            record |= {"security": names[security], "qty": reservations.left[row]}
        else:
            record["amount"] = format_money(reservations.left[row])
        record["margin"] = format_money(reservations.reserved(row)[MARGIN])
        shown.append(record)
    return shown
