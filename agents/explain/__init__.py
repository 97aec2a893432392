"""Explaining: from a published record to lines of arithmetic that a person checks with a calculator.

Pure: records in, an `Explanation` out. The figures are taken from the records alone, recomputed in
integers, and compared with what the record says; where they do not agree, the explanation says so instead
of hiding it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agents.explain.calls import explain_call
from agents.explain.decisions import explain_decision
from agents.explain.orders import batch_of, explain_order, explain_plan
from agents.explain.signals import explain_signal
from agents.explain.statement import Explanation
from agents.rules.presets import Presets
from agents.rules.schedule import Schedule
from schemas.alerts import LiquidationOrder, LiquidationPlan, MarginCall
from schemas.events import decode_parsed
from schemas.orders import AccountOrder
from schemas.reference import RulesReference

EXPLAINED = ("margin.calls", "liquidation.orders", "order.decisions", "security.signals")
"""Topics whose records can be explained."""

_RELATED = frozenset({*EXPLAINED, "account.orders", "reference.rules"})


def explain(
    topic: str,
    value: Mapping[str, Any],
    related: Iterable[tuple[str, Mapping[str, Any]]] = (),
    rules: Schedule | None = None,
) -> Explanation:
    """The arithmetic of one record. `related`: (topic, value) of other records: plans and orders need the
    account's calls and orders and the broker's own presets (`reference.rules`), decisions their requests
    (`account.orders`). `rules`: the dated rules it is told with, the built-in ones by default.

    Raises BadRecord for a record that is not of the topic's schema, KeyError for a topic that is not in
    `EXPLAINED`.
    """
    event = decode_parsed(topic, dict(value))
    if topic == "margin.calls":
        return explain_call(event, rules)
    if topic == "security.signals":
        return explain_signal(event, rules)
    if topic not in EXPLAINED:
        raise KeyError(topic)
    others = [(decode_parsed(name, dict(other)), other) for name, other in related if name in _RELATED]
    if topic == "order.decisions":
        orders = (record for record, _ in others if isinstance(record, AccountOrder))
        asked = (o for o in orders if (o.account, o.id) == (event.account, event.order))
        return explain_decision(event, next(asked, None), rules)
    return _explain_liquidation(event, others, rules)


Known = Sequence[tuple[Any, Mapping[str, Any]]]
"""Typed records with the JSON objects they came from."""


def _explain_liquidation(
    event: LiquidationOrder | LiquidationPlan, known: Known, rules: Schedule | None
) -> Explanation:
    batch = batch_of(event.id)
    mine = [
        record
        for record, _ in known
        if isinstance(record, LiquidationOrder | LiquidationPlan) and batch_of(record.id) == batch
    ]
    orders = sorted({o.id: o for o in mine if isinstance(o, LiquidationOrder)}.values(), key=_place)
    plans = [record for record in mine if isinstance(record, LiquidationPlan)]
    call = _call_of(event, orders, known)
    presets = Presets(rules)
    for record, _ in known:
        if isinstance(record, RulesReference):
            presets.update(record)
    if isinstance(event, LiquidationPlan):
        return explain_plan(event, orders, call, presets, rules)
    return explain_order(event, plans[0] if plans else None, orders or [event], call, presets, rules)


def _place(order: LiquidationOrder) -> int:
    return int(order.id.rpartition(".")[2])


def _call_of(
    event: LiquidationOrder | LiquidationPlan, orders: Sequence[LiquidationOrder], known: Known
) -> MarginCall | None:
    """The call record the plan was published with: it names its orders, and its evidence is the plan's."""
    names = {order.id for order in orders} | {event.id}
    moments = {order.ts for order in orders} | {event.ts}
    calls = [(c, raw) for c, raw in known if isinstance(c, MarginCall) and c.episode == event.episode]
    naming = [call for call, raw in calls if names & set(raw.get("orders") or ())]
    at_that_time = [call for call, _ in calls if call.event == "liquidating" and call.ts in moments]
    return max(naming or at_that_time, key=lambda call: call.step, default=None)


__all__ = ["EXPLAINED", "Explanation", "explain"]
