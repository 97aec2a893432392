"""Worked example E10 of the rulebook: forced liquidation to 150%, with its exact quantities and ratios."""

from dataclasses import replace

import pytest

from agents.liquidation.plan import make_plan
from agents.liquidation.situation import Holding, Plan, Short, Situation
from schemas.units import format_ratio, parse_day

DAY = parse_day("2025-04-07")
MILLI = 1000
COMMISSION = 250  # 0.025%: with stamp duty 0.05% and transfer fee 0.001% a sale costs 0.076%

A = Holding("600001.SH", 100_000, 100_000, 8 * MILLI, 8 * MILLI, "main", "stock")
B = Holding("688001.SH", 5_137, 5_137, 50 * MILLI, 50 * MILLI, "star", "stock")
LONG_ONLY = Situation(
    free_cash=20_000 * MILLI,
    short_proceeds=0,
    repayable=860_000 * MILLI,
    assets=1_076_850 * MILLI,
    debt=860_000 * MILLI,
    target=15_000,
    day=DAY,
    commission=COMMISSION,
    holdings=(A, B),
)


def quantities(plan: Plan) -> list[tuple[str | None, int | None]]:
    return [(order.security, order.qty) for order in plan.orders if order.business != "repay"]


def with_a(**changes: object) -> Situation:
    return replace(LONG_ONLY, holdings=(replace(A, **changes), B))  # type: ignore[arg-type]


def test_free_cash_repays_first_and_the_gross_sale_still_needed_is_stated() -> None:
    plan = make_plan(LONG_ONLY)
    assert (plan.orders[0].business, plan.orders[0].amount) == ("repay", 20_000 * MILLI)
    assert plan.needed == 407_228_481  # 407,228.480937 rounded up


def test_a_the_larger_holding_is_sold_in_the_least_number_of_lots() -> None:
    plan = make_plan(with_a(sellable=70_000))
    assert quantities(plan) == [("600001.SH", 51_000)]
    assert format_ratio(*plan.ratio_after) == "1.500890"
    assert plan.achieved
    assert plan.residual == (("600001.SH", 30_000, "t+1"),)


def test_a_one_lot_less_would_miss_the_target() -> None:
    plan = make_plan(with_a(sellable=50_900, qty=100_000))
    assert quantities(plan)[0] == ("600001.SH", 50_900)
    alone = make_plan(replace(LONG_ONLY, holdings=(replace(A, sellable=50_900),)))
    assert format_ratio(*alone.ratio_after) == "1.499967"
    assert not alone.achieved


def test_b_what_one_holding_lacks_the_next_one_gives_in_steps_of_one_on_the_star_board() -> None:
    plan = make_plan(with_a(sellable=30_000))
    assert quantities(plan) == [("600001.SH", 30_000), ("688001.SH", 3_345)]
    assert format_ratio(*plan.ratio_after) == "1.500025"


def test_b_after_the_first_holding_the_rulebooks_intermediate_figures_hold() -> None:
    plan = make_plan(replace(LONG_ONLY, holdings=(replace(A, sellable=30_000),)))
    assert format_ratio(*plan.ratio_after) == "1.361003"
    assert plan.ratio_after == (816_850_000 * 10**6, 600_182_400 * 10**6)
    assert plan.still_needed == 167_228_481  # 167,228.480937 rounded up


def test_c_an_odd_remainder_is_sold_together_with_the_lots() -> None:
    plan = make_plan(with_a(sellable=50_950))
    assert quantities(plan) == [("600001.SH", 50_950)]
    assert format_ratio(*plan.ratio_after) == "1.500428"


def test_d_a_holding_locked_at_its_lower_limit_stays_in_the_residual() -> None:
    plan = make_plan(with_a(why_unsellable="limit_down"))
    assert quantities(plan) == [("688001.SH", 5_137)]
    assert plan.ratio_after == (800_000_000 * 10**6, 583_345_206 * 10**6)
    assert format_ratio(*plan.ratio_after) == "1.371401"
    assert plan.residual == (("600001.SH", 100_000, "limit_down"),)
    assert plan.still_needed == 150_378_481  # 150,378.480937 rounded up


def test_d_the_next_session_sells_what_is_still_needed_of_the_unlocked_holding() -> None:
    plan = make_plan(
        Situation(0, 0, 583_345_206, 800_000_000, 583_345_206, 15_000, DAY + 1, COMMISSION, holdings=(A,)),
    )
    assert quantities(plan) == [("600001.SH", 18_800)]


def test_e_an_expected_price_below_the_mark_asks_for_more_shares() -> None:
    plan = make_plan(with_a(sellable=70_000, expected=7_840))
    assert quantities(plan) == [("600001.SH", 54_200)]
    assert format_ratio(*plan.ratio_after) == "1.500379"
    short_of_it = make_plan(replace(LONG_ONLY, holdings=(replace(A, sellable=54_100, expected=7_840),)))
    assert format_ratio(*short_of_it.ratio_after) == "1.499477"


COLLATERAL = Holding("600002.SH", 10_000, 0, 12 * MILLI, 12 * MILLI, "main", "stock")
SHORT = Short("S1", "600003.SH", 10_000, 30 * MILLI, 41 * MILLI, 41_100, "main", "stock")
SHORTED = Situation(
    free_cash=100_000 * MILLI,
    short_proceeds=300_000 * MILLI,
    repayable=0,
    assets=520_000 * MILLI,
    debt=411_000 * MILLI,
    target=15_000,
    day=DAY,
    commission=COMMISSION,
    holdings=(COLLATERAL,),
    shorts=(SHORT,),
)


def test_f_a_short_is_covered_from_its_proceeds_when_fees_stay_owed() -> None:
    plan = make_plan(SHORTED)
    assert quantities(plan) == [("600003.SH", 4_800)]
    assert plan.ratio_after == (322_668_707_200_000, 214_200_000_000_000)
    assert format_ratio(*plan.ratio_after) == "1.506390"
    assert plan.orders[0].contract == "S1"


def test_f_one_lot_less_would_miss_the_target() -> None:
    plan = make_plan(replace(SHORTED, shorts=(replace(SHORT, qty=4_700),), debt=411_000 * MILLI))
    assert format_ratio(*plan.ratio_after) == "1.496930"


def test_f_own_cash_pays_the_fees_first_when_they_can_be_repaid() -> None:
    plan = make_plan(replace(SHORTED, repayable=1_000 * MILLI))
    assert (plan.orders[0].business, plan.orders[0].amount) == ("repay", 1_000 * MILLI)
    assert quantities(plan) == [("600003.SH", 4_800)]
    assert plan.ratio_after == (321_668_707_200_000, 213_200_000_000_000)
    assert format_ratio(*plan.ratio_after) == "1.508765"


@pytest.mark.parametrize(("qty", "passes"), [(50_900, False), (51_000, True)])
def test_the_quantity_formula_agrees_with_the_ratio_after(qty: int, passes: bool) -> None:
    plan = make_plan(replace(LONG_ONLY, holdings=(replace(A, qty=qty, sellable=qty),)))
    assert plan.achieved is passes
