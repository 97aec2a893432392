"""Available margin (保证金可用余额), rulebook 2, in exact integers.

Money is integer milli (0.001 yuan), haircuts (折算率) and margin ratios (保证金比例) integer 1e-4, so every
product is exact in 1e-7 yuan. The sum may be negative: that blocks new debt and withdrawals, and is not by
itself a call. Gains and losses are taken per contract (rulebook 19, question 5: not settled by the
exchange's text).
"""

from collections.abc import Iterable

from schemas.units import RATIO_SCALE

Collateral = tuple[int, int]
"""(market value, haircut) of securities that no financing contract bought."""
Financing = tuple[int, int, int, int]
"""(market value, F = principal still owed, haircut, margin ratio fixed at opening) of one financing
contract.
"""
Lending = tuple[int, int, int, int]
"""(S0 = unreturned quantity x sale price, market value of it, haircut, margin ratio fixed at opening) of
one lending contract.
"""


def _contract_result(result: int, haircut: int) -> int:
    """A gain counts at the security's haircut, a loss in full; in 1e-7 yuan."""
    return result * (haircut if result >= 0 else RATIO_SCALE)


def available_margin(
    cash: int,
    collateral: Iterable[Collateral],
    financing: Iterable[Financing],
    lending: Iterable[Lending],
    fees: int,
) -> int:
    """Available margin in 1e-7 yuan. `cash` includes short-sale proceeds; `fees` are interest and fees owed
    (milli).
    """
    total = (cash - fees) * RATIO_SCALE
    total += sum(value * haircut for value, haircut in collateral)
    for value, owed, haircut, margin in financing:
        total += _contract_result(value - owed, haircut) - owed * margin
    for proceeds, value, haircut, margin in lending:
        total += _contract_result(proceeds - value, haircut) - proceeds * RATIO_SCALE - value * margin
    return total


def available_margin_milli(exact: int) -> int:
    """The figure shown: `exact` (1e-7 yuan) rounded down to 0.001 yuan, so that it never promises more than
    there is.
    """
    return exact // RATIO_SCALE
