"""The ratio after a plan of forced liquidation, order by order, each filled at its expected price.

    repay c    assets fall by c                             debt falls by c
    sell q     assets fall by q * mark                      debt falls by q * expected * (1 - k)
    cover q    assets fall by q * expected * (1 + k)        debt falls by q * mark

Amounts are exact: fractions of 0.001 yuan, shown with all their digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from agents.explain.citations import cite, cite_parameter, cite_preset
from agents.explain.statement import Explanation, Section, exact, yuan
from agents.rules.costs import STOCK, buy_cost, sell_cost
from agents.rules.schedule import Schedule
from schemas.alerts import LiquidationOrder, LiquidationPlan, MarginCall
from schemas.units import RATE_SCALE, RATIO_SCALE, format_line, format_rate, format_ratio


@dataclass(frozen=True, slots=True)
class Costs:
    """What a trade costs: the preset's commission (1e-6) and the day's duties."""

    commission: int
    rules: Schedule

    def of(self, order: LiquidationOrder) -> int:
        """`k` of an order, 1e-6 of its value; one that does not name the kind of security is of a stock."""
        cost = buy_cost if order.business == "buy_to_return" else sell_cost
        return cost(order.date, self.commission, order.kind or STOCK, self.rules)


@dataclass(slots=True)
class _Balance:
    """Exact milli while walking through the orders; `repayable`: what money can repay of the debt."""

    assets: Fraction
    debt: Fraction
    repayable: Fraction

    def ratio(self) -> str:
        """Six places, as it is published."""
        if self.debt <= 0:
            return "none"
        top = self.assets.numerator * self.debt.denominator
        return format_ratio(top, self.assets.denominator * self.debt.numerator) or "none"


def explain_after(
    told: Explanation,
    plan: LiquidationPlan,
    orders: Sequence[LiquidationOrder],
    call: MarginCall,
    costs: Costs,
) -> None:
    """Walks through the orders as the planner did and compares the ratio at the end."""
    _cost_lines(told, orders, call, costs)
    section = told.section("ratio after the plan")
    repayable = sum((c.principal or 0) + c.interest for c in call.evidence.contracts)
    balance = _Balance(Fraction(call.assets), Fraction(call.debt), Fraction(repayable))
    _ratio_line(section, "before", balance)
    for order in orders:
        _take(section, order, balance, costs.of(order))
    told.compare(section, "ratio after", "", balance.ratio(), plan.ratio_after or "none")
    target = call.lines.target
    if target is not None:
        reached = balance.assets * RATIO_SCALE >= balance.debt * target
        section.add(f"target {format_line(target)}", "", "reached" if reached else "not reached")


def _cost_lines(
    told: Explanation, orders: Sequence[LiquidationOrder], call: MarginCall, costs: Costs
) -> None:
    """What `k` of the trades is made of."""
    trades = {(order.business == "buy_to_return", costs.of(order)): order for order in orders if order.qty}
    for (buys, k), order in sorted(trades.items(), key=lambda trade: trade[0]):
        duty = cite_parameter(
            f"stamp_duty_{'buy' if buys else 'sell'}", order.date, costs.rules, "stamp duty (印花税)"
        )
        fee = cite_parameter("transfer_fee", order.date, costs.rules, "transfer fee (过户费)")
        commission = cite_preset(call.rule, call.date, costs.rules)
        word = "purchase" if buys else "sale"
        section = told.section(f"cost k of a {word}, part of its value")
        section.add("commission", "", format_rate(costs.commission), rule=commission)
        section.add("transfer fee and stamp duty", "", format_rate(k - costs.commission), rule=duty)
        section.add("k", "sum", format_rate(k), total=True, rule=fee)


def _take(section: Section, order: LiquidationOrder, balance: _Balance, k: int) -> None:
    """Fills an order at its expected price."""
    name = _name(order)
    qty, mark, expected = order.qty or 0, order.mark or 0, order.expected_price or 0
    assets, debt = exact(balance.assets), exact(balance.debt)
    at_mark, sale = f"{qty:,} × {yuan(mark)}", cite("liquidation.sale", order.date)
    if order.business == "repay":
        amount = Fraction(order.amount or 0)
        minus_assets = minus_debt = yuan(order.amount or 0)
        _move(balance, -amount, -amount, amount)
    elif order.business == "buy_to_return":
        minus_assets = f"{qty:,} × {yuan(expected)} × (1 + {format_rate(k)})"
        minus_debt = at_mark
        price = Fraction(qty * expected * (RATE_SCALE + k), RATE_SCALE)
        _move(balance, -price, Fraction(-qty * mark), Fraction(0))
    else:
        gross = f"{qty:,} × {yuan(expected)} × (1 − {format_rate(k)})"
        proceeds = Fraction(qty * expected * (RATE_SCALE - k), RATE_SCALE)
        owed = max(Fraction(0), balance.repayable) if order.business == "sell_to_repay" else Fraction(0)
        paid = min(proceeds, owed)
        minus_debt = gross if paid == proceeds else exact(paid)
        minus_assets = at_mark if paid == proceeds else f"{at_mark} + {gross} − {exact(paid)}"
        _move(balance, proceeds - paid - qty * mark, -paid, paid)
    section.add(f"{name}: assets", f"{assets} − {minus_assets}", exact(balance.assets), rule=sale)
    section.add(f"{name}: debt", f"{debt} − {minus_debt}", exact(balance.debt), rule=sale)
    _ratio_line(section, f"{name}: ratio", balance)


def _move(balance: _Balance, assets: Fraction, debt: Fraction, repaid: Fraction) -> None:
    balance.assets += assets
    balance.debt += debt
    balance.repayable -= repaid


def _ratio_line(section: Section, label: str, balance: _Balance) -> None:
    working = f"{exact(balance.assets)} ÷ {exact(balance.debt)}, six places" if balance.debt > 0 else ""
    section.add(label, working, balance.ratio())


def _name(order: LiquidationOrder) -> str:
    if order.business == "repay":
        return "repay"
    return f"{'buy back' if order.business == 'buy_to_return' else 'sell'} {order.security}"
