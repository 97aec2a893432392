"""A step of a margin call (追保), recomputed from its own evidence: assets, debt, ratio, line, shortfall.

Everything is integers of 0.001 yuan; a comparison with a line is made by cross-multiplication, never by
the ratio that is shown.
"""

from __future__ import annotations

from agents.explain.citations import cite, cite_preset
from agents.explain.statement import Explanation, Section, moment, yuan
from agents.rules.topup import shortfall_milli
from schemas.alerts import Evidence, EvidenceContract, MarginCall
from schemas.units import RATIO_SCALE, format_day, format_line, format_ratio, parse_day

MEANING = {
    "warned": "the ratio fell below the warn line",
    "below_min": "the ratio fell below the minimum line during the day: a notice, not yet a call",
    "called": "the formal call: below the minimum line when the day was settled",
    "immediate": "below the immediate line: forced liquidation at once",
    "partly_met": "assets came in, but the target is not reached yet",
    "cured": "the target is reached: the call is over",
    "expired": "the deadline passed and the target is not reached",
    "liquidating": "a plan of forced liquidation (强制平仓) was made",
    "closed": "the episode is over",
    "shortfall": "nothing sellable is left and debt remains",
    "recovered": "the ratio rose again without a call",
}
_BELOW = {
    "warned": "warn",
    "below_min": "min",
    "called": "min",
    "immediate": "immediate",
    "expired": "target",
}
_STILL_SHORT = frozenset(
    {"warned", "below_min", "called", "immediate", "partly_met", "expired", "liquidating"}
)
_OTHER_COLLATERAL_SINCE = parse_day("2019-08-19")


def explain_call(call: MarginCall) -> Explanation:
    """The arithmetic of one record of `margin.calls`."""
    told = Explanation(call.id, f"{call.account}: {call.event}, {MEANING[call.event]}")
    told.facts += _facts(call)
    assets = _assets(told, call.evidence, call.assets)
    debt = _debt(told, call.evidence, call.debt)
    _ratio(told, call, assets, debt)
    _lines(told, call, assets, debt)
    _top_up(told, call, assets, debt)
    _rules(told, call)
    return told


def _facts(call: MarginCall) -> list[tuple[str, str]]:
    facts = [
        ("when", f"{moment(call.ts)} (Shanghai), step {call.step} of episode {call.episode}"),
        ("day", format_day(call.date)),
        ("preset", call.rule),
    ]
    if call.deadline is not None:
        by = f" = {format_day(call.deadline_date)}" if call.deadline_date is not None else ""
        facts.append(("deadline", f"{call.deadline}{by}, counted in trading days"))
    if call.liquidate_from is not None:
        facts.append(("liquidation", f"from {call.liquidate_from}"))
    if call.reason != "ratio":
        facts.append(("reason", call.reason))
    if call.command is not None:
        facts.append(("command", f"{call.command.id} by {call.command.by}"))
    if call.flags:
        facts.append(("flags", ", ".join(call.flags)))
    return facts


def _assets(told: Explanation, evidence: Evidence, recorded: int) -> int:
    section = told.section("assets (yuan)")
    section.add("cash", "", yuan(evidence.cash))
    total = evidence.cash
    for held in evidence.positions:
        label = held.security if held.valuation in {None, "last"} else f"{held.security} ({held.valuation})"
        price = held.price or 0
        known = yuan(price) if held.price is not None else "no price known"
        told.compare(
            section, label, f"{held.qty:,} × {known}", yuan(held.qty * price), yuan(held.value), total=False
        )
        total += held.qty * price
    if evidence.other_collateral:
        section.add("other collateral", "", yuan(evidence.other_collateral))
    if evidence.in_transit:
        section.add("in transit from corporate actions", "", yuan(evidence.in_transit))
    total += evidence.other_collateral + (evidence.in_transit or 0)
    told.compare(section, "assets", "sum", yuan(total), yuan(recorded))
    return total


def _debt(told: Explanation, evidence: Evidence, recorded: int) -> int:
    section = told.section("debt (yuan)")
    total = sum(_owed(told, section, contract) for contract in evidence.contracts)
    named = sum(contract.interest for contract in evidence.contracts)
    if named:
        section.add("interest of the contracts", "sum", yuan(named))
    if evidence.interest != named:
        section.add("other fees and compensation owed", "", yuan(evidence.interest - named))
    if evidence.interest < named:
        told.problems.append(
            f"interest: {yuan(evidence.interest)} in all is less than the contracts' {yuan(named)}"
        )
    total += evidence.interest
    told.compare(section, "debt", "sum", yuan(total), yuan(recorded))
    return total


def _owed(told: Explanation, section: Section, contract: EvidenceContract) -> int:
    """What a contract makes the account owe, apart from interest."""
    interest = f"; interest {yuan(contract.interest)}"
    label = f"{contract.type} {contract.contract} {contract.security}"
    if contract.type == "financing":
        if contract.principal is None:
            told.problems.append(f"contract {contract.contract}: its principal is missing")
        section.add(label, f"principal{interest}", yuan(contract.principal or 0))
        return contract.principal or 0
    known = yuan(contract.price) if contract.price is not None else "no price known"
    value = contract.qty * (contract.price or 0)
    section.add(label, f"{contract.qty:,} × {known}{interest}", yuan(value))
    return value


def _ratio(told: Explanation, call: MarginCall, assets: int, debt: int) -> None:
    section = told.section("maintenance ratio (维持担保比例)")
    recorded = call.ratio or "none"
    if debt <= 0:
        told.compare(section, "ratio", "nothing is owed", "none", recorded)
        return
    shown = format_ratio(assets, debt) or "none"
    told.compare(section, "ratio", f"{yuan(assets)} ÷ {yuan(debt)}, six places", shown, recorded)


def _lines(told: Explanation, call: MarginCall, assets: int, debt: int) -> None:
    """Where the account stands to each line, and the comparison that made this step happen."""
    if debt <= 0:
        return
    section = told.section("lines")
    for name in ("warn", "min", "immediate", "target"):
        line: int | None = getattr(call.lines, name)
        if line is not None:
            needed = -(-line * debt // RATIO_SCALE)
            side = "below" if assets * RATIO_SCALE < debt * line else "reached"
            working = f"{format_line(line)} × debt = {yuan(needed)}"
            section.add(f"{name} {format_line(line)}", working, side)
    if call.reason == "ratio":
        _claim(told, section, call, assets, debt)


def _claim(told: Explanation, section: Section, call: MarginCall, assets: int, debt: int) -> None:
    """What must be true of the ratio for this step to have happened."""
    name = _BELOW.get(call.event)
    if name is not None:
        line: int | None = getattr(call.lines, name)
        if line is not None:
            below = assets * RATIO_SCALE < debt * line
            told.claim(section, f"below {name} {format_line(line)}", "assets < line × debt", holds=below)
        return
    needed = {"cured": call.lines.target, "recovered": _rearmed(call)}.get(call.event)
    if needed is not None:
        reached = assets * RATIO_SCALE >= debt * needed
        told.claim(section, f"at or above {format_line(needed)}", "assets ≥ line × debt", holds=reached)


def _rearmed(call: MarginCall) -> int | None:
    """Levels are latched: back to normal only at the warn line plus rearm."""
    return None if call.lines.warn is None else call.lines.warn + (call.lines.rearm or 0)


def _top_up(told: Explanation, call: MarginCall, assets: int, debt: int) -> None:
    target = call.lines.target
    if target is None or (call.event not in _STILL_SHORT and not call.shortfall):
        return  # a call that is over asks for nothing any more, wherever the ratio stands
    section = told.section("top-up (追加担保物)")
    found = shortfall_milli(assets, debt, target)
    working = f"{format_line(target)} × {yuan(debt)} − {yuan(assets)}, up to 0.01"
    if call.shortfall is None:
        section.add("missing to the target", working, yuan(found))
    else:
        told.compare(section, "shortfall, in cash", working, yuan(found), yuan(call.shortfall))
    if found:
        after = format_ratio(assets + found, debt) or ""
        section.add("with it", f"({yuan(assets)} + {yuan(found)}) ÷ {yuan(debt)}", after)


def _rules(told: Explanation, call: MarginCall) -> None:
    told.rules += [cite_preset(call.rule, call.date), cite("ratio", call.date), cite("mark", call.date)]
    if call.evidence.other_collateral and call.date >= _OTHER_COLLATERAL_SINCE:
        told.rules.append(cite("other_collateral", call.date))
    if call.event in {"below_min", "called"}:
        told.rules.append(cite("floor", call.date))
    if call.event in {"called", "partly_met", "cured", "expired"}:
        told.rules.append(cite("top_up", call.date))
    if call.event in {"expired", "immediate", "liquidating", "closed", "shortfall"}:
        told.rules.append(cite("liquidation", call.date))
