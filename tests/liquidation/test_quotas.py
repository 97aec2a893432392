"""What a slice takes of a plan, what the next session is left with, and whose strategy orders it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agents.liquidation.disposal import RulebookDisposal
from agents.liquidation.participation import Traded, average_slice, quota
from agents.liquidation.plan import make_plan
from agents.liquidation.situation import Holding, Plan
from agents.rules.hours import continuous_windows, minutes_traded, trades_at
from schemas.units import parse_day
from tests.liquidation.test_worked_examples import LONG_ONLY, A, B

MILLI = 1000


def quantities(plan: Plan) -> list[tuple[str | None, int | None]]:
    return [(order.security, order.qty) for order in plan.orders if order.business != "repay"]


def later(plan: Plan) -> list[tuple[str, int, int]]:
    return [(item.security, item.qty, item.price) for item in plan.later]


def test_e10_d_names_quantity_and_price_of_the_next_session() -> None:
    plan = make_plan(replace(LONG_ONLY, holdings=(replace(A, why_unsellable="limit_down"), B)))
    assert later(plan) == [("600001.SH", 18_800, 8 * MILLI)]


def test_a_plan_that_reaches_its_target_leaves_nothing_for_later() -> None:
    assert make_plan(LONG_ONLY).later == ()


def test_shares_bought_today_can_be_sold_in_the_next_session_and_frozen_ones_cannot() -> None:
    held = replace(A, sellable=30_000, frozen=50_000)
    plan = make_plan(replace(LONG_ONLY, holdings=(held,)))
    assert later(plan) == [("600001.SH", 20_000, 8 * MILLI)]


def test_a_slice_sends_each_securitys_part_of_the_whole_plan_as_far_as_its_quota_goes() -> None:
    """Case (b) of E10 wants 30,000 of the first and 3,345 of the second."""
    limited = replace(A, sellable=30_000, quota=10_050)
    plan = make_plan(replace(LONG_ONLY, holdings=(limited, B)))
    assert quantities(plan) == [("600001.SH", 10_000), ("688001.SH", 3_345)]
    assert ("600001.SH", 20_000, "participation") in plan.residual
    assert not plan.achieved
    assert later(plan)[0] == ("600001.SH", 20_000, 8 * MILLI)


def test_no_other_holding_is_sold_because_a_slice_is_small() -> None:
    plan = make_plan(replace(LONG_ONLY, holdings=(replace(A, quota=1_000), B)))
    assert quantities(plan) == [("600001.SH", 1_000)]


def test_a_quota_below_a_lot_sends_nothing_but_an_odd_lot_that_is_all_there_is_goes_whole() -> None:
    assert quantities(make_plan(replace(LONG_ONLY, holdings=(replace(A, quota=99),)))) == []
    rest = replace(A, qty=150, sellable=150, quota=150)
    assert quantities(make_plan(replace(LONG_ONLY, holdings=(rest,)))) == [("600001.SH", 150)]


class SmallestFirst(RulebookDisposal):
    """Another broker's contract."""

    def sales(self, holdings: Sequence[Holding]) -> Sequence[Holding]:
        return sorted(holdings, key=lambda item: item.qty * item.mark)


def test_another_strategy_sells_in_another_order_within_the_same_rules() -> None:
    plan = make_plan(LONG_ONLY, SmallestFirst())
    assert [security for security, _ in quantities(plan)] == ["688001.SH", "600001.SH"]
    assert plan.achieved


@pytest.mark.parametrize(("day", "kind", "open_at_1458"), [
    ("2018-08-17", "stock", True), ("2018-08-20", "stock", False),
    ("2026-07-03", "etf", True), ("2026-07-06", "etf", False),
])  # fmt: skip
def test_shanghai_got_its_closing_calls_on_two_days(day: str, kind: str, open_at_1458: bool) -> None:
    minute = 14 * 60 + 58
    assert trades_at("600000.SH", kind, parse_day(day), minute) is open_at_1458
    assert not trades_at("000001.SZ", kind, parse_day(day), minute)


@pytest.mark.parametrize(("clock", "trades", "before"), [
    ((9, 29), False, 0), ((9, 30), True, 0), ((11, 29), True, 119), ((11, 30), False, 120),
    ((12, 59), False, 120), ((13, 0), True, 120), ((14, 56), True, 236), ((14, 57), False, 237),
])  # fmt: skip
def test_continuous_trading_has_a_beginning_a_noon_and_an_end(
    clock: tuple[int, int], trades: bool, before: int
) -> None:
    day, minute = parse_day("2025-04-07"), clock[0] * 60 + clock[1]
    assert trades_at("000001.SZ", "stock", day, minute) is trades
    assert minutes_traded(continuous_windows("000001.SZ", "stock", day), minute) == before


@pytest.mark.parametrize(("recent", "since", "most"), [
    (1_000, 1_000, 200), (999, 999, 199), (499, 499, 99), (499, 500, 100), (0, 10_000, 100), (0, 499, 0),
])  # fmt: skip
def test_a_quota_is_a_share_of_the_recent_volume_or_one_lot_that_was_saved_up(
    recent: int, since: int, most: int
) -> None:
    assert quota(Traded(recent, since), 2_000, 100) == most


def test_a_shards_quota_is_its_part_of_the_firms() -> None:
    assert quota(Traded(10_000, 10_000), 2_000, 100, own=1, firm=4) == 500


def test_an_average_slice_is_its_part_of_the_average_day() -> None:
    assert average_slice(474_000, 237, 5) == 10_000
