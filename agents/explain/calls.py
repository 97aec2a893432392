"""A step of a margin call (追保), recomputed from its own evidence: assets, debt, ratio, lines, what is due,
top-up.

Everything is integers of 0.001 yuan; a comparison with a line is made by cross-multiplication, never by
the ratio that is shown.
"""

from __future__ import annotations

from fractions import Fraction

from agents.explain.citations import Citation, cite, cite_parameter, cite_preset
from agents.explain.demands import explain_obligations
from agents.explain.statement import Explanation, Section, exact, moment, yuan
from agents.rules.schedule import Schedule, built_in
from agents.rules.topup import below, reaches, shortfall_milli
from schemas.alerts import Evidence, EvidenceContract, MarginCall
from schemas.units import RATIO_SCALE, format_day, format_line, format_ratio

MEANING = {
    "warned": "the ratio fell below the warn line",
    "below_min": "the ratio fell below the minimum line during the day: a notice, not yet a call",
    "called": "the formal call",
    "immediate": "forced liquidation at once",
    "partly_met": "part of what is asked for came in, or one of two demands is met",
    "cured": "what was asked for is there: the call is over",
    "expired": "the deadline passed and what was asked for is not there",
    "liquidating": "a plan of forced liquidation (强制平仓) was made",
    "closed": "the episode is over",
    "shortfall": "nothing sellable is left and debt remains",
    "recovered": "the ratio rose again without a call",
}
_BECAUSE = {
    "ratio": {"called": "below the minimum line when the day was settled", "immediate": "below the line"},
    "maturity": {"called": "a contract matured and is unpaid"},
    "freeze": {"immediate": "a court froze assets of the account"},
    "credit": {"called": "the credit line ended with debt"},
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


def explain_call(call: MarginCall, rules: Schedule | None = None) -> Explanation:
    """The arithmetic of one record of `margin.calls` under dated rules (the built-in ones by default)."""
    schedule = built_in() if rules is None else rules
    because = _BECAUSE[call.reason].get(call.event)
    meaning = f"{MEANING[call.event]}: {because}" if because else MEANING[call.event]
    told = Explanation(call.id, f"{call.account}: {call.event}, {meaning}")
    told.facts += _facts(call)
    assets = _assets(told, call, schedule)
    debt = _debt(told, call)
    _ratio(told, call, assets, debt)
    _lines(told, call, assets, debt, schedule)
    if call.obligations is not None:
        explain_obligations(told, call, call.obligations, schedule)
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


def _assets(told: Explanation, call: MarginCall, schedule: Schedule) -> int:
    section, evidence = told.section("assets (yuan)"), call.evidence
    mark, special = cite("px.ladder", call.date), cite("px.special", call.date)
    section.add("cash", "", yuan(evidence.cash))
    total = evidence.cash
    for held in evidence.positions:
        plain = held.valuation in {None, "last"}
        label = held.security if plain else f"{held.security} ({held.valuation})"
        price = held.price or 0
        told.compare(
            section,
            label,
            f"{held.qty:,} × {yuan(price)}" if held.price is not None else "no price known",
            yuan(held.qty * price),
            yuan(held.value),
            total=False,
            rule=mark if plain else special,
        )
        total += held.qty * price
    if evidence.other_collateral:
        rule = cite_parameter("mmr_other_collateral", call.date, schedule)
        section.add("other collateral", "", yuan(evidence.other_collateral), rule=rule)
    if evidence.in_transit:
        section.add("in transit from corporate actions", "", yuan(evidence.in_transit), rule=special)
    total += evidence.other_collateral + (evidence.in_transit or 0)
    told.compare(section, "assets", "sum", yuan(total), yuan(call.assets), rule=_formula(call))
    return total


def _formula(call: MarginCall) -> Citation:
    return cite("mmr.formula", call.date)


def _debt(told: Explanation, call: MarginCall) -> int:
    section, evidence = told.section("debt (yuan)"), call.evidence
    total = sum(_owed(section, call, contract) for contract in evidence.contracts)
    named = sum(contract.interest for contract in evidence.contracts)
    accrued = cite("int.in_ratios", call.date)
    if named:
        working = " + ".join(yuan(contract.interest) for contract in evidence.contracts if contract.interest)
        section.add("interest of the contracts", working, yuan(named), rule=accrued)
    if evidence.interest != named:
        section.add("other fees and compensation owed", "", yuan(evidence.interest - named), rule=accrued)
    if evidence.interest < named:
        told.problems.append(
            f"interest: {yuan(evidence.interest)} in all is less than the contracts' {yuan(named)}"
        )
    for contract in evidence.contracts:
        if contract.type == "financing" and contract.principal is None:
            told.problems.append(f"contract {contract.contract}: its principal is missing")
    total += evidence.interest
    told.compare(section, "debt", "sum", yuan(total), yuan(call.debt), rule=_formula(call))
    return total


def _owed(section: Section, call: MarginCall, contract: EvidenceContract) -> int:
    """What a contract makes the account owe, apart from interest."""
    label = f"{contract.type} {contract.contract} {contract.security}"
    if contract.type == "financing":
        due = "" if contract.due is None else f", due {format_day(contract.due)}"
        section.add(label, f"principal{due}", yuan(contract.principal or 0))
        return contract.principal or 0
    value = contract.qty * (contract.price or 0)
    working = f"{contract.qty:,} × {yuan(contract.price)}" if contract.price is not None else "no price known"
    section.add(label, working, yuan(value), rule=cite("px.debt", call.date))
    return value


def _ratio(told: Explanation, call: MarginCall, assets: int, debt: int) -> None:
    section = told.section("maintenance ratio (维持担保比例)")
    recorded = call.ratio or "none"
    if debt <= 0:
        told.compare(section, "ratio", "nothing is owed", "none", recorded)
        return
    shown = format_ratio(assets, debt) or "none"
    working = f"{yuan(assets)} ÷ {yuan(debt)}, six places"
    told.compare(section, "ratio", working, shown, recorded, rule=_formula(call))
    change = _at_last_prices(call.evidence)
    if change or call.ratio_last_close is not None:
        shown = format_ratio(assets + change, debt) or "none"
        working = f"({yuan(assets)} + {yuan(change)}) ÷ {yuan(debt)}, six places"
        recorded = call.ratio_last_close or "none"
        rule = cite("px.special", call.date)
        told.compare(section, "at last prices", working, shown, recorded, total=False, rule=rule)


def _at_last_prices(evidence: Evidence) -> int:
    """What the assets would gain if every holding counted at its last price."""
    change = 0
    for position in evidence.positions:
        if position.last is not None:
            change += position.qty * (position.last - (position.price or 0))
    if evidence.in_transit_last is not None:
        change += evidence.in_transit_last - (evidence.in_transit or 0)
    return change


def _lines(told: Explanation, call: MarginCall, assets: int, debt: int, schedule: Schedule) -> None:
    """Where the account stands to each line, and the comparison that made this step happen."""
    if debt <= 0:
        return
    section, preset = told.section("lines"), cite_preset(call.rule, call.date, schedule)
    floor = schedule.number_or_none("mmr_floor_exchange", call.date)
    target = schedule.number_or_none("topup_target_min", call.date)
    for name in ("warn", "min", "immediate", "target"):
        line: int | None = getattr(call.lines, name)
        if line is None:
            continue
        needed = exact(Fraction(line * debt, RATIO_SCALE))
        side = "below" if assets * RATIO_SCALE < debt * line else "reached"
        rule = preset
        if name == "min" and line == floor:
            rule = cite_parameter("mmr_floor_exchange", call.date, schedule)
        if name == "target" and line == target:
            rule = cite_parameter("topup_target_min", call.date, schedule)
        working = f"{format_line(line)} × {yuan(debt)} = {needed}"
        section.add(f"{name} {format_line(line)}", working, side, rule=rule)
    if call.reason == "ratio":
        _claim(told, section, call, assets, debt, schedule)


def _claim(
    told: Explanation, section: Section, call: MarginCall, assets: int, debt: int, schedule: Schedule
) -> None:
    """What must be true of the ratio for this step to have happened."""
    name = _BELOW.get(call.event)
    if name is not None:
        line: int | None = getattr(call.lines, name)
        if line is not None:
            equal = schedule.inclusive("call_below") if name != "target" else not _at_target(schedule)
            holds = below(assets, debt, line, inclusive=equal)
            sign = "≤" if equal else "<"
            told.claim(
                section, f"below {name} {format_line(line)}", f"assets {sign} line × debt", holds=holds
            )
        return
    needed = {"cured": call.lines.target, "recovered": _rearmed(call)}.get(call.event)
    if needed is not None:
        inclusive = _at_target(schedule) or call.event == "recovered"
        holds, sign = reaches(assets, debt, needed, inclusive=inclusive), "≥" if inclusive else ">"
        told.claim(section, f"at or above {format_line(needed)}", f"assets {sign} line × debt", holds=holds)


def _at_target(schedule: Schedule) -> bool:
    return schedule.inclusive("cured_at")


def _rearmed(call: MarginCall) -> int | None:
    """Levels are latched: back to normal only at the warn line plus rearm."""
    return None if call.lines.warn is None else call.lines.warn + (call.lines.rearm or 0)


def _top_up(told: Explanation, call: MarginCall, assets: int, debt: int) -> None:
    target = call.lines.target
    if target is None or (call.event not in _STILL_SHORT and not call.shortfall):
        return  # a call that is over asks for nothing any more, wherever the ratio stands
    section, rule = told.section("top-up (追加担保物)"), cite("topup.cash", call.date)
    found = shortfall_milli(assets, debt, target)
    working = f"{format_line(target)} × {yuan(debt)} − {yuan(assets)}, up to 0.01"
    if call.shortfall is None:
        section.add("missing to the target", working, yuan(found), rule=rule)
    else:
        told.compare(section, "shortfall, in cash", working, yuan(found), yuan(call.shortfall), rule=rule)
    if found:
        after = format_ratio(assets + found, debt) or ""
        section.add("with it", f"({yuan(assets)} + {yuan(found)}) ÷ {yuan(debt)}, six places", after)


def _rules(told: Explanation, call: MarginCall) -> None:
    if call.event in {"below_min", "called"} and call.reason == "ratio":
        told.beside.append(cite("line.min", call.date))
    if call.event in {"called", "partly_met", "cured", "expired"} and call.reason == "ratio":
        told.beside.append(cite("line.topup_target", call.date))
    if call.event in {"expired", "immediate", "liquidating", "closed", "shortfall"}:
        told.beside.append(cite("liquidation.after_call", call.date))
