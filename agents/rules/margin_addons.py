"""What a broker asks above the exchange's least initial margin (保证金比例), rulebook 3.3. Integers in
1e-4.
"""

from agents.rules.schedule import Schedule, built_in
from agents.rules.values import MarginAddOn
from schemas.units import RATIO_SCALE

NO_ADDON = "none"
ETF = "etf"


def with_addon(
    minimum: int, contract_type: str, kind: str, haircut: int, day: int, schedule: Schedule | None = None
) -> int:
    """The ratio of a `financing` or `lending` contract opened on `day` in a security of `kind` with this
    haircut (折算率): by the formula that `margin_addon` chooses, never below the exchange's `minimum`.
    """
    rules = built_in() if schedule is None else schedule
    addon = addon_of(contract_type, kind, day, rules)
    return minimum if addon is None else max(minimum, _asked(addon, minimum, haircut))


def addon_of(contract_type: str, kind: str, day: int, rules: Schedule) -> MarginAddOn | None:
    """The formula in force: an ETF's own where there is one, else the contract type's, else none."""
    chosen = rules.text("margin_addon", day)
    if chosen == NO_ADDON:
        return None
    names = [f"margin_addon_{chosen}_etf_{contract_type}"] if kind == ETF else []
    for name in (*names, f"margin_addon_{chosen}_{contract_type}"):
        found = rules.find(name, day) if name in rules.parameters else None
        if found is not None and isinstance(found.value, MarginAddOn):
            return found.value
    return None


def _asked(addon: MarginAddOn, minimum: int, haircut: int) -> int:
    if addon.formula == "fixed":
        return addon.base
    if addon.formula == "less_haircut":
        return max(addon.least, addon.base - haircut)
    return minimum + RATIO_SCALE - haircut + addon.base
