"""The planner: from a `Situation` to a `Plan`, a pure function. Rulebook 7.3 to 7.5.

Own free cash repays first; then holdings are sold to repay, in the order of the disposal strategy; then
shorts are covered from short-sale proceeds, own cash and, where both fall short, the sale of what is left.
Every quantity is the smallest legal one that reaches the target and meets what must be paid. An account
worth less than its debt is liquidated fully.

Where a slice limits what may be sent of a security (`quota`), the orders are those of this slice: each
security's part of the whole plan, as far as its quota goes. The rest is in the residual (`participation`)
and in what comes `later`.
"""

from dataclasses import replace

from agents.liquidation.balance import EXACT
from agents.liquidation.disposal import RULEBOOK, Disposal
from agents.liquidation.planner import Caps, Leg, Planner
from agents.liquidation.prices import highest_cover_price, lowest_sale_price
from agents.liquidation.situation import (
    HALTED,
    LIMIT_DOWN,
    LIMIT_UP,
    PARTICIPATION,
    SUSPENDED,
    Holding,
    Later,
    Plan,
    PlannedOrder,
    Short,
    Situation,
)
from agents.rules.lots import lot, round_down, split
from agents.rules.schedule import built_in
from schemas.units import RATIO_SCALE

REPAY_REASON = "own free cash repays first"
SELL_REASON = "sold to repay: liquidity, then concentration, market value, code"
RAISE_REASON = "sold to pay for covering shorts"
COVER_REASON = "shorts with the largest loss are covered first"

_PASSING = frozenset({SUSPENDED, HALTED, LIMIT_DOWN, LIMIT_UP})
"""Reasons that a later session may lift."""


def make_plan(situation: Situation, disposal: Disposal = RULEBOOK) -> Plan:
    """The smallest legal orders, in the strategy's order, that bring the account to its target ratio and
    meet its obligations, as far as this slice allows.

    Raises ValueError for a target not above 1.00.
    """
    if situation.target <= RATIO_SCALE:
        raise ValueError(f"a target of {situation.target} cannot be reached by selling")
    whole = Planner(situation, disposal).run()
    caps = _caps(whole)
    now = whole if caps is None else Planner(situation, disposal, caps).run()
    after = now.balance
    return Plan(
        orders=tuple(_orders(now)),
        residual=(*whole.residual(), *_unsent(whole, now)),
        needed=whole.needed,
        planned=_planned(now),
        still_needed=now.still_needed(),
        ratio_after=(after.assets, after.debt),
        achieved=now.achieved,
        later=() if now.achieved else _later(now, disposal),
    )


# -- slices


def _caps(whole: Planner) -> Caps | None:
    """What this slice may send of each security, None when the whole plan fits into it."""
    sales = {leg.holding.security: _sendable(whole.situation, leg.holding, leg.sold) for leg in whole.legs}
    covers = {
        short.contract: _sendable(whole.situation, short, whole.covered.get(short.contract, 0))
        for short in whole.shorts
    }
    fits = all(sales[leg.holding.security] == leg.sold for leg in whole.legs)
    fits = fits and all(covers[name] == done for name, done in whole.covered.items())
    return None if fits else Caps(sales, covers)


def _sendable(situation: Situation, item: Holding | Short, qty: int) -> int:
    """How much of `qty` the slice may send: its quota in whole lots, in a bounded number of orders."""
    if not qty:
        return 0
    rule = lot(item.board, item.kind, situation.day, situation.rules)
    rules = built_in() if situation.rules is None else situation.rules
    most = rule.maximum * rules.number("slice_orders", situation.day)
    if item.quota is not None:
        most = min(most, item.quota)
    return qty if qty <= most else round_down(rule, most)


def _unsent(whole: Planner, now: Planner) -> list[tuple[str, int, str]]:
    """What the whole plan trades and this slice does not."""
    if whole is now:
        return []
    rows = [
        (planned.holding.security, planned.sold - sent.sold, PARTICIPATION)
        for planned, sent in zip(whole.legs, now.legs, strict=True)
    ]
    for short in whole.shorts:
        unsent = whole.covered.get(short.contract, 0) - now.covered.get(short.contract, 0)
        rows.append((short.security, unsent, PARTICIPATION))
    return [row for row in rows if row[1] > 0]


def _later(now: Planner, disposal: Disposal) -> tuple[Later, ...]:
    """What would be traded next, were the account as this plan leaves it and nothing in the way that a
    later session lifts: price limits, halts, T+1, the slice.
    """
    after = now.balance
    sold = {leg.holding.security: leg.sold for leg in now.legs}
    holdings = [_held_on(item, sold.get(item.security, 0)) for item in now.situation.holdings]
    shorts = [_owed_on(item, now.covered.get(item.contract, 0)) for item in now.situation.shorts]
    next_time = replace(
        now.situation,
        free_cash=max(0, after.own_cash // EXACT),
        short_proceeds=max(0, after.short_proceeds // EXACT),
        repayable=-(-after.repayable // EXACT),
        must_repay=-(-after.must_repay // EXACT),
        assets=after.assets // EXACT,
        debt=-(-after.debt // EXACT),
        holdings=tuple(item for item in holdings if item.qty > 0),
        shorts=tuple(item for item in shorts if item.qty > 0),
    )
    then = Planner(next_time, disposal).run()
    found = []
    for leg in then.legs:
        holding = leg.holding
        for business, qty in (("sell_to_repay", leg.to_repay), ("collateral_sell", leg.to_cover)):
            if qty:
                found.append(Later(business, holding.security, qty, holding.expected))
    for short in then.shorts:
        qty = then.covered.get(short.contract, 0)
        if qty:
            found.append(Later("buy_to_return", short.security, qty, short.expected))
    return tuple(found)


def _held_on(holding: Holding, sold: int) -> Holding:
    why = None if holding.why_unsellable in _PASSING else holding.why_unsellable
    left = holding.qty - sold
    free = left - holding.frozen
    return replace(holding, qty=left, sellable=free, why_unsellable=why, quota=None, in_orders=0)


def _owed_on(short: Short, covered: int) -> Short:
    why = None if short.why_uncoverable in _PASSING else short.why_uncoverable
    return replace(short, qty=short.qty - covered, why_uncoverable=why, quota=None, fresh=0, in_orders=0)


# -- orders


def _planned(now: Planner) -> int:
    """Gross value at mark (milli) of what is sold to repay and of what is covered."""
    sold = sum(leg.to_repay * leg.holding.mark for leg in now.legs)
    return sold + sum(now.covered.get(short.contract, 0) * short.mark for short in now.shorts)


def _orders(now: Planner) -> list[PlannedOrder]:
    """Repayment, sales, covers, each within the board's largest order."""
    orders = [_repay_order(now.repaid)] if now.repaid else []
    for leg in now.legs:
        orders += _sales(now.situation, "sell_to_repay", leg, leg.to_repay, SELL_REASON)
    for leg in now.legs:
        orders += _sales(now.situation, "collateral_sell", leg, leg.to_cover, RAISE_REASON)
    for short in now.shorts:
        orders += _purchases(now.situation, short, now.covered.get(short.contract, 0))
    return orders


def _sales(situation: Situation, business: str, leg: Leg, qty: int, reason: str) -> list[PlannedOrder]:
    holding, day, rules = leg.holding, situation.day, situation.rules
    if not qty:
        return []
    return [
        PlannedOrder(
            business=business,
            security=holding.security,
            side="S",
            qty=size,
            amount=None,
            price=lowest_sale_price(holding, day, rules),
            expected_price=holding.expected,
            mark=holding.mark,
            contract=None,
            reason=reason,
            rule=f"liquidation.{business}",
        )
        for size in split(lot(holding.board, holding.kind, day, rules), qty)
    ]


def _purchases(situation: Situation, short: Short, qty: int) -> list[PlannedOrder]:
    day, rules = situation.day, situation.rules
    if not qty:
        return []
    return [
        PlannedOrder(
            business="buy_to_return",
            security=short.security,
            side="B",
            qty=size,
            amount=None,
            price=highest_cover_price(short, day, rules),
            expected_price=short.expected,
            mark=short.mark,
            contract=short.contract,
            reason=COVER_REASON,
            rule="liquidation.buy_to_return",
        )
        for size in split(lot(short.board, short.kind, day, rules), qty)
    ]


def _repay_order(amount: int) -> PlannedOrder:
    return PlannedOrder(
        business="repay",
        security=None,
        side=None,
        qty=None,
        amount=amount,
        price=None,
        expected_price=None,
        mark=None,
        contract=None,
        reason=REPAY_REASON,
        rule="liquidation.repay",
    )
