"""A forced-liquidation order or plan (强制平仓), recomputed from the call record of the moment it was made.

The records of `liquidation.orders` name prices and quantities; assets and debt stand in the evidence of the
call. With both, the ratio after the plan is recomputed exactly (`agents.explain.walk`).
"""

from __future__ import annotations

from collections.abc import Sequence

from agents.books.securities import board_of
from agents.explain.citations import cite, cite_parameter
from agents.explain.statement import Explanation, moment, yuan
from agents.explain.walk import Costs, explain_after
from agents.rules.presets import Presets
from agents.rules.schedule import Schedule, built_in
from schemas.alerts import LiquidationOrder, LiquidationPlan, MarginCall
from schemas.units import parse_day

WHY = {
    "suspended": "suspended",
    "halted": "trading is halted",
    "limit_down": "locked at its lower limit, no buyer",
    "limit_up": "locked at its upper limit, no seller",
    "frozen": "frozen",
    "t+1": "bought today, sellable tomorrow (T+1)",
    "odd_lot": "less than a legal lot",
    "lowers_ratio": "a sale would lower the ratio",
    "no_cash": "no cash to buy back with",
    "no_price": "without a price",
    "in_open_orders": "in the client's own open orders",
    "in_transit": "on their way from a corporate action",
    "participation": "left to a later slice: this one has sent its share of the volume",
}


def batch_of(record_id: str) -> str:
    """The batch of an order or plan: `…:o2.3` and `…:p2` are both of batch 2 of their episode."""
    episode, _, last = record_id.rpartition(":")
    return f"{episode}:{last[1:].partition('.')[0]}"


def explain_order(
    order: LiquidationOrder,
    plan: LiquidationPlan | None,
    orders: Sequence[LiquidationOrder],
    call: MarginCall | None,
    presets: Presets,
    rules: Schedule | None = None,
) -> Explanation:
    """One order and its plan. `orders`: all of the batch; `call`: the call record of that moment."""
    schedule = built_in() if rules is None else rules
    told = Explanation(order.id, f"{order.account}: {_headline(order)}")
    told.facts += [
        ("when", f"{moment(order.ts)} (Shanghai), batch {order.batch} of episode {order.episode}"),
        ("mode", order.mode),
        ("reason", order.reason),
    ]
    _order_prices(told, order, schedule)
    if plan is not None:
        _plan(told, plan, orders, call, presets, schedule)
    else:
        told.unproven.append("the ratio after the plan: the plan's record was not found")
    _rules(told, [order], call)
    return told


def explain_plan(
    plan: LiquidationPlan,
    orders: Sequence[LiquidationOrder],
    call: MarginCall | None,
    presets: Presets,
    rules: Schedule | None = None,
) -> Explanation:
    """A plan with its orders; `call` is the call record of the moment it was made."""
    schedule = built_in() if rules is None else rules
    told = Explanation(plan.id, f"{plan.account}: plan of forced liquidation with {len(orders)} orders")
    if orders:
        told.facts.append(("when", f"{moment(orders[0].ts)} (Shanghai), episode {plan.episode}"))
    _plan(told, plan, orders, call, presets, schedule)
    _rules(told, orders, call)
    return told


def _headline(order: LiquidationOrder) -> str:
    if order.business == "repay":
        return f"repay {yuan(order.amount or 0)} yuan from own cash"
    verb = "buy back" if order.business == "buy_to_return" else "sell"
    return f"{verb} {order.qty or 0:,} {order.security}"


def _order_prices(told: Explanation, order: LiquidationOrder, schedule: Schedule) -> None:
    if order.qty is None or order.mark is None or order.expected_price is None:
        return
    section = told.section(f"order, {order.business} (yuan)")
    mark = cite("px.ladder", order.date)
    section.add("at the mark", f"{order.qty:,} × {yuan(order.mark)}", yuan(order.qty * order.mark), rule=mark)
    expected = order.qty * order.expected_price
    section.add("at the expected price", f"{order.qty:,} × {yuan(order.expected_price)}", yuan(expected))
    if order.price is not None:
        label = "lowest legal price" if order.side == "S" else "highest legal price"
        cage = cite_parameter(
            f"cage_{board_of(order.security or '')}", order.date, schedule, "price cage (价格笼子)"
        )
        section.add(label, "price cage (价格笼子) and price limit (涨跌停)", yuan(order.price), rule=cage)


def _plan(
    told: Explanation,
    plan: LiquidationPlan,
    orders: Sequence[LiquidationOrder],
    call: MarginCall | None,
    presets: Presets,
    schedule: Schedule,
) -> None:
    section = told.section(f"plan {plan.id} (yuan)")
    section.add("to sell or cover, at mark", "after own cash has repaid", yuan(plan.needed))
    counted = [order for order in orders if order.business in {"sell_to_repay", "buy_to_return"}]
    planned = sum((order.qty or 0) * (order.mark or 0) for order in counted)
    working = " + ".join(f"{order.qty or 0:,} × {yuan(order.mark or 0)}" for order in counted)
    told.compare(section, "planned, at mark", working, yuan(planned), yuan(plan.planned), total=False)
    for kept in plan.residual:
        section.add(f"kept: {kept.security}", f"{kept.qty:,} shares: {WHY.get(kept.why, kept.why)}")
    for item in plan.later or ():
        section.add(f"later: {item.security}", f"{item.qty:,} at about {yuan(item.price)}")
    if call is None:
        told.unproven.append("the ratio after the plan: no call record of its moment tells assets and debt")
        return
    commission = _commission(call, presets)
    if commission is None:
        told.unproven.append(f"the ratio after the plan: the commission of {call.rule} is not known")
        return
    explain_after(told, plan, orders, call, Costs(commission, schedule))


def _commission(call: MarginCall, presets: Presets) -> int | None:
    """Commission (1e-6) of the preset the call names; None for one that is not known."""
    name, _, since = call.rule.removeprefix("preset ").partition("@")
    if name not in presets:
        return None
    preset = presets.at(name, call.date)
    return preset.commission if not since or parse_day(since) == preset.valid_from else None


def _rules(told: Explanation, orders: Sequence[LiquidationOrder], call: MarginCall | None) -> None:
    if orders:
        day, reason = orders[0].date, call.reason if call is not None else "ratio"
        trigger = "liquidation.after_call" if reason == "ratio" else f"liquidation.{reason}"
        told.beside += [cite(trigger, day), cite("liquidation.disposal", day)]
