"""A halt, resume or remind signal of a security, recomputed from the figures that it names."""

from __future__ import annotations

from agents.explain.citations import cite, cite_parameter, cite_rule
from agents.explain.statement import Explanation, Section, moment, yuan
from agents.rules.schedule import Schedule, built_in
from schemas.alerts import SecuritySignal
from schemas.units import RATIO_SCALE, format_day, format_ratio, parse_scaled

_WORDS = {
    "halt": "halted from the next trading day",
    "resume": "open again from the next trading day",
    "remind": "near the halt line, a risk reminder",
}
_BUSINESS = {"financing": "financing buys (融资买入)", "lending": "short sales (融券卖出)"}
_BOUNDARY = {"halt": "suspend_at", "resume": "resume_at", "remind": "remind_at"}
_AMOUNTS = ("financing_balance", "credit_holding_value", "float_value")


def explain_signal(signal: SecuritySignal, rules: Schedule | None = None) -> Explanation:
    """The arithmetic of one record of `security.signals` under dated rules (the built-in ones by default)."""
    schedule = built_in() if rules is None else rules
    told = Explanation(signal.id, f"{signal.security}: {_BUSINESS[signal.business]} {_WORDS[signal.signal]}")
    told.facts += [
        ("when", f"{moment(signal.ts)} (Shanghai), figures of {format_day(signal.date)}"),
        ("effective", f"the first trading day on or after {format_day(signal.effective)}"),
        ("basis", signal.basis),
    ]
    if signal.basis == "notice":
        told.beside.append(cite("lim.notice", signal.date))
        return told
    section = told.section("figures")
    top, bottom = _quotient(section, signal)
    if not bottom:
        told.unproven.append("the indicator: a figure it is made of is not in the record")
        told.beside += [cite("lim.indicator", signal.date), cite_rule(signal.rule, signal.date, schedule)]
        return told
    lending = signal.business == "lending"
    working = f"{top:,} ÷ {bottom:,}" if lending else f"{yuan(top)} ÷ {yuan(bottom)}"
    indicator = cite("lim.indicator", signal.date)
    if not lending:
        told.beside.append(cite_parameter("financing_indicator", signal.date, schedule))
    shown = format_ratio(top, bottom) or "none"
    told.compare(section, "indicator", f"{working}, six places", shown, signal.indicator, rule=indicator)
    _claim(told, section, signal, (top, bottom), schedule)
    return told


def _quotient(section: Section, signal: SecuritySignal) -> tuple[int, int]:
    """Numerator and denominator of the indicator; (0, 0) where a figure is missing."""
    figures = signal.figures
    if signal.business == "lending":
        lent, floating = figures.get("lending_qty"), figures.get("float_shares")
        if not isinstance(lent, int) or not isinstance(floating, int):
            return 0, 0
        section.add("lent and not returned", "", f"{lent:,} shares")
        section.add("float shares", "", f"{floating:,} shares")
        return lent, floating
    amounts = {
        name: parse_scaled(figures[name], 3, name) for name in _AMOUNTS if figures.get(name) is not None
    }
    for name, amount in amounts.items():
        section.add(name.replace("_", " "), "", yuan(amount))
    if "financing_balance" not in amounts or "float_value" not in amounts:
        return 0, 0
    top = amounts["financing_balance"]
    if str(figures.get("definition", "")).startswith("min(") and "credit_holding_value" in amounts:
        top = min(top, amounts["credit_holding_value"])
        section.add("the smaller of the two counts", "", yuan(top))
    return top, amounts["float_value"]


def _claim(
    told: Explanation,
    section: Section,
    signal: SecuritySignal,
    quotient: tuple[int, int],
    schedule: Schedule,
) -> None:
    """Halts and reminders count at the line or above, a resumption at the line or below; whether at the line
    itself is a reading of the schedule.
    """
    left = quotient[0] * RATIO_SCALE
    right = quotient[1] * parse_scaled(signal.line, 4, "line")
    equal = schedule.inclusive(_BOUNDARY[signal.signal])
    rises = signal.signal != "resume"
    holds = left > right if rises else left < right
    words = ("at or " if equal else "") + ("above" if rises else "below")
    rule = cite_rule(signal.rule, signal.date, schedule)
    told.claim(section, f"{words} {signal.line}", "", holds=holds or (equal and left == right), rule=rule)
