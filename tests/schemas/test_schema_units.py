"""Numbers between the wire and the inside: exact or refused."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord
from schemas.units import (
    LINE_MAX,
    MONEY_MAX,
    format_day,
    format_line,
    format_money,
    format_rate,
    format_ratio,
    parse_day,
    parse_scaled,
    shanghai_day,
    shanghai_minute,
)


@pytest.mark.parametrize(
    ("wire", "milli"),
    [
        ("1.230", 1230),
        ("1.2300000", 1230),
        ("0", 0),
        ("-0.001", -1),
        ("-0", 0),
        ("007.5", 7500),
        (12, 12000),
        (-0.0, 0),
        (1e2, 100000),
        (0.1 + 0.2 - 0.3 + 1, 1000),
        (10.25, 10250),
        (99999999999.999, 99999999999999),
    ],
)
def test_a_number_with_at_most_three_decimals_is_exact(wire: object, milli: int) -> None:
    assert parse_scaled(wire, 3) == milli


@pytest.mark.parametrize(
    "wire",
    [
        "1.2345",
        1.2345,
        0.0001,
        "",
        ".5",
        "5.",
        "1e2",
        "+1",
        " 1",
        "1 ",
        "1_0",
        "NaN",
        "Infinity",
        "٣.5",
        "１.5",
        "--1",
        "1.2.3",
        "-",
        "1,000",
        "9" * 40,
        float("nan"),
        float("inf"),
        1e300,
        True,
        None,
        [],
        {},
        b"1",
    ],
)
def test_anything_else_is_refused_never_rounded(wire: object) -> None:
    with pytest.raises(BadRecord):
        parse_scaled(wire, 3, "price")


@given(st.integers(-MONEY_MAX, MONEY_MAX))
def test_money_survives_the_wire_as_string_and_as_number(milli: int) -> None:
    assert parse_scaled(format_money(milli), 3) == milli
    assert parse_scaled(float(Decimal(milli) / 1000), 3) == milli


@given(st.integers(-MONEY_MAX, MONEY_MAX), st.integers(1, 9))
def test_a_fourth_decimal_is_seen_in_a_double_of_any_size(milli: int, digit: int) -> None:
    value = float(Decimal(milli) / 1000 + Decimal(digit) / 10000)
    with pytest.raises(BadRecord, match="more than 3 decimals"):
        parse_scaled(value, 3)


def test_money_has_two_decimals_and_a_third_only_when_it_says_something() -> None:
    assert [format_money(m) for m in (401234560, 1, -1230, 0, -500)] == [
        "401234.56",
        "0.001",
        "-1.23",
        "0.00",
        "-0.50",
    ]
    assert format_line(13000) == "1.30"
    assert format_line(12345) == "1.2345"
    assert format_rate(83500) == "0.0835"


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**15))
def test_a_ratio_is_rounded_half_up_from_the_exact_quotient(numerator: int, denominator: int) -> None:
    places = Decimal("0.000001")
    exact = (Decimal(numerator) / Decimal(denominator)).quantize(places, ROUND_HALF_UP)
    text = format_ratio(numerator, denominator)
    assert text is not None
    assert Decimal(text) == exact
    assert text != "-0.000000"


def test_a_ratio_without_debt_is_none_and_a_half_goes_up() -> None:
    assert format_ratio(5, 0) is None
    assert format_ratio(1, 2_000_000) == "0.000001"
    assert format_ratio(1_252_151, 1_000_000) == "1.252151"


def test_the_bounds_keep_a_comparison_within_int64() -> None:
    assert MONEY_MAX * LINE_MAX < 2**63


def test_days_are_counted_in_shanghai() -> None:
    midnight = 1_743_955_200_000
    assert format_day(shanghai_day(midnight)) == "2025-04-07"
    assert format_day(shanghai_day(midnight - 1)) == "2025-04-06"
    assert shanghai_minute(midnight + 9 * 3_600_000 + 25 * 60_000) == 9 * 60 + 25


@pytest.mark.parametrize(
    "text",
    [
        "2025-02-29",
        "2025-13-01",
        "2025-4-7",
        "20250407",
        "2025-W15-1",
        "1989-12-31",
        "2200-01-01",
        "２025-04-07",
    ],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(BadRecord):
        parse_day(text)


@given(st.integers(7305, 84005))
def test_a_day_survives_the_wire(day: int) -> None:
    assert parse_day(format_day(day)) == day
