"""Legal order sizes per board: lots, odd remainders (零股), the largest limit order. Rulebook 7.5.

Funds and bonds have their own lots whatever their board. A remainder below the minimum is sold at once,
together: it joins the order that sells everything sellable, and never splits.
"""

from agents.rules.schedule import Lot, Schedule, built_in

FUND_KINDS = frozenset({"etf", "fund", "cash_product", "warrant"})
BOND_KINDS = frozenset({"bond", "treasury"})


def lot_rule(board: str, kind: str) -> str:
    """The parameter that gives the lot of a security."""
    return f"lot_{'fund' if kind in FUND_KINDS else 'bond' if kind in BOND_KINDS else board}"


def lot(board: str, kind: str, day: int, schedule: Schedule | None = None) -> Lot:
    """The lot of a security on `day`. Raises KeyError for an unknown board."""
    rules = built_in() if schedule is None else schedule
    name = lot_rule(board, kind)
    value = rules.entry(name, day).value
    if not isinstance(value, Lot):
        raise TypeError(f"{name} is not a lot")
    return value


def round_up(rule: Lot, qty: int) -> int:
    """The smallest whole number of lots that is at least `qty` and the minimum."""
    above = max(0, qty - rule.minimum)
    return rule.minimum + -(-above // rule.step) * rule.step


def round_down(rule: Lot, qty: int) -> int:
    """The largest whole number of lots that is at most `qty`, 0 when below the minimum."""
    if qty < rule.minimum:
        return 0
    return rule.minimum + (qty - rule.minimum) // rule.step * rule.step


def sale_of_at_least(rule: Lot, qty: int, sellable: int) -> int:
    """The sale that covers `qty`: whole lots, or everything sellable (whole lots with the odd remainder)
    when lots do not fit. Never more than `sellable`; 0 when nothing is needed or nothing can be sold.
    """
    if qty <= 0 or sellable <= 0:
        return 0
    return min(round_up(rule, qty), sellable)


def is_legal_sale(rule: Lot, qty: int, sellable: int) -> bool:
    """Whether one order may sell `qty` of `sellable` shares: lots, or everything with its odd remainder."""
    if not 0 < qty <= min(sellable, rule.maximum):
        return False
    return qty == sellable or (qty >= rule.minimum and (qty - rule.minimum) % rule.step == 0)


def is_legal_buy(rule: Lot, qty: int) -> bool:
    """Whether one order may buy `qty` shares."""
    return rule.minimum <= qty <= rule.maximum and (qty - rule.minimum) % rule.step == 0


def split(rule: Lot, qty: int) -> list[int]:
    """`qty` (a legal sale or buy but for its size) as orders of at most the largest size, in the fewest
    orders.

    Only the last order differs from the largest size, unless it would fall below the minimum: then it takes
    what it lacks from the order before, so that an odd remainder is sold together with lots.
    """
    whole, rest = divmod(qty, rule.maximum)
    sizes = [rule.maximum] * whole
    if rest == 0:
        return sizes
    if rest >= rule.minimum or not sizes:
        return [*sizes, rest]
    moved = round_up(Lot(rule.step, rule.step, rule.maximum), rule.minimum - rest)
    return [*sizes[:-1], rule.maximum - moved, rest + moved]
