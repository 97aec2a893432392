"""Explaining: from a published record to lines of arithmetic that a person checks with a calculator.

Pure: records in, an `Explanation` out. The figures are taken from the records alone, recomputed in
integers, and compared with what the record says; where they do not agree, the explanation says so instead
of hiding it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agents.explain.calls import explain_call
from agents.explain.orders import batch_of, explain_order, explain_plan
from agents.explain.signals import explain_signal
from agents.explain.statement import Explanation
from schemas.alerts import LiquidationOrder, LiquidationPlan, MarginCall
from schemas.events import decode_parsed

EXPLAINED = ("margin.calls", "liquidation.orders", "security.signals")
"""Topics whose records can be explained."""


def explain(
    topic: str, value: Mapping[str, Any], related: Iterable[tuple[str, Mapping[str, Any]]] = ()
) -> Explanation:
    """The arithmetic of one record. `related`: (topic, value) of the account's other records, for plans
    and orders.

    Raises BadRecord for a record that is not of the topic's schema, KeyError for a topic that is not in
    `EXPLAINED`.
    """
    event = decode_parsed(topic, dict(value))
    if topic == "margin.calls":
        return explain_call(event)
    if topic == "security.signals":
        return explain_signal(event)
    if topic != "liquidation.orders":
        raise KeyError(topic)
    return _explain_liquidation(event, [decode_parsed(name, dict(other)) for name, other in related])


def _explain_liquidation(event: LiquidationOrder | LiquidationPlan, related: list[Any]) -> Explanation:
    batch = batch_of(event.id)
    mine = [
        other
        for other in related
        if isinstance(other, LiquidationOrder | LiquidationPlan) and batch_of(other.id) == batch
    ]
    orders = sorted({o.id: o for o in mine if isinstance(o, LiquidationOrder)}.values(), key=_place)
    plans = [other for other in mine if isinstance(other, LiquidationPlan)]
    if isinstance(event, LiquidationPlan):
        return explain_plan(event, orders, _call_of(event.episode, orders, related))
    orders = orders or [event]
    return explain_order(event, plans[0] if plans else None, orders, _call_of(event.episode, orders, related))


def _place(order: LiquidationOrder) -> int:
    return int(order.id.rpartition(".")[2])


def _call_of(episode: str, orders: list[LiquidationOrder], related: list[Any]) -> MarginCall | None:
    """The call record of the moment the plan was made: its evidence is what the plan was computed from."""
    calls = [c for c in related if isinstance(c, MarginCall) and c.episode == episode]
    moments = {order.ts for order in orders}
    found = [c for c in calls if c.ts in moments and c.event in {"liquidating", "immediate"}]
    return max(found, key=lambda call: call.step, default=None)


__all__ = ["EXPLAINED", "Explanation", "explain"]
