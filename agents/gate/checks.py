"""Which checks a request passes through, in their order.

Objections come first, in this order: where and through whom it is traded (venue, lender), the security
itself (known, suspended, delisting, listed, halted), the account (custody, open call, priced), the form and
price of the order (side, type, price step, daily limits, cage, uptick), what the request needs to exist.
Then the caps: sizes, shares, cash, margin, credit lines of the account, of the group and of the firm's
client, the firm's collateral, concentration. The first cap that the quantity passes is named; the quantity
that would pass is the least of all caps, in legal lots.
"""

from __future__ import annotations

from collections.abc import Callable

from agents.gate import crowding, money, objections, prices, shares
from agents.gate.case import Case
from agents.gate.findings import Cap, Objection
from agents.rules.capacity import whole_fen
from schemas.orders import MONEY_REQUESTS

Check = Callable[[Case], Objection | None]
CapCheck = Callable[[Case], Cap | None]

_FORM: tuple[Check, ...] = (
    prices.side,
    prices.price_basis,
    prices.price_step,
    prices.daily_limits,
    prices.cage,
)
_PLACE: tuple[Check, ...] = (objections.venue, objections.lender, objections.known, objections.suspended)
_SAFE: tuple[Check, ...] = (objections.custody, objections.priced)

OBJECTIONS: dict[str, tuple[Check, ...]] = {
    "collateral_buy": (*_PLACE, *_FORM, crowding.gate),
    "collateral_sell": (*_PLACE, *_FORM, objections.held),
    "sell_to_repay": (*_PLACE, *_FORM, objections.held, objections.owes),
    "financing_buy": (
        *_PLACE,
        objections.delisting,
        objections.listed,
        objections.halted,
        *_SAFE,
        objections.open_call,
        *_FORM,
        crowding.gate,
    ),
    "short_sell": (
        *_PLACE,
        objections.delisting,
        objections.listed,
        objections.halted,
        *_SAFE,
        objections.open_call,
        prices.limit_only,
        *_FORM,
        prices.uptick,
    ),
    "buy_to_return": (*_PLACE, *_FORM, objections.held),
    "withdraw_cash": _SAFE,
    "withdraw_security": (objections.known, *_SAFE, objections.held),
    "repay": (objections.owes,),
}

_SIZE: tuple[CapCheck, ...] = (prices.bounds, shares.largest_order)
_HELD: tuple[CapCheck, ...] = (
    shares.held,
    shares.not_frozen,
    shares.not_bought_today,
    shares.not_reserved,
)
_DEBT: tuple[CapCheck, ...] = (
    money.margin_for_debt,
    money.account_credit,
    money.group_credit,
    money.firm_client,
)

CAPS: dict[str, tuple[CapCheck, ...]] = {
    "collateral_buy": (*_SIZE, money.cash_to_buy, money.margin_promised, shares.firm_collateral),
    "collateral_sell": (*_SIZE, *_HELD, shares.not_financed, prices.uptick_of_own_shares),
    "sell_to_repay": (*_SIZE, *_HELD, prices.uptick_of_own_shares),
    "financing_buy": (*_SIZE, *_DEBT, shares.firm_collateral),
    "short_sell": (*_SIZE, shares.lendable, *_DEBT),
    "buy_to_return": (*_SIZE, shares.borrowed, shares.returnable, money.cash_to_return),
    "withdraw_cash": (money.ratio_after_withdrawal, money.margin_that_leaves, money.own_cash),
    "withdraw_security": (
        *_HELD,
        shares.not_financed,
        money.ratio_after_withdrawal,
        money.margin_that_leaves,
        money.proceeds_stay,
    ),
    "repay": (money.money_owed, money.cash_to_repay),
}

AFTER_THE_FILL = frozenset({"collateral_buy", "financing_buy"})
"""What the concentration of the account after the fill is a matter of."""

_SALES = frozenset({"collateral_sell", "sell_to_repay", "withdraw_security"})


def first_objection(case: Case) -> Objection | None:
    """The first check that refuses the request whatever its quantity."""
    for check in OBJECTIONS[case.business]:
        objection = check(case)
        if objection is not None:
            return objection
    return None


def caps_of(case: Case) -> list[Cap]:
    """All caps that hold, in order."""
    found = [cap for check in CAPS[case.business] if (cap := check(case)) is not None]
    if case.business in AFTER_THE_FILL:
        last = crowding.tiers(case, min((cap.most for cap in found), default=case.wanted))
        if last is not None:
            found.append(last)
    return found


def legal(case: Case, most: int) -> int:
    """The largest request of at most `most` that is legal in itself: whole lots, or 0.01 yuan."""
    if case.business in MONEY_REQUESTS:
        return whole_fen(most)
    return shares.legal_sale(case, most) if case.business in _SALES else shares.legal_buy(case, most)


def wrong_size(case: Case) -> bool:
    """Whether a quantity that no cap forbids is not a legal size. Money may be any amount."""
    return case.business not in MONEY_REQUESTS and not shares.is_legal(case)
