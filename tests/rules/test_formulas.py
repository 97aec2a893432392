"""Formulas of the rulebook: top-up (E4), interest (E13), available margin (E6 and the margin parts of E5)."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.rules.available_margin import available_margin, available_margin_milli
from agents.rules.interest import days_in_use, interest_milli, payable_milli
from agents.rules.topup import free_sale, outside_repayment, reaches, shortfall_milli
from schemas.units import RATIO_SCALE, format_money, format_ratio, parse_day

MILLI = 1000


def yuan(exact: Fraction | None) -> str:
    """Milli as yuan with two decimals, half up."""
    assert exact is not None
    return str(
        (Decimal(exact.numerator) / exact.denominator / MILLI).quantize(Decimal("0.01"), ROUND_HALF_UP)
    )


@pytest.mark.parametrize(
    ("assets", "debt", "target", "cash", "outside", "sale"),
    [
        (1_250_000, 1_000_000, 15_000, "250000.00", "166666.67", "500000.00"),
        (1_250_000, 1_000_000, 16_000, "350000.00", "218750.00", "583333.33"),
        (1_800_000, 1_000_000, 22_000, "400000.00", "181818.18", "333333.33"),
    ],
)
def test_e4_what_brings_an_account_back_to_its_target(
    assets: int, debt: int, target: int, cash: str, outside: str, sale: str
) -> None:
    assert format_money(shortfall_milli(assets * MILLI, debt * MILLI, target)) == cash
    assert yuan(outside_repayment(assets * MILLI, debt * MILLI, target)) == outside
    assert yuan(free_sale(assets * MILLI, debt * MILLI, target)) == sale


def test_a_reached_target_asks_for_nothing() -> None:
    assert shortfall_milli(1_500_000, 1_000_000, 15_000) == 0
    assert outside_repayment(1_500_000, 1_000_000, 15_000) == 0
    assert free_sale(1_500_000, 1_000_000, 15_000) == 0


def test_no_sale_helps_an_account_worth_less_than_its_debt() -> None:
    assert free_sale(999, 1_000, 15_000) is None


@given(st.integers(0, 10**14), st.integers(1, 10**14), st.integers(10_001, 90_000))
def test_the_shortfall_is_the_least_number_of_fen_that_reaches_the_target(
    assets: int, debt: int, target: int
) -> None:
    shortfall = shortfall_milli(assets, debt, target)
    assert shortfall % 10 == 0
    assert reaches(assets + shortfall, debt, target)
    if shortfall:
        assert not reaches(assets + shortfall - 10, debt, target)


@pytest.mark.parametrize(
    ("base", "rate", "opened", "closed", "interest"),
    [
        (400_000, 86_000, "2024-03-01", "2024-03-15", "1337.78"),
        (400_000, 86_000, "2024-03-01", "2024-03-01", "95.56"),
        (400_000, 78_600, "2024-03-01", "2024-03-15", "1222.67"),
        (300_000, 106_000, "2024-03-01", "2024-03-31", "2650.00"),
    ],
)
def test_e13_interest_counts_the_first_day_and_not_the_last(
    base: int, rate: int, opened: str, closed: str, interest: str
) -> None:
    days = days_in_use(parse_day(opened), parse_day(closed))
    assert format_money(payable_milli(interest_milli(base * MILLI * days, rate))) == interest


def test_interest_is_rounded_once_and_half_up() -> None:
    assert interest_milli(180, 1_000_000) == 1  # exactly half a thousandth
    assert interest_milli(179, 1_000_000) == 0
    assert payable_milli(5) == 10
    assert payable_milli(4) == 0


COLLATERAL_E6 = [(200_000 * MILLI, 6_500), (500_000 * MILLI, 9_500), (120_000 * MILLI, 0)]
FINANCING_E6 = [
    (220_000 * MILLI, 200_000 * MILLI, 7_000, 10_000),
    (180_000 * MILLI, 200_000 * MILLI, 6_000, 8_000),
]
LENDING_E6 = [
    (250_000 * MILLI, 220_000 * MILLI, 6_500, 10_000),
    (120_000 * MILLI, 134_000 * MILLI, 6_000, 5_000),
]


def test_e6_available_margin_with_gains_losses_and_old_margin_ratios() -> None:
    exact = available_margin(900_000 * MILLI, COLLATERAL_E6, FINANCING_E6, LENDING_E6, 3_210_980)
    assert exact == 484_289_020 * RATIO_SCALE
    assert format_money(available_margin_milli(exact)) == "484289.02"


def test_e6_the_maintenance_ratio_of_the_same_account_uses_no_haircut() -> None:
    held = sum(value for value, _ in COLLATERAL_E6) + sum(value for value, *_ in FINANCING_E6)
    owed = sum(principal for _, principal, *_ in FINANCING_E6) + sum(value for _, value, *_ in LENDING_E6)
    assert format_ratio(900_000 * MILLI + held, owed + 3_210_980) == "2.799748"


@pytest.mark.parametrize(
    ("shares", "margin", "available"),
    [(20_000, 10_000, 595_000), (17_200, 10_000, 413_000), (20_000, 15_000, 95_000), (18_600, 15_000, 4_000)],
)
def test_e5_the_margin_left_before_and_after_taking_collateral_out(
    shares: int, margin: int, available: int
) -> None:
    bought = (1_000_000 * MILLI, 1_000_000 * MILLI, 6_500, margin)
    exact = available_margin(300_000 * MILLI, [(shares * 100 * MILLI, 6_500)], [bought], [], 5_000 * MILLI)
    assert exact == available * MILLI * RATIO_SCALE


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10_000))
def test_available_margin_never_rises_when_a_loss_deepens(value: int, fall: int, haircut: int) -> None:
    before = available_margin(0, [], [(value, 10**9, haircut, 10_000)], [], 0)
    assert available_margin(0, [], [(value - fall, 10**9, haircut, 10_000)], [], 0) <= before
    short_before = available_margin(0, [], [], [(10**9, value, haircut, 10_000)], 0)
    assert available_margin(0, [], [], [(10**9, value + fall, haircut, 10_000)], 0) <= short_before


def test_a_negative_margin_is_shown_no_better_than_it_is() -> None:
    assert available_margin_milli(-1) == -1
