"""What each kind of account event (contract section 2) does to an oracle account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from tests.oracle.ledger import ZERO, Account, Contract, RefusedError, give_back, money, repay
from tests.oracle.presets import Preset
from tests.oracle.prices import shanghai

Event = dict[str, Any]
OTHER_COLLATERAL_SINCE = date(2019, 8, 19)
"""Rulebook 1.1."""


def opened_contract(fields: Event, day: date, preset: Preset) -> Contract:
    """A contract of an opening as of `day`: `accrued` covers the days before it."""
    kind, qty, price = fields["type"], int(fields["qty"]), money(fields["price"])
    principal = money(fields["principal"]) if fields.get("principal") is not None else qty * price
    given = fields.get("rate")
    contract = Contract(
        name=fields["contract"],
        kind=kind,
        security=fields["security"],
        opened=date.fromisoformat(fields["opened"]),
        qty=qty,
        price=price,
        principal=principal if kind == "financing" else qty * price,
        rate=money(given) if given is not None else standard_rate(kind, preset),
        margin_ratio=money(fields.get("margin_ratio") or "1"),
        due=date.fromisoformat(fields["due"]) if fields.get("due") else None,
        first_qty=qty,
        first_principal=principal,
    )
    if fields.get("accrued") is not None:
        contract.accrued = money(fields["accrued"])
        contract.covered_days = contract.principal * max(0, (day - contract.opened).days)
    return contract


def standard_rate(kind: str, preset: Preset) -> Decimal:
    return preset.financing_rate if kind == "financing" else preset.lending_rate


def opening(account: Account, event: Event, day: date, preset: Preset) -> None:
    """Replaces assets and contracts; an open call stays."""
    account.cash = money(event["cash"])
    account.other_collateral = money(event.get("other_collateral") or 0)
    account.held = {p["security"]: int(p["qty"]) for p in event["positions"] if p["qty"]}
    account.sellable = {
        p["security"]: int(p.get("sellable", p["qty"])) for p in event["positions"] if p["qty"]
    }
    account.frozen, account.frozen_cash = {}, ZERO
    as_of = shanghai(event["ts"]).date()
    account.contracts = {c["contract"]: opened_contract(c, as_of, preset) for c in event["contracts"]}
    account.receivable, account.compensation = [], []


def release(account: Account, action: str | None, came_in: bool) -> None:
    """What came in ends what a holder awaited, what went out ends what a short owed."""
    if action is None:
        return
    if came_in:
        account.receivable = [item for item in account.receivable if item.action != action]
    else:
        account.compensation = [item for item in account.compensation if item.action != action]


def check_free(account: Account, security: str, qty: int) -> None:
    """Only what is held and not frozen can leave."""
    if qty > account.held.get(security, 0) - account.frozen.get(security, 0):
        raise RefusedError("qty", "more than is held and not frozen")


def cash(account: Account, event: Event, day: date, preset: Preset) -> None:
    account.cash += money(event["amount"])
    release(account, event.get("action"), money(event["amount"]) > 0)


def transfer(account: Account, event: Event, day: date, preset: Preset) -> None:
    if event["qty"] < 0:
        check_free(account, event["security"], -event["qty"])
    account.add(event["security"], event["qty"])
    release(account, event.get("action"), event["qty"] > 0)


def fill(account: Account, event: Event, day: date, preset: Preset) -> None:
    business, security, qty, price = event["business"], event["security"], event["qty"], money(event["price"])
    fee, name = money(event.get("fee") or 0), event.get("contract")
    gross = qty * price
    if business in ("collateral_sell", "sell_to_repay"):
        check_free(account, security, qty)
    if business == "collateral_buy":
        account.cash -= gross + fee
        account.add(security, qty)
    elif business == "collateral_sell":
        account.cash += gross - fee
        account.add(security, -qty)
    elif business == "financing_buy":
        account.cash -= fee
        account.add(security, qty)
        lend(account, event, "financing", day, preset)
    elif business == "sell_to_repay":
        spent = repay(account, max(ZERO, gross - fee), name, day, keep_excess=True)
        account.cash += gross - fee - spent
        account.add(security, -qty)
    elif business == "short_sell":
        account.cash += gross - fee
        lend(account, event, "lending", day, preset)
    elif business == "buy_to_return":
        give_back(account, security, qty, name, day)
        account.cash -= gross + fee


def lend(account: Account, event: Event, kind: str, day: date, preset: Preset) -> None:
    """A fill that borrows opens a contract named by the fill, else by the event's own id, or adds to it."""
    name, qty, price = event.get("contract") or event["id"], event["qty"], money(event["price"])
    known = account.contracts.get(name)
    if known is not None:
        known.borrow_more(qty, qty * price, day)
        return
    account.contracts[name] = Contract(
        name=name,
        kind=kind,
        security=event["security"],
        opened=day,
        qty=qty,
        price=price,
        principal=qty * price,
        rate=money(event["rate"]) if event.get("rate") is not None else standard_rate(kind, preset),
        margin_ratio=money(event.get("margin_ratio") or "1"),
        due=date.fromisoformat(event["due"]) if event.get("due") else None,
        first_qty=qty,
        first_principal=qty * price,
    )


def direct_repay(account: Account, event: Event, day: date, preset: Preset) -> None:
    account.cash -= repay(account, money(event["amount"]), event.get("contract"), day, keep_excess=False)


def direct_return(account: Account, event: Event, day: date, preset: Preset) -> None:
    check_free(account, event["security"], event["qty"])
    give_back(account, event["security"], event["qty"], event.get("contract"), day)
    account.add(event["security"], -event["qty"])


def extend(account: Account, event: Event, day: date, preset: Preset) -> None:
    if event["contract"] not in account.contracts:
        raise RefusedError("contract", "no such contract")
    account.contracts[event["contract"]].due = date.fromisoformat(event["due"])


def freeze(account: Account, event: Event, day: date, preset: Preset) -> None:
    """Frozen assets count in the ratio and cannot be sold or withdrawn."""
    if event.get("cash") is not None:
        account.frozen_cash += money(event["cash"])
    else:
        frozen = account.frozen.get(event["security"], 0) + event["qty"]
        if not 0 <= frozen <= account.held.get(event["security"], 0):
            raise RefusedError("qty", "less than nothing frozen, or more than is held")
        account.frozen[event["security"]] = frozen


def other_collateral(account: Account, event: Event, day: date, preset: Preset) -> None:
    if day < OTHER_COLLATERAL_SINCE and money(event["value"]):
        raise RefusedError("other_collateral", "counts from 2019-08-19 on")
    account.other_collateral = money(event["value"])


def close(account: Account, event: Event, day: date, preset: Preset) -> None:
    if account.contracts or account.compensation:
        raise RefusedError("account", "still owes")
    account.closed = True


def order_closed(account: Account, event: Event, day: date, preset: Preset) -> None:
    """Frees reservations only; the book does not change."""


FOLDS: dict[str, Callable[[Account, Event, date, Preset], None]] = {
    "opening": opening,
    "cash": cash,
    "transfer": transfer,
    "fill": fill,
    "order_closed": order_closed,
    "repay": direct_repay,
    "return": direct_return,
    "extend": extend,
    "freeze": freeze,
    "other_collateral": other_collateral,
    "close": close,
}


def brings_money(event: Event, other_before: Decimal) -> bool:
    """Assets came in, or debt went out from outside the price: what makes an open call partly met."""
    kind = event["kind"]
    return (
        kind == "opening"
        or (kind == "cash" and money(event["amount"]) > 0)
        or (kind == "transfer" and event["qty"] > 0)
        or kind in ("repay", "return")
        or (kind == "other_collateral" and money(event["value"]) > other_before)
    )
