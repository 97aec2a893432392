"""What the liquidation planner does beside the worked examples."""

from dataclasses import replace
from functools import partial

import pytest

from agents.liquidation.plan import make_plan
from agents.liquidation.situation import Book, Holding, Plan, Short, Situation
from agents.liquidation.tradable import why_uncoverable, why_unsellable
from schemas.units import parse_day

DAY = parse_day("2025-04-07")
YUAN = 1000


def holding(
    security: str = "600001.SH", qty: int = 10_000, price: int = 10 * YUAN, **changes: object
) -> Holding:
    plain = Holding(security, qty, qty, price, price, "main", "stock")
    return replace(plain, **changes)  # type: ignore[arg-type]


def owing(debt: int, *holdings: Holding, cash: int = 0, **changes: object) -> Situation:
    assets = cash + sum(item.qty * item.mark for item in holdings)
    plain = Situation(cash, 0, debt, assets, debt, 15_000, DAY, 250, holdings)
    return replace(plain, **changes)  # type: ignore[arg-type]


def sold(plan: Plan) -> list[str | None]:
    return [order.security for order in plan.orders if order.side == "S"]


def test_an_account_at_its_target_gets_no_orders() -> None:
    plan = make_plan(owing(100_000 * YUAN, holding(qty=15_000)))
    assert plan.orders == ()
    assert plan.needed == 0
    assert plan.achieved


def test_free_cash_that_is_enough_repays_only_what_the_target_asks_for() -> None:
    plan = make_plan(owing(100_000 * YUAN, holding(qty=10_000), cash=45_000 * YUAN))
    (order,) = plan.orders
    assert (order.business, order.amount) == ("repay", 10_000 * YUAN)
    assert plan.ratio_after == (135_000 * YUAN * 10**6, 90_000 * YUAN * 10**6)


def test_the_most_liquid_holding_is_sold_first() -> None:
    slow = holding("600001.SH", 20_000, days_to_liquidate=(3, 2))
    quick = holding("600002.SH", 10_000, days_to_liquidate=(1, 2))
    unknown = holding("600003.SH", 50_000)
    plan = make_plan(owing(640_000 * YUAN, slow, quick, unknown))
    assert sold(plan)[:2] == ["600002.SH", "600001.SH"]


def test_within_equal_liquidity_concentration_then_value_then_code_decide() -> None:
    concentrated = holding("600009.SH", 1_000, concentration_excess=1)
    large = holding("600008.SH", 3_000)
    first_code, second_code = holding("600001.SH", 2_000), holding("600002.SH", 2_000)
    plan = make_plan(owing(79_000 * YUAN, second_code, first_code, large, concentrated))
    assert sold(plan) == ["600009.SH", "600008.SH", "600001.SH", "600002.SH"]


def test_frozen_and_bought_today_stay_in_the_residual_with_their_reasons() -> None:
    plan = make_plan(owing(80_000 * YUAN, holding(sellable=4_000, frozen=5_000)))
    assert plan.residual == (("600001.SH", 5_000, "frozen"), ("600001.SH", 1_000, "t+1"))
    assert [order.qty for order in plan.orders] == [4_000]
    assert not plan.achieved


def test_a_sale_that_would_lower_the_ratio_is_not_made() -> None:
    plan = make_plan(owing(80_000 * YUAN, holding(expected=6_500)))
    assert plan.orders == ()
    assert plan.residual == (("600001.SH", 10_000, "lowers_ratio"),)


def test_an_account_worth_less_than_its_debt_is_liquidated_fully() -> None:
    plan = make_plan(owing(150_000 * YUAN, holding(expected=6_500), cash=5_000 * YUAN))
    assert [(order.business, order.qty, order.amount) for order in plan.orders] == [
        ("repay", None, 5_000 * YUAN),
        ("sell_to_repay", 10_000, None),
    ]
    assert plan.needed == 145_000 * YUAN
    assert not plan.achieved


def test_nothing_is_sold_to_repay_when_no_money_is_owed() -> None:
    plan = make_plan(owing(80_000 * YUAN, holding(), repayable=0))
    assert plan.orders == ()
    assert not plan.achieved


SHORT = Short("L1", "600500.SH", 10_000, 10 * YUAN, 20 * YUAN, 20 * YUAN, "main", "stock")


def shorting(
    *holdings: Holding, shorts: tuple[Short, ...] = (SHORT,), proceeds: int, cash: int = 0
) -> Situation:
    debt = sum(short.qty * short.mark for short in shorts)
    assets = proceeds + cash + sum(item.qty * item.mark for item in holdings)
    return Situation(cash, proceeds, 0, assets, debt, 15_000, DAY, 250, holdings, shorts)


def test_fees_are_repaid_in_whole_fen_and_nothing_is_sold_for_less_than_one() -> None:
    situation = shorting(holding(), proceeds=100_000 * YUAN, cash=30_000 * YUAN)
    plan = make_plan(replace(situation, repayable=1_234_567, debt=situation.debt + 1_234_567))
    assert (plan.orders[0].business, plan.orders[0].amount) == ("repay", 1_234_560)
    assert "sell_to_repay" not in {order.business for order in plan.orders}


def test_collateral_is_sold_for_covering_when_cash_falls_short() -> None:
    plan = make_plan(shorting(holding(qty=21_000), proceeds=50_000 * YUAN))
    assert [order.business for order in plan.orders] == ["collateral_sell", "buy_to_return"]
    assert plan.achieved


def test_the_short_with_the_largest_loss_is_covered_first() -> None:
    mild = replace(SHORT, contract="L0", security="600501.SH", sale_price=19 * YUAN)
    plan = make_plan(shorting(shorts=(mild, SHORT), proceeds=500_000 * YUAN))
    assert plan.orders[0].contract == "L1"


def test_a_short_that_cannot_be_bought_stays_in_the_residual() -> None:
    locked = replace(SHORT, why_uncoverable="limit_up")
    plan = make_plan(shorting(shorts=(locked,), proceeds=250_000 * YUAN))
    assert plan.orders == ()
    assert plan.residual == (("600500.SH", 10_000, "limit_up"),)


def test_a_short_below_a_lot_cannot_be_bought_back() -> None:
    plan = make_plan(shorting(shorts=(replace(SHORT, qty=50),), proceeds=1_200 * YUAN))
    assert plan.residual == (("600500.SH", 50, "odd_lot"),)


def test_covering_never_buys_more_than_is_owed() -> None:
    plan = make_plan(shorting(shorts=(replace(SHORT, qty=4_750),), proceeds=95_100 * YUAN))
    assert [order.qty for order in plan.orders] == [4_700]
    assert plan.residual == (("600500.SH", 50, "odd_lot"),)


def test_without_money_or_holdings_a_short_is_not_covered_further() -> None:
    plan = make_plan(shorting(shorts=(SHORT,), proceeds=100_000 * YUAN))
    assert plan.residual == (("600500.SH", 5_100, "no_cash"),)


@pytest.mark.parametrize(
    ("board", "security", "sizes"),
    [
        ("star", "688001.SH", [100_000, 99_950, 200]),
        ("chinext", "300001.SZ", [200_150]),
        ("main", "600001.SH", [200_150]),
    ],
)
def test_orders_above_the_boards_largest_size_are_split(board: str, security: str, sizes: list[int]) -> None:
    big = holding(security, 200_150, board=board)
    plan = make_plan(owing(2_001_499 * YUAN, big))
    assert [order.qty for order in plan.orders] == sizes


def test_a_sale_is_priced_at_the_cage_floor_and_not_below_the_lower_limit() -> None:
    book = Book(best_bid=9_950, last=10_000, prev_close=10_100, limit_down=9_090)
    plan = make_plan(owing(80_000 * YUAN, holding(book=book)))
    assert plan.orders[0].price == 9_760  # 98% of the best bid is 9.751: the lowest price step inside it
    near_limit = replace(book, limit_down=9_900)
    assert make_plan(owing(80_000 * YUAN, holding(book=near_limit))).orders[0].price == 9_900


def test_before_the_cage_a_sale_is_priced_at_the_lower_limit() -> None:
    early = owing(80_000 * YUAN, holding(book=Book(best_bid=9_950, prev_close=10_030)))
    plan = make_plan(replace(early, day=parse_day("2015-07-08")))
    assert plan.orders[0].price == 9_030


def test_a_cover_is_priced_at_the_cage_ceiling_and_not_above_the_upper_limit() -> None:
    book = Book(best_ask=20_000, prev_close=19_000, limit_up=20_200)
    situation = shorting(shorts=(replace(SHORT, book=book),), proceeds=250_000 * YUAN)
    assert make_plan(situation).orders[0].price == 20_200
    assert make_plan(replace(situation, day=parse_day("2022-01-04"))).orders[0].price == 20_200
    open_above = replace(SHORT, book=replace(book, limit_up=20_900))
    assert make_plan(replace(situation, shorts=(open_above,))).orders[0].price == 20_400


def test_only_a_missing_counterparty_locks_a_stock_at_its_limit() -> None:
    at_limit = partial(why_unsellable, suspended=False, halted=False, last=9_000, limit_down=9_000)
    assert at_limit(best_bid=0) == "limit_down"
    assert at_limit(best_bid=9_000) is None
    assert at_limit(best_bid=-1) is None
    assert why_unsellable(suspended=True, halted=True, last=9_000, limit_down=-1, best_bid=-1) == "suspended"
    assert why_unsellable(suspended=False, halted=True, last=-1, limit_down=-1, best_bid=-1) == "halted"
    assert (
        why_uncoverable(suspended=False, halted=False, last=11_000, limit_up=11_000, best_ask=0) == "limit_up"
    )
    assert why_uncoverable(suspended=False, halted=False, last=11_000, limit_up=-1, best_ask=0) is None


def test_a_target_no_sale_can_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be reached"):
        make_plan(owing(80_000 * YUAN, holding(), target=10_000))


def test_what_has_no_price_is_kept() -> None:
    worthless = holding("600666.SH", expected=0, mark=0)
    plan = make_plan(owing(150_000 * YUAN, holding(), worthless))
    assert sold(plan) == ["600001.SH"]
    assert plan.residual == (("600666.SH", 10_000, "no_price"),)
    unpriced = replace(SHORT, mark=0, expected=0)
    plan = make_plan(replace(shorting(shorts=(SHORT, unpriced), proceeds=210_000 * YUAN)))
    assert plan.residual[-1] == ("600500.SH", 10_000, "no_price")


def test_a_holding_that_counts_for_nothing_is_still_sold_at_its_price() -> None:
    excluded = holding(mark=0, expected=10_000)
    plan = make_plan(owing(20_000 * YUAN, excluded, holding("600002.SH", 2_000)))
    assert sold(plan)[0] == "600002.SH"
    assert plan.achieved
