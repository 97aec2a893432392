"""Corporate actions (公司行为, rulebook 11): what is in transit between ex-date and payment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.oracle.ledger import MILLI, ZERO, Account, InTransit, money
from tests.oracle.prices import Prices

Action = dict[str, Any]


def is_rights(action: Action) -> bool:
    return bool(action["kind"] == "rights")


def adjusted_close(close: Decimal, actions: Iterable[Action], tick: Decimal) -> Decimal:
    """(close - cash + sum(offered x price)) / (1 + shares), half up to the price step (E14: 18.15)."""
    worth, shares = Fraction(close), Fraction(1)
    for action in actions:
        per_share = Fraction(money(action.get("shares_per_share") or 0))
        worth -= Fraction(money(action.get("cash_per_share") or 0))
        if is_rights(action):
            worth += per_share * Fraction(money(action["price"]))
        shares += per_share
    steps = int(worth / shares / Fraction(tick) + Fraction(1, 2))
    return max(1, steps) * tick


def right(prices: Prices, security: str, price: Decimal) -> Decimal:
    """What the right to one share is worth: never less than nothing."""
    return max(ZERO, (prices.collateral_price(security) or ZERO) - price)


def go_ex(account: Account, action: Action, prices: Prices) -> None:
    """A holder is to get cash net of tax, shares, or the right to buy some; a short owes the equal of it."""
    security = action["security"]
    held, short = account.held.get(security, 0), account.short_qty(security)
    if held:
        _holder(account, action, held, prices)
    if short:
        _short(account, action, short, prices)


def _whole(shares: Decimal) -> int:
    return int(shares.to_integral_value(rounding=ROUND_FLOOR))


def _holder(account: Account, action: Action, held: int, prices: Prices) -> None:
    assert prices.day is not None
    net = money(action.get("cash_per_share") or 0) * (1 - money(action.get("tax") or 0))
    cash = (held * net).quantize(MILLI, rounding=ROUND_HALF_UP)
    shares = _whole(held * money(action.get("shares_per_share") or 0))
    if not cash and not shares:
        return
    item = next((i for i in account.receivable if i.action == action["action"]), None)
    if item is None:
        item = InTransit(action["action"], action["security"])
        account.receivable.append(item)
    item.security = action["security"]
    item.pay_date = date.fromisoformat(action["pay_date"]) if action.get("pay_date") else None
    item.cash += cash
    if is_rights(action):
        item.entitled, item.price = shares, money(action["price"])
        if can_subscribe(item, prices.day):
            item.worth = right(prices, item.security, item.price)
        turn_into_shares(item)
    else:
        item.shares += shares


def _short(account: Account, action: Action, short: int, prices: Prices) -> None:
    cash = (short * money(action.get("cash_per_share") or 0)).quantize(MILLI, rounding=ROUND_HALF_UP)
    shares = _whole(short * money(action.get("shares_per_share") or 0))
    if is_rights(action):
        mark = prices.mark(action["security"]) or ZERO
        cash += shares * max(ZERO, mark - money(action["price"]))
        shares = 0
    if cash or shares:
        pay_date = date.fromisoformat(action["pay_date"]) if action.get("pay_date") else None
        owed = InTransit(action["action"], action["security"], cash, shares, pay_date)
        account.compensation.append(owed)


def can_subscribe(item: InTransit, day: date) -> bool:
    """Before its payment date; where none is told, nobody knows, and the right counts for nothing."""
    return item.pay_date is not None and item.pay_date > day


def turn_into_shares(item: InTransit) -> None:
    """Money paid for rights becomes shares on their way, as far as it goes."""
    if item.entitled and item.paid:
        bought = min(item.entitled, int(item.paid // item.price))
        item.entitled -= bought
        item.paid -= bought * item.price
        item.shares += bought


def new_day(account: Account, prices: Prices) -> None:
    """Rights count at the prices with which the day begins, while they can be subscribed."""
    assert prices.day is not None
    for item in account.receivable:
        open_ = item.entitled and can_subscribe(item, prices.day)
        item.worth = right(prices, item.security, item.price) if open_ else ZERO


def money_moved(account: Account, action: Action | str | None, amount: Decimal, announced: set[str]) -> None:
    """Money that names an action: paid to a holder, by a short, or by a holder for rights."""
    if not isinstance(action, str):
        return
    for item in [i for i in account.compensation if i.action == action]:
        if amount < 0:
            _end_cash(account.compensation, item)
    mine = [i for i in account.receivable if i.action == action]
    if amount > 0:
        for item in mine:
            if item.paid:
                item.paid -= min(item.paid, amount)
                _drop_if_empty(account.receivable, item)
            else:
                _end_cash(account.receivable, item)
    elif mine or (action in announced and not any(i.action == action for i in account.compensation)):
        _pay_in(account, mine, action, -amount, announced)


def _pay_in(
    account: Account, mine: list[InTransit], action: str, amount: Decimal, announced: set[str]
) -> None:
    if not mine:
        mine = [InTransit(action, "")]
        account.receivable += mine
    for item in mine:
        if item.entitled or action in announced:
            item.paid += amount
            turn_into_shares(item)


def shares_moved(account: Account, action: str | None, qty: int) -> None:
    """Shares that name an action: credited to a holder, or given to the lender by a short."""
    items = account.receivable if qty > 0 else account.compensation
    for item in [i for i in items if i.action == action]:
        if item.price or not item.shares:
            items.remove(item)
        else:
            item.shares = 0
            _drop_if_empty(items, item)


def _end_cash(items: list[InTransit], item: InTransit) -> None:
    """The money part is over, or the whole where there is none."""
    if not item.cash and not item.paid:
        items.remove(item)
        return
    item.cash = item.paid = ZERO
    _drop_if_empty(items, item)


def _drop_if_empty(items: list[InTransit], item: InTransit) -> None:
    if not (item.cash or item.paid or item.shares or item.entitled):
        items.remove(item)


def pay_out(account: Account, day: date, *, auto_pay: bool) -> None:
    """At the payment date rights lapse; where the preset pays by itself, everything is paid."""
    for item in [i for i in account.receivable if i.pay_date is not None and i.pay_date <= day]:
        item.entitled, item.worth = 0, ZERO
        _drop_if_empty(account.receivable, item)
        if auto_pay and item in account.receivable:
            account.receivable.remove(item)
            account.cash += item.cash + item.paid
            if item.shares:
                account.add(item.security, item.shares, locked=True)
    for item in [i for i in account.compensation if i.pay_date is not None and i.pay_date <= day]:
        if auto_pay and (not item.shares or account.short_qty(item.security)):
            account.compensation.remove(item)
            account.cash -= item.cash
            _owe_more(account, item, day)


def _owe_more(account: Account, item: InTransit, day: date) -> None:
    """The borrowed quantity grows in proportion, what it was sold for does not."""
    if not item.shares:
        return
    contracts = [c for c in account.contracts.values() if c.kind == "lending" and c.security == item.security]
    contracts = sorted((c for c in contracts if c.qty), key=lambda c: (c.opened, c.name))
    whole = sum(c.qty for c in contracts)
    parts = [item.shares * c.qty // whole for c in contracts]
    parts[0] += item.shares - sum(parts)
    for contract, part in zip(contracts, parts, strict=True):
        contract.qty += part
        contract.first_qty += part
    account.flow("returns", item.security, -item.shares, ZERO)
