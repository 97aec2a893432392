"""Costs of a trade in proportion to its value: commission, stamp duty (印花税), transfer fee (过户费).
Rulebook 7.3.

Rates are integers in 1e-6. Handling fees of the exchange are taken as inside the commission. Stamp duty and
transfer fee fall on stocks only (recalled, not verified: funds and bonds pay neither).
"""

from agents.rules.schedule import Schedule, built_in
from schemas.units import RATE_SCALE

STOCK = "stock"


def _rate(parameter: str, day: int, commission: int, kind: str, schedule: Schedule | None) -> int:
    rules = built_in() if schedule is None else schedule
    levies = rules.number(parameter, day) + rules.number("transfer_fee", day) if kind == STOCK else 0
    return commission + levies


def sell_cost(day: int, commission: int, kind: str, schedule: Schedule | None = None) -> int:
    """`k` of a sale on `day`, in 1e-6 of its value."""
    return _rate("stamp_duty_sell", day, commission, kind, schedule)


def buy_cost(day: int, commission: int, kind: str, schedule: Schedule | None = None) -> int:
    """`k` of a purchase on `day`, in 1e-6 of its value."""
    return _rate("stamp_duty_buy", day, commission, kind, schedule)


def cost_milli(value: int, rate: int) -> int:
    """The cost (milli) of a trade worth `value` milli at `rate`: whole thousandths, what is less is not
    charged.

    A plan counts with the exact cost, so a fill that pays this one never misses the plan's ratio.
    """
    return value * rate // RATE_SCALE
