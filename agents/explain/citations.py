"""Which rule stands behind a figure on a day: name, text, article, first day, and how sure we are of it."""

from __future__ import annotations

from dataclasses import dataclass

from agents.explain.articles import ARTICLES, FORMULAS
from agents.rules.schedule import NoRuleError, Schedule, built_in
from agents.rules.shown import shown
from schemas.units import format_day, parse_day

CONFIDENCE = {
    "V1": "seen in a reprint of the rule",
    "V2": "seen in a secondary source",
    "V3": "seen in public code or a vendor's interface document",
    "D": "derived by arithmetic",
    "R": "recalled, not verified",
    "P": "policy of this engine, not a regulation",
}


@dataclass(frozen=True, slots=True)
class Citation:
    """A rule in force `since` a day (YYYY-MM-DD, "" where none is known). `source`: the article, or what else
    says so; `confidence` in words.
    """

    name: str
    text: str
    since: str
    source: str
    confidence: str

    def __str__(self) -> str:
        """One line for a person."""
        since = f"from {self.since}; " if self.since else ""
        return f"{self.name}: {self.text} ({since}{self.source}; {self.confidence})"


def cite(rule: str, day: int) -> Citation:
    """The version of a formula in force on `day` (day number); the first one before its date."""
    found = FORMULAS[rule][0]
    for version in FORMULAS[rule][1:]:
        if parse_day(version.since) <= day:
            found = version
    return Citation(rule, found.text, found.since, found.article, _words(found.confidence))


def cite_parameter(parameter: str, day: int, rules: Schedule | None = None, text: str = "") -> Citation:
    """A dated parameter as it holds on `day`, with its value. A name that is none, or that has no value on
    the day, is cited as a check of the engine.
    """
    schedule = built_in() if rules is None else rules
    try:
        known, entry = schedule.parameters[parameter], schedule.entry(parameter, day)
    except (KeyError, NoRuleError):
        return Citation(parameter, text or "a check of the books", "", "this engine", _words("P"))
    value = f"{text or parameter.replace('_', ' ')}: {shown(known.kind, entry.value)}"
    article = ARTICLES.get(parameter)
    source = f"{article}; {entry.source}" if article else entry.source
    return Citation(parameter, value, format_day(entry.since), source, _words(entry.conf))


def cite_rule(rule: str, day: int, rules: Schedule | None = None) -> Citation:
    """What a record names as its rule: `margin_financing@2015-11-23`, `preset C@2015-07-02`."""
    if rule.startswith("preset "):
        return cite_preset(rule, day, rules)
    name, _, since = rule.partition("@")
    return cite_parameter(name, _day(since, day), rules)


def cite_preset(rule: str, day: int, rules: Schedule | None = None) -> Citation:
    """The preset an alert names (`preset C@2006-08-21`): built in, or a broker's own."""
    name, _, since = rule.removeprefix("preset ").partition("@")
    text = "lines, target and deadlines agreed in the contract"
    if name in (built_in() if rules is None else rules).presets:
        return Citation(
            f"preset {name}", text, since or format_day(day), "brokers' publications", _words("V2/P")
        )
    return Citation(f"preset {name}", text, since, "reference.rules", "as the broker published it")


def _day(text: str, otherwise: int) -> int:
    try:
        return parse_day(text)
    except ValueError:
        return otherwise


def _words(code: str) -> str:
    return " / ".join(CONFIDENCE[part] for part in code.split("/"))
