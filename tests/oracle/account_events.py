"""What each kind of account event (contract section 2) does to an oracle account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from tests.oracle.contracts import Contract, check_term, longest_term
from tests.oracle.corporate_actions import money_moved, shares_moved
from tests.oracle.dated import OTHER_COLLATERAL_SINCE, least_margin
from tests.oracle.ledger import ZERO, Account, RefusedError, give_back, money, repay
from tests.oracle.obligations import COURT
from tests.oracle.presets import Preset
from tests.oracle.prices import shanghai

Event = dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """What a new contract takes from elsewhere: the preset's rates, margin ratios published by security."""

    preset_on: Callable[[date], Preset]
    margins: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    announced: set[str] = field(default_factory=set)
    """Rights issues whose ex-date is still to come: money that names one pays for it."""

    suspended: dict[str, date | None] = field(default_factory=dict)
    """Securities suspended now, and since when if that was told."""

    def rate(self, kind: str, given: Any, day: date) -> Decimal:
        if given is not None:
            return money(given)
        preset = self.preset_on(day)
        return preset.financing_rate if kind == "financing" else preset.lending_rate

    def rate_on(self, contract: Contract, day: date) -> Decimal:
        """A contract without a rate of its own follows the preset's dated rates."""
        return self.rate(contract.kind, None, day) if contract.floating else contract.rate

    def suspension(self, security: str) -> dict[str, Any]:
        return {
            "suspended": security in self.suspended,
            "suspended_since": self.suspended.get(security),
        }

    def margin_ratio(self, account: Account, kind: str, security: str, opened: date, given: Any) -> Decimal:
        """Fixed for the life of the contract (rulebook 3.2)."""
        if given is not None:
            return money(given)
        published = self.margins.get((kind, security))
        return least_margin(kind, account.client, opened) if published is None else published


def opened_contract(account: Account, fields: Event, as_of: date, day: date, terms: Terms) -> Contract:
    """A contract of an opening as of a day: `accrued` covers the days before it."""
    kind, qty, price = fields["type"], int(fields["qty"]), money(fields["price"])
    principal = money(fields["principal"]) if fields.get("principal") is not None else qty * price
    opened, covered = date.fromisoformat(fields["opened"]), fields.get("accrued") is not None
    given = fields.get("margin_ratio")
    contract = Contract(
        name=fields["contract"],
        kind=kind,
        security=fields["security"],
        opened=opened,
        qty=qty,
        price=price,
        principal=principal if kind == "financing" else qty * price,
        rate=terms.rate(kind, fields.get("rate"), opened),
        margin_ratio=terms.margin_ratio(account, kind, fields["security"], opened, given),
        floating=fields.get("rate") is None,
        accrued=money(fields["accrued"]) if covered else ZERO,
        charged_to=as_of if covered else opened,
    )
    due = date.fromisoformat(fields["due"]) if fields.get("due") else longest_term(opened, as_of)
    contract.set_due(due, day, **terms.suspension(contract.security))
    contract.run_to(day, terms.rate_on)
    return contract


def opening(account: Account, event: Event, day: date, terms: Terms) -> None:
    """Replaces assets and contracts; an open call stays."""
    if money(event.get("other_collateral") or 0) and day < OTHER_COLLATERAL_SINCE:
        raise RefusedError("other_collateral", "counts from 2019-08-19 on")
    for fields in event["contracts"]:
        if fields.get("due") and fields["due"] < fields["opened"]:
            raise RefusedError("contracts", "due before it was opened")
    account.client = event.get("class") or account.client
    account.credit = event.get("credit") or account.credit
    account.group_credit = event.get("group_credit") or account.group_credit
    account.cash = money(event["cash"])
    account.other_collateral = money(event.get("other_collateral") or 0)
    account.held = {p["security"]: int(p["qty"]) for p in event["positions"] if p["qty"]}
    as_of = shanghai(event["ts"]).date()
    account.locked = {}
    if as_of >= day:
        for p in event["positions"]:
            account.locked[p["security"]] = int(p["qty"]) - int(p.get("sellable", p["qty"]))
    account.frozen, account.frozen_cash = {}, ZERO
    account.contracts = {
        c["contract"]: opened_contract(account, c, as_of, day, terms) for c in event["contracts"]
    }
    account.receivable, account.compensation = [], []


def check_free(account: Account, security: str, qty: int) -> None:
    """Only what is held and not frozen can leave."""
    if qty > account.held.get(security, 0) - account.frozen.get(security, 0):
        raise RefusedError("qty", "more than is held and not frozen")


def of_today(event: Event, day: date) -> bool:
    """What came in on an earlier day and is told late is sellable already."""
    return shanghai(event["ts"]).date() >= day


def cash(account: Account, event: Event, day: date, terms: Terms) -> None:
    left = account.cash + money(event["amount"])
    withdrawn = event["reason"] == "withdrawal" and left < account.cash
    if withdrawn and account.frozen_cash > max(left, ZERO):
        raise RefusedError("amount", "frozen cash stays")
    account.cash += money(event["amount"])
    money_moved(account, event.get("action"), money(event["amount"]), terms.announced)


def transfer(account: Account, event: Event, day: date, terms: Terms) -> None:
    if event["qty"] < 0:
        check_free(account, event["security"], -event["qty"])
    account.add(event["security"], event["qty"], locked=event["qty"] > 0 and of_today(event, day))
    shares_moved(account, event.get("action"), event["qty"])


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
        lend(account, event, "financing", day, terms)
        account.cash -= fee
        account.add(security, qty, locked=of_today(event, day))
    elif business == "sell_to_repay":
        spent = repay(account, max(ZERO, gross - fee), name, day, keep_excess=True)
        account.cash += gross - fee - spent
        account.add(security, -qty)
    elif business == "short_sell":
        lend(account, event, "lending", day, terms)
        account.cash += gross - fee
    elif business == "buy_to_return":
        give_back(account, security, qty, name, day)
        account.cash -= gross + fee


def lend(account: Account, event: Event, kind: str, day: date, terms: Terms) -> None:
    """A fill that borrows opens a contract named by the fill, else by the event's own id, or adds to it."""
    name, qty, price = event.get("contract") or event["id"], event["qty"], money(event["price"])
    known, sold = account.contracts.get(name), min(day, shanghai(event["ts"]).date())
    if known is not None and (known.kind, known.security) != (kind, event["security"]):
        raise RefusedError("contract", "is of another type or security")
    flow = ("buys" if kind == "financing" else "short_sales", event["security"], qty, qty * price)
    if known is not None:
        known.borrow_more(qty, qty * price, day, sold)
        account.flow(*flow)
        return
    due = date.fromisoformat(event["due"]) if event.get("due") else longest_term(day, day)
    check_term(due, day)
    account.flow(*flow)
    account.contracts[name] = contract = Contract(
        name=name,
        kind=kind,
        security=event["security"],
        opened=day,
        qty=qty,
        price=price,
        principal=qty * price,
        rate=terms.rate(kind, event.get("rate"), day),
        margin_ratio=terms.margin_ratio(account, kind, event["security"], day, event.get("margin_ratio")),
        floating=event.get("rate") is None,
    )
    contract.fresh_on = sold
    contract.set_due(due, day, **terms.suspension(contract.security))


def direct_repay(account: Account, event: Event, day: date, terms: Terms) -> None:
    account.cash -= repay(account, money(event["amount"]), event.get("contract"), day, keep_excess=False)


def direct_return(account: Account, event: Event, day: date, terms: Terms) -> None:
    check_free(account, event["security"], event["qty"])
    give_back(account, event["security"], event["qty"], event.get("contract"), day)
    account.add(event["security"], -event["qty"])


def extend(account: Account, event: Event, day: date, terms: Terms) -> None:
    if event["contract"] not in account.contracts:
        raise RefusedError("contract", "no such contract")
    contract, due = account.contracts[event["contract"]], date.fromisoformat(event["due"])
    contract.extend(due, day)
    contract.set_due(due, day, **terms.suspension(contract.security))


def freeze(account: Account, event: Event, day: date, terms: Terms) -> None:
    """Frozen assets count in the ratio and cannot be sold or withdrawn; a court's order is kept apart."""
    thing = "" if event.get("cash") is not None else event["security"]
    if not thing:
        if account.frozen_cash + money(event["cash"]) < 0:
            raise RefusedError("cash", "less than nothing frozen")
        account.frozen_cash += money(event["cash"])
    else:
        frozen = account.frozen.get(event["security"], 0) + event["qty"]
        if not 0 <= frozen <= account.held.get(event["security"], 0):
            raise RefusedError("qty", "less than nothing frozen, or more than is held")
        account.frozen[event["security"]] = frozen
    if event.get("reason") in COURT:
        moved = money(event["qty"] if thing else event["cash"])
        account.seized[thing] = account.seized.get(thing, ZERO) + moved


def released_by_courts(account: Account) -> None:
    """Courts hold no more than is frozen at all; an order ends when as much is released."""
    for thing, held in list(account.seized.items()):
        frozen = money(account.frozen.get(thing, 0)) if thing else account.frozen_cash
        account.seized[thing] = min(held, frozen)
        if account.seized[thing] <= 0:
            del account.seized[thing]


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
        (kind == "cash" and money(event["amount"]) > 0)
        or (kind == "transfer" and event["qty"] > 0)
        or kind in ("repay", "return")
        or (kind == "other_collateral" and money(event["value"]) > other_before)
    )
