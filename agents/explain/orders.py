"""A forced-liquidation order or plan (强制平仓), recomputed from the call record of the moment it was made.

The records of `liquidation.orders` name prices and quantities; assets and debt stand in the evidence of the
call. With both, the ratio after the plan is recomputed exactly:

    repay c    assets fall by c                             debt falls by c
    sell q     assets fall by q * mark                      debt falls by q * expected * (1 - k)
    cover q    assets fall by q * expected * (1 + k)        debt falls by q * mark
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from agents.explain.citations import cite, cite_parameter
from agents.explain.statement import Explanation, moment, yuan
from agents.rules.costs import STOCK, buy_cost, sell_cost
from agents.rules.presets import Presets
from schemas.alerts import LiquidationOrder, LiquidationPlan, MarginCall
from schemas.units import RATE_SCALE, RATIO_SCALE, format_line, format_rate, format_ratio, parse_day

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
) -> Explanation:
    """One order and its plan. `orders`: all of the batch; `call`: the call record of that moment."""
    told = Explanation(order.id, f"{order.account}: {_headline(order)}")
    told.facts += [
        ("when", f"{moment(order.ts)} (Shanghai), batch {order.batch} of episode {order.episode}"),
        ("mode", order.mode),
        ("reason", order.reason),
    ]
    _order_prices(told, order)
    if plan is not None:
        _plan(told, plan, orders, call, presets)
    else:
        told.unproven.append("the ratio after the plan: the plan's record was not found")
    _rules(told, [order])
    return told


def explain_plan(
    plan: LiquidationPlan,
    orders: Sequence[LiquidationOrder],
    call: MarginCall | None,
    presets: Presets,
) -> Explanation:
    """A plan with its orders; `call` is the call record of the moment it was made."""
    told = Explanation(plan.id, f"{plan.account}: plan of forced liquidation with {len(orders)} orders")
    if orders:
        told.facts.append(("when", f"{moment(orders[0].ts)} (Shanghai), episode {plan.episode}"))
    _plan(told, plan, orders, call, presets)
    _rules(told, orders)
    return told


def _headline(order: LiquidationOrder) -> str:
    if order.business == "repay":
        return f"repay {yuan(order.amount or 0)} yuan from own cash"
    verb = "buy back" if order.business == "buy_to_return" else "sell"
    return f"{verb} {order.qty or 0:,} {order.security}"


def _order_prices(told: Explanation, order: LiquidationOrder) -> None:
    if order.qty is None or order.mark is None or order.expected_price is None:
        return
    section = told.section(f"order, {order.business} (yuan)")
    section.add("at the mark", f"{order.qty:,} × {yuan(order.mark)}", yuan(order.qty * order.mark))
    expected = order.qty * order.expected_price
    section.add("at the expected price", f"{order.qty:,} × {yuan(order.expected_price)}", yuan(expected))
    if order.price is not None:
        label = "lowest legal price" if order.side == "S" else "highest legal price"
        section.add(label, "price cage (价格笼子) and price limit (涨跌停)", yuan(order.price))


def _plan(
    told: Explanation,
    plan: LiquidationPlan,
    orders: Sequence[LiquidationOrder],
    call: MarginCall | None,
    presets: Presets,
) -> None:
    section = told.section(f"plan {plan.id} (yuan)")
    section.add("to sell or cover, at mark", "after own cash has repaid", yuan(plan.needed))
    counted = [order for order in orders if order.business in {"sell_to_repay", "buy_to_return"}]
    planned = sum((order.qty or 0) * (order.mark or 0) for order in counted)
    told.compare(section, "planned, at mark", "orders × mark", yuan(planned), yuan(plan.planned), total=False)
    for kept in plan.residual:
        section.add(f"kept: {kept.security}", f"{kept.qty:,} shares: {WHY.get(kept.why, kept.why)}")
    if call is None:
        told.unproven.append("the ratio after the plan: no call record of its moment tells assets and debt")
        return
    commission = _commission(call, presets)
    if commission is None:
        told.unproven.append(f"the ratio after the plan: the commission of {call.rule} is not known")
        return
    _after(told, plan, orders, call, commission)


def _commission(call: MarginCall, presets: Presets) -> int | None:
    """Commission (1e-6) of the preset the call names; None for one that is not known."""
    name, _, since = call.rule.removeprefix("preset ").partition("@")
    if name not in presets:
        return None
    preset = presets.at(name, call.date)
    return preset.commission if not since or parse_day(since) == preset.valid_from else None


@dataclass(slots=True)
class _Balance:
    """Exact milli while walking through the orders; `repayable`: what money can repay of the debt."""

    assets: Fraction
    debt: Fraction
    repayable: Fraction
    commission: int

    def shown(self) -> str:
        if self.debt <= 0:
            return "none"
        quotient = self.assets / self.debt
        return format_ratio(quotient.numerator, quotient.denominator) or "none"

    def repay(self, amount: Fraction) -> None:
        self.assets -= amount
        self.debt -= amount
        self.repayable -= amount

    def take(self, order: LiquidationOrder) -> str:
        """Fill the order at its expected price; what happens, in words."""
        if order.business == "repay":
            self.repay(Fraction(order.amount or 0))
            return f"assets and debt − {yuan(order.amount or 0)}"
        qty, mark, expected = order.qty or 0, order.mark or 0, order.expected_price or 0
        # Orders do not name the kind of a security; the costs are those of a stock.
        if order.business == "buy_to_return":
            k = buy_cost(order.date, self.commission, STOCK)
            self.assets -= Fraction(qty * expected * (RATE_SCALE + k), RATE_SCALE)
            self.debt -= qty * mark
            return f"assets − {qty:,} × {yuan(expected)} × (1 + {format_rate(k)}), debt − at mark"
        k = sell_cost(order.date, self.commission, STOCK)
        proceeds = Fraction(qty * expected * (RATE_SCALE - k), RATE_SCALE)
        self.assets += proceeds - qty * mark
        if order.business == "sell_to_repay":
            self.repay(min(proceeds, max(Fraction(0), self.repayable)))
        return f"debt − {qty:,} × {yuan(expected)} × (1 − {format_rate(k)}), assets − at mark"


def _after(
    told: Explanation,
    plan: LiquidationPlan,
    orders: Sequence[LiquidationOrder],
    call: MarginCall,
    commission: int,
) -> None:
    """Walk through the orders as the planner did and compare the ratio at the end."""
    section = told.section("ratio after the plan")
    shorts = sum(c.qty * (c.price or 0) for c in call.evidence.contracts if c.type == "lending")
    balance = _Balance(Fraction(call.assets), Fraction(call.debt), Fraction(call.debt - shorts), commission)
    section.add("before", f"{yuan(call.assets)} ÷ {yuan(call.debt)}", balance.shown())
    for order in orders:
        working = balance.take(order)
        section.add(_headline(order), working, balance.shown())
    told.compare(section, "ratio after", "", balance.shown(), plan.ratio_after or "none")
    target = call.lines.target
    if target is not None:
        reached = balance.assets * RATIO_SCALE >= balance.debt * target
        section.add(f"target {format_line(target)}", "", "reached" if reached else "not reached")


def _rules(told: Explanation, orders: Sequence[LiquidationOrder]) -> None:
    if not orders:
        return
    day = orders[0].date
    told.rules += [cite("liquidation", day), cite("disposal", day)]
    if any(order.qty for order in orders):
        found = (
            cite_parameter("stamp_duty_sell", day, "stamp duty (印花税) of a sale, part of the cost k"),
            cite_parameter("cage_main", day, "price cage of the main boards: 2 %, at least ten ticks"),
        )
        told.rules += [citation for citation in found if citation is not None]
