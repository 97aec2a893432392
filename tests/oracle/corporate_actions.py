"""Corporate actions (公司行为, rulebook 11): what is in transit between ex-date and payment."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.oracle.ledger import MILLI, Account, InTransit, money


def go_ex(account: Account, action: dict[str, Any]) -> None:
    """A holder is to get cash net of tax, or shares; a short owes the gross dividend, or the shares."""
    security = action["security"]
    per_share = money(action.get("cash_per_share") or 0)
    shares = money(action.get("shares_per_share") or 0)
    net = per_share * (1 - money(action.get("tax") or 0))
    pay_date = date.fromisoformat(action["pay_date"]) if action.get("pay_date") else None
    held, short = account.held.get(security, 0), account.short_qty(security)
    if held:
        cash = (held * net).quantize(MILLI, rounding=ROUND_HALF_UP)
        account.receivable.append(InTransit(action["action"], security, cash, int(held * shares), pay_date))
    if short:
        cash = (short * per_share).quantize(MILLI, rounding=ROUND_HALF_UP)
        owed = InTransit(action["action"], security, cash, int(short * shares), pay_date)
        account.compensation.append(owed)


def release(account: Account, action: str | None, amount: Decimal | int) -> None:
    """What came in ends what a holder awaited, what went out ends what a short owed."""
    if action is None:
        return
    if amount > 0:
        account.receivable = [item for item in account.receivable if item.action != action]
    else:
        account.compensation = [item for item in account.compensation if item.action != action]


def pay_out(account: Account, day: date, *, auto_pay: bool) -> None:
    """At the payment date, where the preset pays by itself. Shares owed to a lender stay owed."""
    if not auto_pay:
        return
    for item in [i for i in account.receivable if i.pay_date is not None and i.pay_date <= day]:
        account.receivable.remove(item)
        account.cash += item.cash
        if item.shares:
            account.add(item.security, item.shares, locked=True)
    for item in [i for i in account.compensation if i.pay_date is not None and i.pay_date <= day]:
        if not item.shares:
            account.compensation.remove(item)
            account.cash -= item.cash
