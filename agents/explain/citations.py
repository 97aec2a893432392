"""Which rule stands behind a figure on a day: its text, first day, source, and how sure we are of it.

Sources: the margin trading rules (融资融券交易实施细则) of the exchanges in Shanghai and Shenzhen, notices of
the exchanges and of the CSRC (证监会); where neither decides, what brokers agree in contracts, or this
engine's own policy.
"""

from __future__ import annotations

from dataclasses import dataclass

from agents.rules.schedule import NoRuleError, built_in
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
    """A rule in force `since` a day (YYYY-MM-DD); `confidence` in words."""

    text: str
    since: str
    source: str
    confidence: str

    def __str__(self) -> str:
        """One line for a person."""
        since = f"from {self.since}; " if self.since else ""
        return f"{self.text} ({since}{self.source}; {self.confidence})"


# Rule -> versions in order: first day ("" where no date was found), confidence code, text, source.
_RULES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "ratio": (
        (
            "2006-08-21",
            "V1",
            "maintenance ratio (维持担保比例) = assets ÷ debts, holdings at market value without haircut",
            "Shanghai rules Art. 42, Shenzhen rules 4.9",
        ),
    ),
    "mark": (
        (
            "",
            "R/P",
            "mark = last trade of the day, else previous close; nothing before 09:25 is a trade",
            "contracts and practice",
        ),
    ),
    "other_collateral": (
        (
            "2019-08-19",
            "V1/R",
            "what the contract lets count after a shortfall is part of the assets",
            "Shenzhen rules 4.9 as revised",
        ),
    ),
    "floor": (
        ("2006-08-21", "V1", "no client below 1.30: the exchanges' floor", "Shanghai Art. 43, Shenzhen 4.11"),
        (
            "2019-08-19",
            "V1/R",
            "no floor of the exchanges: the minimum line is agreed in the contract",
            "CSRC 2019-08-09",
        ),
    ),
    "top_up": (
        (
            "2006-08-21",
            "V2",
            "top-up (追加担保物) within two trading days, to at least 1.50",
            "pilot rules, rules of 2011",
        ),
        ("2015-07-02", "V1", "deadline and target of a top-up are agreed in the contract", "Shenzhen 4.11"),
    ),
    "liquidation": (
        (
            "2006-08-21",
            "V1",
            "not cured by the deadline: the broker must liquidate (强制平仓)",
            "CSRC before 2015-07-02",
        ),
        ("2015-07-02", "V1", "not cured by the deadline: the broker chooses its remedy", "CSRC 2015-07-01"),
    ),
    "disposal": (
        (
            "",
            "P",
            "own cash repays first, then the most liquid and largest holdings, then shorts, losses first",
            "no statutory order exists",
        ),
    ),
    "indicator": (
        (
            "2006-08-21",
            "V1",
            "financing balance ÷ float value; shares lent ÷ float shares",
            "Shenzhen rules 6.1, 6.2",
        ),
    ),
    "notice": (("", "P", "an exchange's notice always wins over figures", "the notice itself"),),
}


def cite(rule: str, day: int) -> Citation:
    """The version of `rule` in force on `day` (day number); the first one before its date."""
    since, code, text, source = _RULES[rule][0]
    for version in _RULES[rule][1:]:
        if parse_day(version[0]) <= day:
            since, code, text, source = version
    return Citation(text, since, source, _words(code))


def cite_parameter(parameter: str, day: int, text: str) -> Citation | None:
    """A parameter of the schedule in force on `day`; None before it begins."""
    try:
        entry = built_in().entry(parameter, day)
    except NoRuleError:
        return None
    return Citation(text, format_day(entry.since), "dated parameter", _words(entry.conf))


def cite_preset(rule: str, day: int) -> Citation:
    """The preset an alert names (`preset C@2006-08-21`): built in, or a broker's own."""
    name, _, since = rule.removeprefix("preset ").partition("@")
    if name in built_in().presets:
        text = f"preset {name}: lines, target and deadlines"
        return Citation(text, since or format_day(day), "brokers' publications", _words("V2/P"))
    return Citation(f"preset {name}", since, "reference.rules", "as the broker published it")


def _words(code: str) -> str:
    return " / ".join(CONFIDENCE[part] for part in code.split("/"))
