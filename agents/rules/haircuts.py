"""Caps of the collateral haircut (折算率) by class, board and date (rulebook 4), and what makes a haircut 0.

Haircuts are integers in 1e-4 and never enter the maintenance ratio: a lower one, the rule of 2016-12-12 on
price-earnings ratios (P/E) included, calls nobody; it only leaves less for new debt and withdrawals.
"""

from dataclasses import dataclass

from agents.rules.schedule import Entry, Schedule, built_in
from schemas.errors import BadRecord
from schemas.reference import SecurityReference
from schemas.units import format_day, format_line

_PE_SCALE = 1_000_000

_CLASS_OF_KIND = {
    "etf": "etf",
    "fund": "other_fund_bond",
    "bond": "other_fund_bond",
    "treasury": "treasury",
    "warrant": "warrant",
    "cash_product": "cash_product",
}


@dataclass(frozen=True, slots=True)
class Traits:
    """What decides a security's cap on a day. `index_member` None: not said, so the higher cap holds.

    `pe_static`: static P/E in 1e-6 by the review in force, None when not known. `suspended`: sessions
    suspended, today included.
    """

    kind: str
    index_member: bool | None = False
    st: bool = False
    delisting: bool = False
    pe_static: int | None = None
    board: str = "main"
    suspended: int = 0


def class_cap(
    kind: str, index_member: bool | None, board: str, day: int, schedule: Schedule | None = None
) -> Entry | None:
    """The cap of a security's class on `day` with its rule; None for an index, or where the class is no
    collateral yet.

    Before the first rule of the business the first holds. A cash product counts as another fund until its
    own cap begins.
    """
    rules = built_in() if schedule is None else schedule
    if kind == "stock":
        name = "other_stock" if index_member is False else "index_stock"
    elif kind in _CLASS_OF_KIND:
        name = _CLASS_OF_KIND[kind]
    else:
        return None
    if board == "bse" and name != "warrant":
        return rules.find(f"haircut_bse_{name}", day)
    found = rules.find(f"haircut_{name}", day)
    if found is not None or name == "warrant":
        return found
    return rules.entry("haircut_other_fund_bond" if name == "cash_product" else f"haircut_{name}", day)


def haircut_cap(traits: Traits, day: int, schedule: Schedule | None = None) -> int:
    """The cap in 1e-4 on `day`: the least of the rules in force that apply, 0 for what is no collateral."""
    rules = built_in() if schedule is None else schedule
    cap = class_cap(traits.kind, traits.index_member, traits.board, day, rules)
    if cap is None or _pe_zero(traits, day, rules) or traits.suspended > long_suspension(day, rules):
        return 0
    values = [cap.value]
    for applies, name in ((traits.st, "haircut_st"), (traits.delisting, "haircut_delisting")):
        entry = rules.find(name, day) if applies else None
        if entry is not None:
            values.append(entry.value)
    return min(value for value in values if isinstance(value, int))


def long_suspension(day: int, schedule: Schedule | None = None) -> int:
    """The most sessions of a suspension that leave a haircut as it is; beyond, it is 0."""
    rules = built_in() if schedule is None else schedule
    sessions = rules.entry("suspended_after_sessions", day).value
    if not isinstance(sessions, int):
        return 2**62
    return sessions - 1 if rules.inclusive("suspended_after") else sessions


def pe_limits(day: int, schedule: Schedule | None = None) -> tuple[int, int] | None:
    """(low, high) of static P/E in 1e-6 that keep the haircut of an A share, both included; None without
    the rule.
    """
    rules = built_in() if schedule is None else schedule
    line = rules.find("haircut_pe_zero_from", day)
    if line is None or not isinstance(line.value, int):
        return None
    high = line.value * _PE_SCALE - int(rules.inclusive("pe_zero_at"))
    negative = rules.find("haircut_pe_negative_zero", day)
    return (0 if negative is not None and negative.value else -(2**61)), high


def _pe_zero(traits: Traits, day: int, rules: Schedule) -> bool:
    limits = pe_limits(day, rules)
    if traits.kind != "stock" or traits.pe_static is None or limits is None:
        return False
    return not limits[0] <= traits.pe_static <= limits[1]


def check_haircut(reference: SecurityReference, schedule: Schedule | None = None) -> None:
    """Refuses a published haircut above the cap of its class on its date. Raises BadRecord.

    What makes it 0 for a time (risk warning, delisting, suspension, P/E) is no contradiction: it is applied
    to what was published.
    """
    if not reference.haircut:
        return
    cap = class_cap(reference.kind, reference.index_member, reference.board, reference.date, schedule)
    most = cap.value if cap is not None and isinstance(cap.value, int) else 0
    if reference.haircut > most:
        rule = cap.rule if cap is not None else f"no collateral on {format_day(reference.date)}"
        raise BadRecord(
            "haircut", f"{format_line(reference.haircut)} is above the cap {format_line(most)} ({rule})"
        )
