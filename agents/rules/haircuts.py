"""Caps of the collateral haircut (折算率) by class and date, rulebook 4: what counts where a broker's list
gives none.

Haircuts are integers in 1e-4 and never enter the maintenance ratio.
"""

from dataclasses import dataclass

from agents.rules.schedule import Schedule, built_in

_PE_SCALE = 1_000_000

_CLASS_OF_KIND = {
    "etf": "etf",
    "fund": "other_fund_bond",
    "bond": "other_fund_bond",
    "treasury": "treasury",
    "warrant": "warrant",
}


@dataclass(frozen=True, slots=True)
class Traits:
    """What decides a security's cap on a day. `pe_static`: static P/E in 1e-6, None when not known."""

    kind: str
    index_member: bool = False
    st: bool = False
    delisting: bool = False
    pe_static: int | None = None


def _candidates(traits: Traits) -> list[str]:
    if traits.kind == "stock":
        names = ["index_stock" if traits.index_member else "other_stock"]
    elif traits.kind == "cash_product":
        return ["cash_product", "other_fund_bond"]
    else:
        names = [_CLASS_OF_KIND.get(traits.kind, "")]
    if traits.st:
        names.append("st")
    if traits.delisting:
        names.append("delisting")
    return names


def haircut_cap(traits: Traits, day: int, schedule: Schedule | None = None) -> int:
    """The cap in 1e-4 on `day`: the least of the classes in force that apply, 0 for an index or a kind
    without one.
    """
    rules = built_in() if schedule is None else schedule
    if traits.kind not in {"stock", "cash_product", *_CLASS_OF_KIND}:
        return 0
    if _pe_zero(traits, day, rules):
        return 0
    found = [rules.find(f"haircut_{name}", day) for name in _candidates(traits)]
    values = [entry.value for entry in found if entry is not None and isinstance(entry.value, int)]
    if traits.kind == "cash_product":
        return values[0] if values else 0
    return min(values, default=0)


def _pe_zero(traits: Traits, day: int, rules: Schedule) -> bool:
    line = rules.find("haircut_pe_zero_from", day)
    if traits.kind != "stock" or traits.pe_static is None or line is None or not isinstance(line.value, int):
        return False
    return traits.pe_static < 0 or traits.pe_static >= line.value * _PE_SCALE
