"""Records of `liquidation.orders` as they are published: plans and their orders (contract section 3)."""

from __future__ import annotations

from typing import Any

from agents.liquidation.situation import Plan, PlannedOrder
from agents.margin.desk import Desk, Moment
from schemas.units import format_day, format_money, format_ratio

Record = dict[str, Any]


def plan_record(desk: Desk, account: int, plan: Plan, moment: Moment, *, held: bool) -> Record:
    """A plan: what is needed, what its orders trade, what is kept and why, what comes later."""
    row = desk.books.accounts.episode[account]
    episode, batch = desk.episode_name(row), desk.episodes.batch[row]
    record: Record = {
        "id": f"{episode}:p{batch}",
        "account": desk.books.accounts.names[account],
        "episode": episode,
        "event": "plan",
        "batch": batch,
        "ts": moment.ts,
        "date": format_day(desk.books.day),
        "needed": format_money(plan.needed),
        "planned": format_money(plan.planned),
        "residual": [{"security": s, "qty": qty, "why": why} for s, qty, why in plan.residual],
        "ratio_after": format_ratio(*plan.ratio_after) if plan.ratio_after[1] > 0 else None,
    }
    if plan.later:
        record["later"] = [
            {
                "business": item.business,
                "security": item.security,
                "qty": item.qty,
                "price": format_money(item.price),
            }
            for item in plan.later
        ]
    if held:
        record["held"] = True
    return record


def order_record(
    desk: Desk, account: int, batch: int, name: str, order: PlannedOrder, moment: Moment
) -> Record:
    """One order. A repayment has an amount and no prices; every other one a legal limit price."""
    row = desk.books.accounts.episode[account]
    record: Record = {
        "id": name,
        "account": desk.books.accounts.names[account],
        "episode": desk.episode_name(row),
        "batch": batch,
        "ts": moment.ts,
        "date": format_day(desk.books.day),
        "business": order.business,
        "order_type": "limit",
        "price": _price(order.price),
        "expected_price": _price(order.expected_price),
        "mark": _price(order.mark),
    }
    if order.security is None:
        record["amount"] = format_money(order.amount or 0)
    else:
        record |= {"security": order.security, "side": order.side, "qty": order.qty}
        record["kind"] = desk.books.securities.kind(desk.books.security(order.security))
    if order.contract is not None:
        record["contract"] = order.contract
    if desk.episodes.approved[row]:
        record["approved"] = True
    mode = desk.config.liquidation
    return record | {"forced": True, "mode": mode, "reason": order.reason, "rule": order.rule}


def hold_record(desk: Desk, first: int, plans: int, planned: int, moment: Moment) -> Record:
    """Plans of one evaluation, worth `planned` milli, that wait for an operator; `first`: the first account
    of them.
    """
    day, shard = format_day(desk.books.day), desk.config.shard
    return {
        "id": f"hold:{shard}:{day}:{moment.ts}:{desk.books.accounts.names[first]}",
        "ts": moment.ts,
        "kind": "hold",
        "shard": shard,
        "date": day,
        "text": f"{plans} liquidation plans worth {format_money(planned)} yuan are held until approved",
        "figures": {"accounts": plans, "planned": format_money(planned)},
    }


def _price(price: int | None) -> str | None:
    return None if price is None else format_money(price)
