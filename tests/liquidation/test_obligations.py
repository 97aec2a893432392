"""Plans that must repay or cover whatever the ratio: matured contracts, courts, ended credit (rulebook 7.1,
7.4).
"""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.liquidation.plan import make_plan
from agents.liquidation.situation import Holding, Plan, Short, Situation
from agents.rules.costs import sell_cost
from schemas.units import parse_day

DAY = parse_day("2025-04-07")
YUAN = 1000
SHARES = Holding("600001.SH", 50_000, 50_000, 10 * YUAN, 10 * YUAN, "main", "stock")
SHORT = Short("L1", "600500.SH", 1_000, 20 * YUAN, 20 * YUAN, 20 * YUAN, "main", "stock")
SAFE = Situation(
    free_cash=0,
    short_proceeds=0,
    repayable=100_000 * YUAN,
    assets=500_000 * YUAN,
    debt=100_000 * YUAN,
    target=15_000,
    day=DAY,
    commission=250,
    holdings=(SHARES,),
    to_target=False,
)
"""At 500 %: only an obligation makes it sell."""


def trades(plan: Plan) -> list[tuple[str, int | None, int | None]]:
    return [(order.business, order.qty, order.amount) for order in plan.orders]


def test_without_obligation_and_target_nothing_is_traded() -> None:
    plan = make_plan(replace(SAFE, assets=90_000 * YUAN))
    assert plan.orders == ()
    assert plan.achieved


def test_what_must_be_repaid_comes_from_own_cash_to_the_last_thousandth() -> None:
    plan = make_plan(replace(SAFE, must_repay=30_000_123, free_cash=40_000 * YUAN))
    assert trades(plan) == [("repay", None, 30_000_123)]
    assert plan.achieved


@pytest.mark.parametrize(("missing", "sold"), [(9, ()), (10, (("sell_to_repay", 100, None),))])
def test_less_than_a_cent_makes_nothing_sell(missing: int, sold: tuple[object, ...]) -> None:
    plan = make_plan(replace(SAFE, must_repay=missing))
    assert tuple(trades(plan)) == sold
    assert plan.achieved


def test_then_the_fewest_lots_are_sold_whose_proceeds_pay_the_rest() -> None:
    """20,000 at 10.00 less 0.076 %: 2,001.6 shares, and 2,000 would leave 15.20 unpaid."""
    plan = make_plan(replace(SAFE, must_repay=25_000 * YUAN, free_cash=5_000 * YUAN))
    assert trades(plan) == [("repay", None, 5_000 * YUAN), ("sell_to_repay", 2_100, None)]
    assert plan.needed == 20_015_212  # 20,000 / (1 - 0.00076), rounded up
    assert plan.achieved


def test_an_obligation_is_met_even_by_a_sale_that_lowers_the_ratio() -> None:
    cheap = replace(SHARES, expected=6 * YUAN)
    plan = make_plan(replace(SAFE, must_repay=25_000 * YUAN, holdings=(cheap,)))
    assert trades(plan) == [("sell_to_repay", 4_200, None)]


def test_target_and_obligation_take_the_larger_of_both() -> None:
    low = replace(SAFE, assets=500_000 * YUAN, repayable=400_000 * YUAN, debt=400_000 * YUAN, to_target=True)
    by_target = make_plan(low).orders[0].qty
    assert by_target == 20_100
    assert make_plan(replace(low, must_repay=100_000 * YUAN)).orders[0].qty == by_target
    assert make_plan(replace(low, must_repay=300_000 * YUAN)).orders[0].qty == 30_100


def test_what_is_sold_to_pay_for_covering_repays_nothing_though_money_is_owed() -> None:
    """1,000 at 20.00 cost 20,005.20 with 0.026 %: 2,003 shares at 10.00 less 0.076 % bring as much."""
    short = replace(SHORT, must_cover=True)
    plan = make_plan(replace(SAFE, debt=120_000 * YUAN, shorts=(short,)))
    assert trades(plan) == [("collateral_sell", 2_100, None), ("buy_to_return", 1_000, None)]
    assert plan.achieved
    assets = 500_000 * YUAN - 2_100 * 10 * YUAN * Fraction(76, 100_000) - 20_005_200
    assert Fraction(*plan.ratio_after) == Fraction(assets) / (100_000 * YUAN)


def test_what_cannot_be_paid_today_is_told_with_what_comes_next() -> None:
    locked = replace(SHARES, why_unsellable="limit_down")
    plan = make_plan(replace(SAFE, must_repay=25_000 * YUAN, holdings=(locked,)))
    assert not plan.achieved
    assert plan.residual == (("600001.SH", 50_000, "limit_down"),)
    assert [(item.security, item.qty, item.price) for item in plan.later] == [("600001.SH", 2_600, 10 * YUAN)]


def shorted(**changes: object) -> Situation:
    debt, assets = 20_000 * YUAN, 520_000 * YUAN
    plain = replace(SAFE, repayable=0, short_proceeds=20_000 * YUAN, assets=assets, debt=debt)
    return replace(plain, shorts=(replace(SHORT, **changes),))  # type: ignore[arg-type]


def test_a_matured_short_is_covered_whole_and_holdings_pay_what_proceeds_do_not() -> None:
    plan = make_plan(shorted(must_cover=True))
    assert trades(plan) == [("collateral_sell", 100, None), ("buy_to_return", 1_000, None)]
    assert plan.achieved
    assert make_plan(shorted()).orders == ()


def test_a_short_of_today_goes_back_tomorrow() -> None:
    plan = make_plan(shorted(must_cover=True, fresh=400))
    assert ("buy_to_return", 600, None) in trades(plan)
    assert plan.residual == (("600500.SH", 400, "t+1"),)
    expected = [("collateral_sell", 100), ("buy_to_return", 400)]
    assert [(item.business, item.qty) for item in plan.later] == expected


def test_the_short_that_must_be_covered_comes_before_the_largest_loss() -> None:
    losing = replace(SHORT, contract="L0", security="600501.SH", sale_price=5 * YUAN)
    both = replace(shorted(must_cover=True), shorts=(losing, replace(SHORT, must_cover=True)))
    plan = make_plan(replace(both, assets=30_000 * YUAN, debt=40_000 * YUAN, to_target=True))
    assert [order.contract for order in plan.orders if order.contract] == ["L1", "L0"]


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 400_000_000),
    st.integers(0, 300_000_000),
    st.integers(100, 60_000),
    st.integers(800, 40_000),
)
def test_the_quantity_pays_what_must_be_repaid_and_one_lot_less_does_not(
    owed: int, cash: int, qty: int, price: int
) -> None:
    held = replace(SHARES, qty=qty, sellable=qty, mark=price, expected=price)
    plan = make_plan(replace(SAFE, repayable=owed, must_repay=owed, free_cash=cash, holdings=(held,)))
    repaid = sum(order.amount or 0 for order in plan.orders)
    sold = sum(order.qty or 0 for order in plan.orders)
    net = price * (1 - Fraction(sell_cost(DAY, 250, "stock"), 10**6))
    left = owed - repaid
    assert repaid <= cash
    assert plan.achieved is (left - sold * net < 10)
    if sold == qty or left < 10:
        assert sold in (0, qty)
        return
    assert sold % 100 == 0
    assert sold * net >= left > (sold - 100) * net
