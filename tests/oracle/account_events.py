"""What each kind of account event (contract section 2) does to an oracle account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from tests.oracle.corporate_actions import release
from tests.oracle.dated import OTHER_COLLATERAL_SINCE, least_margin
from tests.oracle.ledger import ZERO, Account, Contract, RefusedError, give_back, money, repay
from tests.oracle.presets import Preset
from tests.oracle.prices import shanghai

Event = dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """What a new contract takes from elsewhere: the preset's rates, margin ratios published by security."""

    preset: Preset
    margins: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def rate(self, kind: str, given: Any) -> Decimal:
        if given is not None:
            return money(given)
        return self.preset.financing_rate if kind == "financing" else self.preset.lending_rate

    def margin_ratio(self, account: Account, kind: str, security: str, opened: date, given: Any) -> Decimal:
        """Fixed for the life of the contract (rulebook 3.2)."""
        if given is not None:
            return money(given)
        published = self.margins.get((kind, security))
        return least_margin(kind, account.client, opened) if published is None else published


def opened_contract(account: Account, fields: Event, day: date, terms: Terms) -> Contract:
    """A contract of an opening as of `day`: `accrued` covers the days before it."""
    kind, qty, price = fields["type"], int(fields["qty"]), money(fields["price"])
    principal = money(fields["principal"]) if fields.get("principal") is not None else qty * price
    opened = date.fromisoformat(fields["opened"])
    given = fields.get("margin_ratio")
    contract = Contract(
        name=fields["contract"],
        kind=kind,
        security=fields["security"],
        opened=opened,
        qty=qty,
        price=price,
        principal=principal if kind == "financing" else qty * price,
        rate=terms.rate(kind, fields.get("rate")),
        margin_ratio=terms.margin_ratio(account, kind, fields["security"], opened, given),
        due=date.fromisoformat(fields["due"]) if fields.get("due") else None,
        first_qty=qty,
        first_principal=principal,
    )
    if fields.get("accrued") is not None:
        contract.accrued = money(fields["accrued"])
        contract.covered_days = contract.principal * max(0, (day - contract.opened).days)
    return contract


def opening(account: Account, event: Event, day: date, terms: Terms) -> None:
    """Replaces assets and contracts; an open call stays."""
    if money(event.get("other_collateral") or 0) and day < OTHER_COLLATERAL_SINCE:
        raise RefusedError("other_collateral", "counts from 2019-08-19 on")
    account.client = event.get("class") or account.client
    account.cash = money(event["cash"])
    account.other_collateral = money(event.get("other_collateral") or 0)
    account.held = {p["security"]: int(p["qty"]) for p in event["positions"] if p["qty"]}
    as_of = shanghai(event["ts"]).date()
    account.locked = {}
    if as_of >= day:
        for p in event["positions"]:
            account.locked[p["security"]] = int(p["qty"]) - int(p.get("sellable", p["qty"]))
    account.frozen, account.frozen_cash = {}, ZERO
    account.contracts = {c["contract"]: opened_contract(account, c, as_of, terms) for c in event["contracts"]}
    account.receivable, account.compensation = [], []


def check_free(account: Account, security: str, qty: int) -> None:
    """Only what is held and not frozen can leave."""
    if qty > account.held.get(security, 0) - account.frozen.get(security, 0):
        raise RefusedError("qty", "more than is held and not frozen")


def of_today(event: Event, day: date) -> bool:
    """What came in on an earlier day and is told late is sellable already."""
    return shanghai(event["ts"]).date() >= day


def cash(account: Account, event: Event, day: date, terms: Terms) -> None:
    account.cash += money(event["amount"])
    release(account, event.get("action"), money(event["amount"]))


def transfer(account: Account, event: Event, day: date, terms: Terms) -> None:
    if event["qty"] < 0:
        check_free(account, event["security"], -event["qty"])
    account.add(event["security"], event["qty"], locked=event["qty"] > 0 and of_today(event, day))
    release(account, event.get("action"), event["qty"])


def fill(account: Account, event: Event, day: date, terms: Terms) -> None:
    business, security, qty, price = event["business"], event["security"], event["qty"], money(event["price"])
    fee, name = money(event.get("fee") or 0), event.get("contract")
    gross = qty * price
    if business in ("collateral_sell", "sell_to_repay"):
        check_free(account, security, qty)
    if business == "collateral_buy":
        account.cash -= gross + fee
        account.add(security, qty, locked=of_today(event, day))
    elif business == "collateral_sell":
        account.cash += gross - fee
        account.add(security, -qty)
    elif business == "financing_buy":
        account.cash -= fee
        account.add(security, qty, locked=of_today(event, day))
        lend(account, event, "financing", day, terms)
    elif business == "sell_to_repay":
        spent = repay(account, max(ZERO, gross - fee), name, day, keep_excess=True)
        account.cash += gross - fee - spent
        account.add(security, -qty)
    elif business == "short_sell":
        account.cash += gross - fee
        lend(account, event, "lending", day, terms)
    elif business == "buy_to_return":
        give_back(account, security, qty, name, day)
        account.cash -= gross + fee


def lend(account: Account, event: Event, kind: str, day: date, terms: Terms) -> None:
    """A fill that borrows opens a contract named by the fill, else by the event's own id, or adds to it."""
    name, qty, price = event.get("contract") or event["id"], event["qty"], money(event["price"])
    known = account.contracts.get(name)
    if known is not None and (known.kind, known.security) != (kind, event["security"]):
        raise RefusedError("contract", "is of another type or security")
    account.flow("buys" if kind == "financing" else "short_sales", event["security"], qty, qty * price)
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
        rate=terms.rate(kind, event.get("rate")),
        margin_ratio=terms.margin_ratio(account, kind, event["security"], day, event.get("margin_ratio")),
        due=date.fromisoformat(event["due"]) if event.get("due") else None,
        first_qty=qty,
        first_principal=qty * price,
    )


def direct_repay(account: Account, event: Event, day: date, terms: Terms) -> None:
    account.cash -= repay(account, money(event["amount"]), event.get("contract"), day, keep_excess=False)


def direct_return(account: Account, event: Event, day: date, terms: Terms) -> None:
    check_free(account, event["security"], event["qty"])
    give_back(account, event["security"], event["qty"], event.get("contract"), day)
    account.add(event["security"], -event["qty"])


def extend(account: Account, event: Event, day: date, terms: Terms) -> None:
    if event["contract"] not in account.contracts:
        raise RefusedError("contract", "no such contract")
    account.contracts[event["contract"]].due = date.fromisoformat(event["due"])


def freeze(account: Account, event: Event, day: date, terms: Terms) -> None:
    """Frozen assets count in the ratio and cannot be sold or withdrawn."""
    if event.get("cash") is not None:
        account.frozen_cash += money(event["cash"])
    else:
        frozen = account.frozen.get(event["security"], 0) + event["qty"]
        if not 0 <= frozen <= account.held.get(event["security"], 0):
            raise RefusedError("qty", "less than nothing frozen, or more than is held")
        account.frozen[event["security"]] = frozen


def other_collateral(account: Account, event: Event, day: date, terms: Terms) -> None:
    if day < OTHER_COLLATERAL_SINCE and money(event["value"]):
        raise RefusedError("other_collateral", "counts from 2019-08-19 on")
    account.other_collateral = money(event["value"])


def close(account: Account, event: Event, day: date, terms: Terms) -> None:
    if account.contracts or account.compensation:
        raise RefusedError("account", "still owes")
    account.closed = True


def order_closed(account: Account, event: Event, day: date, terms: Terms) -> None:
    """Frees reservations only; the book does not change."""


FOLDS: dict[str, Callable[[Account, Event, date, Terms], None]] = {
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
