"""Halts of the whole market and of one stock, options, leverage and brokers' add-ons: E18, E19, E20 and both
sides of every line.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from agents.rules.breaker import MarketHalt, market_halts, trades_in
from agents.rules.hours import continuous_windows
from agents.rules.leverage import fall_to_line, leverage, start_ratio
from agents.rules.margin_addons import with_addon
from agents.rules.options import OptionClient, Quote, may_buy_to_open, may_open, premium_cap, quotes_enough
from agents.rules.overlay import overlay
from agents.rules.schedule import Schedule, built_in
from agents.rules.stock_halts import Pause, pauses
from schemas.units import MILLI, parse_day


def minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def day_of_index(date: str, *levels: tuple[str, int], rules: Schedule | None = None) -> list[MarketHalt]:
    day = parse_day(date)
    windows = continuous_windows("000300.SZ", "stock", day)
    return market_halts([(minute(at), level) for at, level in levels], 10_000, windows, day, rules)


def test_e19_the_fourth_of_january_2016() -> None:
    found = day_of_index("2016-01-04", ("13:12", 9_501), ("13:13", 9_500), ("13:20", 9_200), ("13:33", 9_300))
    assert found == [
        MarketHalt(minute("13:13"), minute("13:28"), 1),
        MarketHalt(minute("13:33"), minute("14:57"), 2),
    ]
    assert trades_in(found, minute("13:12"))
    assert not trades_in(found, minute("13:13"))
    assert not trades_in(found, minute("13:27"))
    assert trades_in(found, minute("13:28"))
    assert not trades_in(found, minute("13:40"))


def test_e19_the_breaker_was_in_force_on_four_days_only() -> None:
    assert day_of_index("2016-01-08", ("10:00", 9_400)) == []
    assert day_of_index("2015-12-31", ("10:00", 9_000)) == []
    assert len(day_of_index("2016-01-07", ("09:42", 9_500), ("09:59", 9_300))) == 2


def test_the_breaker_works_in_both_directions_and_its_first_level_once_a_day() -> None:
    found = day_of_index("2016-01-05", ("10:00", 10_500), ("10:30", 9_500), ("10:31", 10_699))
    assert found == [MarketHalt(minute("10:00"), minute("10:15"), 1)]


def test_late_in_the_day_the_first_level_halts_to_the_close() -> None:
    assert day_of_index("2016-01-05", ("14:44", 9_500))[0].until == minute("14:57")
    assert day_of_index("2016-01-05", ("14:45", 9_500))[0].until == minute("14:57")
    assert day_of_index("2016-01-05", ("14:30", 9_500))[0].until == minute("14:45")


def test_the_lunch_break_does_not_count_for_a_halt() -> None:
    assert day_of_index("2016-01-05", ("11:20", 9_500))[0].until == minute("13:05")


def test_at_exactly_five_percent_an_exclusive_reading_does_not_halt() -> None:
    exclusive = built_in().with_boundary(breaker_at="exclusive")
    assert day_of_index("2016-01-05", ("10:00", 9_500), rules=exclusive) == []
    assert len(day_of_index("2016-01-05", ("10:00", 9_499), rules=exclusive)) == 1


def halts_of(board: str, date: str, *trades: tuple[str, int], rules: Schedule | None = None) -> list[Pause]:
    return pauses([(minute(at), price) for at, price in trades], 10_000, board, parse_day(date), rules)


def test_a_stock_without_a_limit_halts_at_30_and_60_percent_from_its_open() -> None:
    found = halts_of(
        "star", "2019-07-22", ("09:31", 12_990), ("09:32", 13_000), ("09:45", 15_990), ("09:46", 16_000)
    )
    assert found == [
        Pause(minute("09:32"), minute("09:42"), up=True, step=1),
        Pause(minute("09:46"), minute("09:56"), up=True, step=2),
    ]


def test_a_jump_through_both_lines_is_one_halt_and_each_direction_has_its_own() -> None:
    found = halts_of(
        "chinext", "2020-08-24", ("09:31", 16_000), ("09:42", 13_500), ("09:43", 6_900), ("10:00", 3_900)
    )
    assert [(pause.up, pause.step) for pause in found] == [(True, 2), (False, 1), (False, 2)]


def test_a_halt_ends_at_1457_and_none_begins_from_there() -> None:
    assert halts_of("main", "2023-04-10", ("14:50", 13_000))[0].until == minute("14:57")
    assert halts_of("main", "2023-04-10", ("14:57", 13_000)) == []


def test_on_the_main_boards_a_first_day_once_halted_at_ten_percent_for_half_an_hour() -> None:
    assert halts_of("main", "2023-04-07", ("09:31", 11_000)) == [
        Pause(minute("09:31"), minute("10:01"), up=True, step=1)
    ]
    assert halts_of("star", "2019-07-19", ("09:31", 20_000)) == []
    exclusive = built_in().with_boundary(stock_halt_at="exclusive")
    assert halts_of("main", "2023-04-10", ("09:31", 13_000), rules=exclusive) == []


OPTIONS_DAY = parse_day("2025-08-01")
E20 = OptionClient(assets=800_000 * MILLI, holdings=2_000_000 * MILLI)


def tightened() -> Schedule:
    return overlay(
        built_in(),
        "schema: 1\nparameters: {option_caps_combine: {entries: "
        '[{from: "2025-07-22", value: least, conf: V2, source: one broker}]}}',
    )


def test_e20_the_greatest_cap_holds_unless_the_brokers_preset_says_the_least() -> None:
    tiered = OptionClient(E20.assets, E20.holdings, strong=True, position_limit=2_000)
    assert premium_cap(E20, OPTIONS_DAY) == 400_000 * MILLI
    assert premium_cap(tiered, OPTIONS_DAY) == 400_000 * MILLI
    assert premium_cap(tiered, OPTIONS_DAY, tightened()) == 160_000 * MILLI
    assert premium_cap(OptionClient(E20.assets, 0), OPTIONS_DAY) == 80_000 * MILLI
    assert premium_cap(OptionClient(E20.assets, 0, strong=True), OPTIONS_DAY) == 160_000 * MILLI
    assert premium_cap(OptionClient(E20.assets, 0, position_limit=2_000), OPTIONS_DAY) == 240_000 * MILLI
    assert premium_cap(OptionClient(E20.assets, 0, position_limit=1_999), OPTIONS_DAY) == 80_000 * MILLI
    assert premium_cap(E20, parse_day("2019-12-06")) is None


def test_a_cap_stops_new_purchases_and_closes_nothing() -> None:
    assert may_buy_to_open(399_000 * MILLI, 1_000 * MILLI, E20, OPTIONS_DAY)
    assert not may_buy_to_open(399_000 * MILLI, 1_000 * MILLI + 1, E20, OPTIONS_DAY)
    assert not may_buy_to_open(500_000 * MILLI, 1, E20, OPTIONS_DAY)
    assert may_buy_to_open(500_000 * MILLI, 1, E20, parse_day("2019-12-06"))
    exclusive = built_in().with_boundary(option_within="exclusive")
    assert not may_buy_to_open(399_000 * MILLI, 1_000 * MILLI, E20, OPTIONS_DAY, exclusive)


def test_a_new_account_opens_up_to_its_position_limits() -> None:
    assert may_open(99, 199, 399, OPTIONS_DAY)
    assert not may_open(100, 100, 0, OPTIONS_DAY)
    assert not may_open(50, 200, 0, OPTIONS_DAY)
    assert not may_open(50, 100, 400, OPTIONS_DAY)
    assert may_open(100, 200, 400, parse_day("2019-12-06"))


def test_a_market_makers_quotes_stand_long_enough_and_close_enough() -> None:
    close, wide = Quote(985, 1_015, 10, 1_000, 900), Quote(985, 1_016, 10, 1_000, 900)
    assert quotes_enough([close], 10, 1_000, OPTIONS_DAY)
    assert not quotes_enough([wide], 10, 1_000, OPTIONS_DAY)
    assert not quotes_enough([close], 11, 1_000, OPTIONS_DAY)
    assert not quotes_enough([close], 10, 1_001, OPTIONS_DAY)
    assert quotes_enough([close], 10, 1_000, parse_day("2025-07-24")) is None


@pytest.mark.parametrize(
    ("ratio", "percent"),
    [(200, "35.0000"), (180, "27.7778"), (160, "18.7500"), (150, "13.3333"), (140, "7.1429")],
)
def test_e18_the_fall_that_takes_an_account_to_its_line(ratio: int, percent: str) -> None:
    fall = fall_to_line(ratio, 100, 13_000)
    assert f"{round(fall * 1_000_000):d}" == percent.replace(".", "").lstrip("0")


@pytest.mark.parametrize(
    ("margin", "cash", "stock"),
    [(10_000, "2.000000", "2.428571"), (8_000, "1.800000", "2.142857"), (5_000, "1.500000", "1.714286")],
)
def test_e18_the_ratio_after_full_use_of_the_collateral(margin: int, cash: str, stock: str) -> None:
    assert f"{round(start_ratio(margin) * 1_000_000):d}" == cash.replace(".", "")
    assert f"{round(start_ratio(margin, 7_000) * 1_000_000):d}" == stock.replace(".", "")


def test_leverage_at_the_lines() -> None:
    assert leverage(130, 100) == Fraction(13, 3)
    assert leverage(110, 100) == 11
    assert leverage(100, 100) is None


def chosen(formula: str) -> Schedule:
    return overlay(
        built_in(),
        "schema: 1\nparameters: {margin_addon: {entries: "
        f'[{{from: "2010-03-31", value: {formula}, conf: P, source: our board}}]}}}}',
    )


@pytest.mark.parametrize(
    ("formula", "date", "contract", "kind", "haircut", "asked"),
    [
        ("none", "2025-04-07", "financing", "stock", 7_000, 8_000),
        ("pilot", "2010-03-31", "financing", "stock", 7_000, 6_000),
        ("pilot", "2010-03-31", "lending", "stock", 7_000, 7_000),
        ("broker_2014", "2014-12-10", "financing", "stock", 7_000, 7_000),
        ("broker_2014", "2014-12-10", "lending", "stock", 7_000, 8_000),
        ("broker_2014", "2014-12-10", "financing", "etf", 9_000, 6_000),
        ("broker_2014", "2014-12-09", "financing", "stock", 0, 5_000),
        ("broker_2014", "2015-11-23", "financing", "stock", 7_000, 10_000),
        ("broker_2018", "2018-06-01", "financing", "stock", 7_000, 10_000),
        ("broker_2018", "2018-06-01", "financing", "stock", 6_500, 10_500),
        ("broker_2018", "2018-06-01", "lending", "stock", 6_500, 5_000),
        ("discount", "2025-04-07", "financing", "stock", 7_000, 11_000),
        ("discount", "2025-04-07", "lending", "stock", 6_500, 13_500),
    ],
)
def test_a_brokers_add_on_is_never_below_the_exchanges_minimum(
    formula: str, date: str, contract: str, kind: str, haircut: int, asked: int
) -> None:
    rules, day = chosen(formula), parse_day(date)
    minimum = rules.number(f"margin_{contract}", day)
    assert with_addon(minimum, contract, kind, haircut, day, rules) == asked
