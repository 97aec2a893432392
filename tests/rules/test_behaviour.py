"""Behaviour of orders: E16 of the rulebook, and both sides of every line."""

from __future__ import annotations

import pytest

from agents.rules.behaviour import (
    Cancelled,
    Minute,
    Spoofing,
    busiest_second,
    cancels_by_window,
    cancels_often,
    fast_cancels,
    is_high_frequency,
    large_in_short_time,
    order_rate,
    pushes,
    spoofing,
)
from agents.rules.schedule import built_in
from schemas.units import MILLI, parse_day

NOW = parse_day("2025-07-07")
MILLION = 1_000_000


@pytest.mark.parametrize(
    ("peak", "total", "high"),
    [(299, 19_999, False), (300, 300, True), (1, 20_000, True), (300, 20_000, True)],
)
def test_e16_high_frequency_is_300_a_second_or_20000_a_day(peak: int, total: int, high: bool) -> None:
    assert is_high_frequency(peak, total, NOW) is high


def test_before_there_was_a_definition_nobody_was_high_frequency() -> None:
    assert not is_high_frequency(10_000, MILLION, parse_day("2025-07-04"))
    assert order_rate(10_000, parse_day("2025-07-04")) == "calm"


def test_the_line_itself_does_not_count_where_it_is_read_exclusive() -> None:
    rules = built_in().with_boundary(hft_at="exclusive", behaviour_at="exclusive", spoof_at="exclusive")
    assert not is_high_frequency(300, 20_000, NOW, rules)
    assert is_high_frequency(301, 1, NOW, rules)
    assert order_rate(300, NOW, rules) == "alert"
    assert not spoofing(2, 1, 10 * MILLION * MILLI + 1, NOW, rules).flagged


def test_the_busiest_second_is_any_second_not_the_clocks() -> None:
    times = [0, 600, 999, 1_000, 1_400, 1_599, 1_600, 9_000]
    assert busiest_second(times) == 5
    assert busiest_second([]) == 0
    assert busiest_second([7] * 300) == 300


@pytest.mark.parametrize(
    ("peak", "verdict"), [(199, "calm"), (200, "alert"), (299, "alert"), (300, "breach")]
)
def test_an_abnormal_rate_of_orders_alerts_and_then_breaches(peak: int, verdict: str) -> None:
    assert order_rate(peak, NOW) == verdict


@pytest.mark.parametrize(
    ("fast", "cancelled", "orders", "often"),
    [(100, 40, 100, True), (99, 100, 100, False), (100, 39, 100, False), (100, 0, 0, False)],
)
def test_frequent_cancels_need_count_and_share(fast: int, cancelled: int, orders: int, often: bool) -> None:
    assert cancels_often(fast, cancelled, orders, NOW) is often


def test_a_cancel_counts_as_instantaneous_up_to_one_second() -> None:
    assert fast_cancels([(0, 0), (0, 1_000), (0, 1_001), (500, 1_400)]) == 3


def test_pushing_needs_three_minutes_with_move_and_share() -> None:
    moved = Minute(before=10_000, after=10_100, own=20, market=100)
    pressed = Minute(before=10_000, after=9_900, own=20, market=100)
    assert pushes([moved, pressed, moved], NOW)
    assert not pushes([moved, pressed], NOW)
    assert not pushes([moved, pressed, Minute(10_000, 10_099, 20, 100)], NOW)
    assert not pushes([moved, pressed, Minute(10_000, 10_100, 19, 100)], NOW)


@pytest.mark.parametrize(
    ("after", "own", "market", "large"),
    [
        (4_012_000, 100 * MILLION, 10_000 * MILLION, True),
        (3_988_000, 100 * MILLION, 10_000 * MILLION, True),
        (4_011_999, 100 * MILLION, 10_000 * MILLION, False),
        (4_012_000, 100 * MILLION - 1, 9_000 * MILLION, False),
        (4_012_000, 100 * MILLION, 10_000 * MILLION + 1, False),
    ],
)
def test_large_trades_in_a_short_time_need_move_amount_and_share(
    after: int, own: int, market: int, large: bool
) -> None:
    minute = Minute(before=4_000_000, after=after, own=own * MILLI, market=market * MILLI)
    assert large_in_short_time(minute, NOW) is large


@pytest.mark.parametrize(
    ("ordered", "cancelled", "yuan", "verdict"),
    [
        (11_000_000, 6_000_000, 12_000_000, Spoofing(flagged=True, reported=False)),
        (11_000_000, 6_000_000, 9_900_000, Spoofing(flagged=False, reported=False)),
        (10_000, 4_999, 50_000_000, Spoofing(flagged=False, reported=True)),
        (10_000, 5_000, 10_000_000, Spoofing(flagged=True, reported=False)),
        (0, 0, 0, Spoofing(flagged=False, reported=False)),
    ],
)
def test_e16_the_line_of_spoofing(ordered: int, cancelled: int, yuan: int, verdict: Spoofing) -> None:
    assert spoofing(ordered, cancelled, yuan * MILLI, NOW) == verdict


def test_the_measure_by_minute_side_and_price_band_is_not_diluted_by_the_rest_of_the_day() -> None:
    orders = [
        Cancelled(571, "B", 10_050, 6_000, 6_000),
        Cancelled(571, "B", 10_090, 1_000, 0),
        Cancelled(571, "S", 10_050, 90_000, 0),
        Cancelled(700, "B", 10_050, 90_000, 0),
        Cancelled(571, "B", 10_150, 50_000, 0),
    ]
    found = cancels_by_window(orders, band=100)
    assert found[571, "B", 100] == (7_000, 6_000, 60_300_000)
    assert len(found) == 4
