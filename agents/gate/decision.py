"""The answer to a request (contract section 3, `order.decisions`) and what an accepted one reserves."""

from __future__ import annotations

from typing import Any

from agents.gate.case import Case
from agents.gate.checks import caps_of, first_objection, legal, wrong_size
from agents.gate.findings import Figures, written
from agents.gate.reservations import (
    COVER_CASH,
    FIGURES,
    FINANCING,
    LEAVING,
    LENDING,
    MARGIN,
    OWN_CASH,
)
from agents.kernels.layout import HAIRCUT
from agents.rules.capacity import margin_of
from schemas.orders import MONEY_REQUESTS, ORDER_BUSINESSES, AccountOrder
from schemas.units import RATIO_SCALE, format_day, format_money, format_ratio

Record = dict[str, Any]

ACCEPT, REJECT = "accept", "reject"


def decide(case: Case) -> Record:
    """The decision, and the reservation that an accepted request makes."""
    objection = first_objection(case)
    if objection is not None:
        record = _record(case, REJECT, objection.rule, objection.reason, objection.figures)
        return _with_figures(case, record, 0, used=0)
    caps = caps_of(case)
    most = min(cap.most for cap in caps)
    limit = legal(case, most)
    over = next((cap for cap in caps if cap.refused or case.wanted > cap.most), None)
    if over is not None:
        record = _record(case, REJECT, over.rule, over.reason, over.figures)
        return _with_figures(case, record, limit, used=0)
    if wrong_size(case):
        rule, lot = case.rules.cite(case.security.lot_rule), case.security.lot
        figures = {"qty": case.wanted, "minimum": lot.minimum, "step": lot.step}
        record = _record(case, REJECT, rule, "the quantity is not a legal size", figures)
        return _with_figures(case, record, limit, used=0)
    tightest = next(cap for cap in caps if cap.most == most)
    reserved = reservation(case)
    row_security = -1 if case.paper is None else case.paper.row
    record = _record(case, ACCEPT, tightest.rule, "every check passed", tightest.figures)
    record = _with_figures(case, record, limit, used=reserved[MARGIN])
    case.desk.reservations.add(
        case.account,
        case.order.id,
        ORDER_BUSINESSES.index(case.business),
        row_security,
        case.wanted,
        reserved,
    )
    return record


def refuse_unknown(order: AccountOrder, reason: str, day: int) -> Record:
    """The refusal of a request for an account that cannot trade at all."""
    return _plain(order, day, REJECT, f"account@{format_day(day)}", reason) | {"limit": 0}


def reservation(case: Case) -> tuple[int, ...]:
    """What an accepted request reserves, in the order of FIGURES, milli."""
    figures = [0] * len(FIGURES)
    gross = case.wanted * case.price
    match case.business:
        case "financing_buy":
            figures[MARGIN], figures[FINANCING] = margin_of(gross, case.margin_ratio()), gross
        case "short_sell":
            figures[MARGIN], figures[LENDING] = margin_of(gross, case.margin_ratio()), gross
        case "collateral_buy":
            costs = case.cost(gross)
            counted = case.wanted * case.share_value * max(0, case.security.get(HAIRCUT)) // RATIO_SCALE
            figures[OWN_CASH], figures[LEAVING] = gross + costs, costs
            figures[MARGIN] = max(0, gross + costs - counted)
        case "buy_to_return":
            figures[COVER_CASH] = gross + case.cost(gross)
        case "withdraw_cash":
            figures[OWN_CASH] = figures[LEAVING] = figures[MARGIN] = case.wanted
        case "withdraw_security":
            figures[LEAVING] = gross
            figures[MARGIN] = margin_of(gross, max(0, case.security.get(HAIRCUT)))
        case "repay":
            figures[OWN_CASH] = case.wanted
    return tuple(figures)


def ratio_after(case: Case) -> str | None:
    """The maintenance ratio if the request and every open order were filled; None without debt."""
    if case.blind or (case.paper is None and case.business not in MONEY_REQUESTS):
        return None
    assets, debt = case.assets, case.debt
    gross = case.wanted * case.price
    worth = 0 if case.paper is None else case.wanted * case.share_value
    match case.business:
        case "financing_buy":
            assets, debt = assets + worth, debt + gross
        case "short_sell":
            mark = case.security.mark
            assets, debt = assets + gross, debt + case.wanted * (mark if mark > 0 else case.price)
        case "collateral_buy":
            assets += worth - gross - case.cost(gross)
        case "collateral_sell":
            assets += gross - case.cost(gross) - worth
        case "sell_to_repay":
            brought = max(0, gross - case.cost(gross))
            repaid = min(brought, max(0, case.debt))
            assets, debt = assets - worth + brought - repaid, debt - repaid
        case "buy_to_return":
            mark = max(0, case.security.mark)
            assets, debt = assets - gross - case.cost(gross), debt - case.wanted * mark
        case "withdraw_security":
            assets -= worth
        case "withdraw_cash":
            assets -= case.wanted
        case "repay":
            assets, debt = assets - case.wanted, debt - case.wanted
    return format_ratio(assets, debt) if debt > 0 else None


def _plain(order: AccountOrder, day: int, decision: str, rule: str, reason: str) -> Record:
    """An id may come again when it is forgotten, two trading days later: the day tells the answers apart."""
    return {
        "id": f"{order.account}:{order.id}:{format_day(day)}:decision",
        "order": order.id,
        "account": order.account,
        "ts": order.ts,
        "decision": decision,
        "rule": rule,
        "reason": reason,
    }


def _record(case: Case, decision: str, rule: str, reason: str, figures: Figures) -> Record:
    record = _plain(case.order, case.rules.day, decision, rule, reason)
    if figures:
        record["figures"] = written(figures)
    return record


def _with_figures(case: Case, record: Record, limit: int, *, used: int) -> Record:
    """The figures of the contract; `limit` is shares, or yuan of a request for money."""
    figures = record.pop("figures", None)
    record["margin_used"] = format_money(used)
    if not case.blind:
        record["available_margin"] = format_money(case.margin)
        record["ratio_after"] = ratio_after(case)
    record["limit"] = format_money(limit) if case.business in MONEY_REQUESTS else limit
    if figures:
        record["figures"] = figures
    return record
