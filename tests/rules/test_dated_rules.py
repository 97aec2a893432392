"""Dated parameters as they apply on a day: golden table 0.2, costs, lots, limits (E12), cage (E11), haircut
caps.
"""

import pytest

from agents.rules.cage import buy_base, cage_ceiling, cage_floor, sell_base
from agents.rules.costs import buy_cost, cost_milli, sell_cost
from agents.rules.haircuts import Traits, haircut_cap
from agents.rules.initial_margin import initial_margin
from agents.rules.limits import PriceLimits, first_day_limits, free_of_limits, price_limits
from agents.rules.lots import is_legal_buy, is_legal_sale, lot, round_down, round_up, sale_of_at_least, split
from agents.rules.overlay import overlay
from agents.rules.schedule import built_in
from schemas.units import parse_day

NOW = parse_day("2025-04-07")

GOLDEN = """
2010-03-31 0.50 0.50 0.50
2015-08-04 0.50 0.50 0.50
2015-11-20 0.50 0.50 0.50
2015-11-23 1.00 0.50 0.50
2023-09-08 1.00 0.50 0.50
2023-09-11 0.80 0.50 0.50
2023-10-27 0.80 0.50 0.50
2023-10-30 0.80 0.80 1.00
2024-07-19 0.80 0.80 1.00
2024-07-22 0.80 1.00 1.20
2026-01-16 0.80 1.00 1.20
2026-01-19 1.00 1.00 1.20
2026-07-06 1.00 1.00 1.20
"""


@pytest.mark.parametrize("line", GOLDEN.split("\n")[1:-1])
def test_initial_margin_by_the_day_a_contract_is_opened(line: str) -> None:
    date, *expected = line.split()
    day = parse_day(date)
    found = [
        initial_margin("financing", day),
        initial_margin("lending", day, "individual"),
        initial_margin("lending", day, "private_fund"),
    ]
    assert [f"{ratio / 10_000:.2f}" for ratio in found] == expected
    assert initial_margin("financing", day, "private_fund") == found[0]


def test_before_the_business_began_its_first_ratio_stands_in() -> None:
    assert initial_margin("financing", parse_day("1999-01-04")) == 5_000
    with pytest.raises(ValueError, match="not a contract type"):
        initial_margin("option", NOW)


@pytest.mark.parametrize(
    ("date", "sell", "buy"),
    [
        ("2007-06-01", 3_250, 3_250),
        ("2008-05-05", 1_250, 1_250),
        ("2015-07-08", 1_250, 250),
        ("2018-06-13", 1_270, 270),
        ("2022-04-29", 1_260, 260),
        ("2023-08-28", 760, 260),
        ("2025-04-07", 760, 260),
    ],
)
def test_costs_of_a_stock_by_date_with_a_commission_of_a_quarter_per_mille(
    date: str, sell: int, buy: int
) -> None:
    day = parse_day(date)
    assert (sell_cost(day, 250, "stock"), buy_cost(day, 250, "stock")) == (sell, buy)
    assert (sell_cost(day, 250, "etf"), buy_cost(day, 250, "etf")) == (250, 250)


def test_a_cost_is_cut_to_whole_thousandths() -> None:
    assert cost_milli(1_000_000, 760) == 760
    assert cost_milli(1_999, 760) == 1


@pytest.mark.parametrize(
    ("board", "base", "lowest", "highest"),
    [
        ("main", 3_200, 3_100, 3_300),
        ("main", 5_000, 4_900, 5_100),
        ("main", 50_000, 49_000, 51_000),
        ("star", 3_200, 3_140, 3_260),
        ("chinext", 50_000, 49_000, 51_000),
        ("bse", 1_820, 1_720, 1_920),
        ("bse", 20_000, 19_000, 21_000),
    ],
)
def test_e11_the_price_cage(board: str, base: int, lowest: int, highest: int) -> None:
    assert cage_floor(board, "stock", NOW, base) == lowest
    assert cage_ceiling(board, "stock", NOW, base) == highest


def test_no_cage_for_funds_nor_before_a_board_had_one() -> None:
    assert cage_floor("main", "etf", NOW, 3_200) is None
    assert cage_ceiling("main", "etf", NOW, 3_200) is None
    assert cage_floor("main", "stock", parse_day("2023-04-07"), 3_200) is None
    assert cage_floor("main", "stock", parse_day("2023-04-10"), 3_200) == 3_100


def test_the_cage_stands_on_the_own_side_of_the_book_then_the_other_then_the_last_price() -> None:
    assert sell_base(10, 11, 12, 13) == 10
    assert sell_base(0, 11, 12, 13) == 11
    assert sell_base(0, 0, 12, 13) == 12
    assert sell_base(-1, -1, -1, 13) == 13
    assert sell_base(-1, -1, -1, -1) is None
    assert buy_base(10, 11, 12, 13) == 11
    assert buy_base(10, 0, 12, 13) == 10


@pytest.mark.parametrize(
    ("board", "st", "date", "prev_close", "down", "up"),
    [
        ("main", False, "2025-04-07", 10_030, 9_030, 11_030),
        ("star", False, "2025-04-07", 10_030, 8_020, 12_040),
        ("main", True, "2026-06-30", 1_700, 1_620, 1_790),
        ("main", True, "2026-07-06", 1_870, 1_680, 2_060),
        ("main", True, "2026-07-03", 1_870, 1_780, 1_960),
        ("chinext", False, "2025-04-07", 7_900, 6_320, 9_480),
        ("chinext", False, "2020-08-21", 10_000, 9_000, 11_000),
        ("chinext", True, "2025-04-07", 10_000, 8_000, 12_000),
        ("chinext", True, "2020-08-21", 10_000, 9_500, 10_500),
    ],
)
def test_e12_price_limits_are_rounded_half_up(
    board: str, st: bool, date: str, prev_close: int, down: int, up: int
) -> None:
    assert price_limits(board, "stock", parse_day(date), prev_close, st=st) == PriceLimits(down, up)


def test_e12_the_upper_limit_observed_on_the_beijing_exchange() -> None:
    assert price_limits("bse", "stock", NOW, 1_820) == PriceLimits(1_270, 2_360)
    half_up = overlay(
        built_in(),
        'schema: 1\nparameters: {limit_rounding_bse: {entries: [{from: "2021-11-15", value: half_up, conf: P,'
        " source: our board}]}}",
    )
    assert price_limits("bse", "stock", NOW, 1_820, schedule=half_up) == PriceLimits(1_270, 2_370)


def test_a_stock_that_leaves_the_main_board_has_its_own_limit_even_under_a_risk_warning() -> None:
    assert price_limits("main", "stock", NOW, 10_000, st=True, delisting=True) == PriceLimits(9_000, 11_000)
    assert price_limits("star", "stock", NOW, 10_000, delisting=True) == PriceLimits(8_000, 12_000)


@pytest.mark.parametrize(
    ("board", "session", "date", "free"),
    [
        ("main", 1, "2023-04-07", False),
        ("main", 5, "2023-04-10", True),
        ("main", 6, "2023-04-17", False),
        ("star", 5, "2019-07-26", True),
        ("star", 6, "2019-07-29", False),
        ("chinext", 1, "2020-08-21", False),
        ("chinext", 1, "2020-08-24", True),
        ("bse", 1, "2021-11-15", True),
        ("bse", 2, "2021-11-16", False),
    ],
)
def test_days_of_a_new_listing_without_limits(board: str, session: int, date: str, free: bool) -> None:
    assert free_of_limits(board, session, parse_day(date)) is free


def test_the_first_day_of_the_delisting_period_has_no_limit() -> None:
    assert free_of_limits("main", 1, NOW, delisting=True)
    assert not free_of_limits("main", 2, NOW, delisting=True)
    assert not free_of_limits("main", 1, parse_day("2012-12-31"), delisting=True)


def test_the_first_day_of_a_main_board_listing_once_had_limits_around_the_issue_price() -> None:
    assert first_day_limits("main", 10_000, parse_day("2023-04-07")) == PriceLimits(6_400, 14_400)
    assert first_day_limits("main", 10_000, parse_day("2023-04-10")) is None
    assert first_day_limits("star", 10_000, parse_day("2023-04-07")) is None


def test_limits_where_there_are_none_and_in_the_steps_of_a_fund() -> None:
    assert price_limits("main", "bond", NOW, 100_000) is None
    assert price_limits("star", "stock", parse_day("2019-07-19"), 10_000) is None
    assert price_limits("main", "etf", NOW, 1_005) == PriceLimits(905, 1_106)


def test_lots_by_board() -> None:
    main, star, bse = lot("main", "stock", NOW), lot("star", "stock", NOW), lot("bse", "stock", NOW)
    assert [round_up(rule, 3_345) for rule in (main, star, bse)] == [3_400, 3_345, 3_345]
    assert [round_up(rule, 1) for rule in (main, star, bse)] == [100, 200, 100]
    assert [round_down(rule, 199) for rule in (main, star, bse)] == [100, 0, 199]
    assert lot("star", "etf", NOW) == lot("main", "fund", NOW)
    assert lot("bse", "stock", parse_day("2021-11-12")) == bse
    with pytest.raises(KeyError):
        lot("moon", "stock", NOW)


def test_an_odd_remainder_is_sold_only_with_everything_else() -> None:
    main = lot("main", "stock", NOW)
    assert sale_of_at_least(main, 50_904, 50_950) == 50_950
    assert sale_of_at_least(main, 50_010, 50_950) == 50_100
    assert sale_of_at_least(main, 10, 50) == 50
    assert sale_of_at_least(main, 0, 50) == 0
    assert is_legal_sale(main, 50_950, 50_950)
    assert not is_legal_sale(main, 50_050, 50_950)
    assert not is_legal_sale(main, 100, 50)
    assert is_legal_buy(main, 100)
    assert not is_legal_buy(main, 150)


@pytest.mark.parametrize(
    ("board", "qty", "sizes"),
    [
        ("main", 1_000_000, [1_000_000]),
        ("main", 2_300_000, [1_000_000, 1_000_000, 300_000]),
        ("main", 1_000_050, [999_900, 150]),
        ("star", 100_150, [99_950, 200]),
        ("star", 150, [150]),
        ("chinext", 300_100, [300_000, 100]),
        ("main", 0, []),
    ],
)
def test_large_quantities_are_split_into_legal_orders(board: str, qty: int, sizes: list[int]) -> None:
    assert split(lot(board, "stock", NOW), qty) == sizes


@pytest.mark.parametrize(
    ("traits", "date", "cap"),
    [
        (Traits("stock", index_member=True), "2025-04-07", 7_000),
        (Traits("stock"), "2025-04-07", 6_500),
        (Traits("etf"), "2025-04-07", 9_000),
        (Traits("treasury"), "2025-04-07", 9_500),
        (Traits("bond"), "2025-04-07", 8_000),
        (Traits("fund"), "2025-04-07", 8_000),
        (Traits("warrant"), "2025-04-07", 0),
        (Traits("cash_product"), "2025-04-07", 9_500),
        (Traits("cash_product"), "2014-04-07", 8_000),
        (Traits("stock", st=True), "2025-04-07", 0),
        (Traits("stock", st=True), "2010-04-07", 6_500),
        (Traits("stock", delisting=True), "2025-04-07", 0),
        (Traits("stock", pe_static=299_999_999), "2025-04-07", 6_500),
        (Traits("stock", pe_static=300_000_000), "2025-04-07", 0),
        (Traits("stock", pe_static=-1), "2016-12-12", 0),
        (Traits("stock", pe_static=-1), "2016-12-09", 6_500),
        (Traits("index"), "2025-04-07", 0),
    ],
)
def test_haircut_caps_by_class_and_date(traits: Traits, date: str, cap: int) -> None:
    assert haircut_cap(traits, parse_day(date)) == cap
