"""Which securities may be bought on credit or sold short (rulebook 10): both sides of each criterion."""

from dataclasses import replace
from typing import Any

import pytest

from agents.rules.eligibility import (
    FINANCING,
    LENDING,
    Candidate,
    FundCandidate,
    taken_off,
    underlying,
    unmet_by_fund,
    unmet_by_stock,
)
from schemas.reference import SecurityReference
from schemas.units import parse_day

YUAN, PERCENT, MILLION, BILLION = 1_000, 10_000, 10**6, 10**9
DAY = parse_day("2015-06-15")
GOOD = Candidate(
    board="main",
    listed=parse_day("2010-01-04"),
    float_shares=200 * MILLION,
    float_value=0,
    holders=4_000,
    turnover=15_000,
    benchmark_turnover=100_000,
    daily_value=0,
    change=-4 * PERCENT,
    benchmark_change=0,
    amplitude=50 * PERCENT,
    benchmark_amplitude=10 * PERCENT,
)


def test_a_stock_on_every_line_is_eligible_for_both() -> None:
    assert unmet_by_stock(GOOD, FINANCING, DAY) == ()
    assert unmet_by_stock(GOOD, LENDING, DAY) == ()


@pytest.mark.parametrize(
    ("business", "change", "unmet"),
    [
        (LENDING, {"float_shares": 200 * MILLION - 1}, "eligibility_lending_float_shares"),
        (LENDING, {"float_shares": 0, "float_value": 800 * MILLION * YUAN}, None),
        (
            LENDING,
            {"float_shares": 0, "float_value": 800 * MILLION * YUAN - 1},
            "eligibility_lending_float_shares",
        ),
        (FINANCING, {"float_shares": 100 * MILLION}, None),
        (FINANCING, {"float_shares": 100 * MILLION - 1}, "eligibility_financing_float_shares"),
        (FINANCING, {"float_shares": None, "float_value": 500 * MILLION * YUAN}, None),
        (FINANCING, {"holders": 3_999}, "eligibility_holders"),
        (FINANCING, {"holders": None}, "eligibility_holders"),
        (FINANCING, {"turnover": 14_999, "daily_value": 50 * MILLION * YUAN}, None),
        (
            FINANCING,
            {"turnover": 14_999, "daily_value": 50 * MILLION * YUAN - 1},
            "eligibility_turnover_share",
        ),
        (FINANCING, {"change": -4 * PERCENT - 1}, "eligibility_deviation"),
        (FINANCING, {"change": 4 * PERCENT}, None),
        (FINANCING, {"amplitude": 50 * PERCENT + 1}, "eligibility_volatility_multiple"),
        (FINANCING, {"amplitude": None}, "eligibility_volatility_multiple"),
        (FINANCING, {"change": None}, "eligibility_deviation"),
        (FINANCING, {"turnover": None}, "eligibility_turnover_share"),
        (FINANCING, {"reformed": False}, "eligibility_reformed"),
        (FINANCING, {"st": True}, "eligibility_removed_on_st"),
        (FINANCING, {"delisting": True}, "eligibility_removed_on_delisting"),
        (FINANCING, {"listed": parse_day("2015-03-15")}, "eligibility_listed_months"),
        (FINANCING, {"listed": parse_day("2015-03-14")}, None),
    ],
)
def test_each_criterion_on_both_sides_of_its_line(
    business: str, change: dict[str, Any], unmet: str | None
) -> None:
    expected = () if unmet is None else (unmet,)
    assert unmet_by_stock(replace(GOOD, **change), business, DAY) == expected


def test_until_2011_turnover_had_a_higher_line_and_no_way_round_it() -> None:
    thin = replace(GOOD, turnover=19_999, daily_value=BILLION * YUAN)
    assert unmet_by_stock(thin, FINANCING, parse_day("2011-11-24")) == ("eligibility_turnover_share",)
    assert unmet_by_stock(thin, FINANCING, parse_day("2011-11-25")) == ()


@pytest.mark.parametrize(
    ("board", "listed", "eligible"),
    [
        ("star", "2019-07-22", True),
        ("chinext", "2020-08-21", False),
        ("chinext", "2020-08-24", True),
        ("main", "2023-04-07", False),
        ("main", "2023-04-10", True),
        ("bse", "2023-04-10", False),
    ],
)
def test_registered_listings_are_underlyings_from_their_first_day(
    board: str, listed: str, eligible: bool
) -> None:
    day = parse_day(listed)
    assert (unmet_by_stock(Candidate(board, day, registered=True), FINANCING, day) == ()) == eligible


@pytest.mark.parametrize(
    ("day", "fund", "unmet"),
    [
        ("2011-11-24", FundCandidate("SZ", 0, 999, 2 * BILLION * YUAN, 4_000), ("eligibility_etf_size",)),
        ("2011-11-25", FundCandidate("SZ", 0, 999, 2 * BILLION * YUAN, 4_000), ()),
        ("2012-05-21", FundCandidate("SH", 0, 999, 2 * BILLION * YUAN, 4_000), ()),
        ("2011-11-25", FundCandidate("SZ", 0, 999, 2 * BILLION * YUAN - 1, 4_000), ("eligibility_etf_size",)),
        ("2011-11-25", FundCandidate("SZ", 0, 999, 2 * BILLION * YUAN, 3_999), ("eligibility_etf_holders",)),
        ("2012-05-22", FundCandidate("SH", 0, 5, 10 * BILLION * YUAN, 10_000, 30, 500 * BILLION * YUAN), ()),
        (
            "2012-05-22",
            FundCandidate("SH", 0, 4, 10 * BILLION * YUAN, 10_000, 29, 500 * BILLION * YUAN),
            ("eligibility_etf_listed_sessions_sh", "eligibility_etf_index_stocks_sh"),
        ),
    ],
)
def test_exchange_traded_funds_by_date_and_exchange(
    day: str, fund: FundCandidate, unmet: tuple[str, ...]
) -> None:
    assert unmet_by_fund(fund, parse_day(day)) == unmet


def test_a_published_list_wins_over_the_criteria() -> None:
    assert underlying(True, ("eligibility_holders",)) is True
    assert underlying(False, ()) is False
    assert underlying(None, ()) is True
    assert underlying(None, ("eligibility_holders",)) is False
    assert underlying(None, None) is None


def test_risk_warning_takes_a_security_off_the_lists_that_day() -> None:
    day = parse_day("2020-05-06")
    plain = SecurityReference("600000.SH", day, "stock", "main")
    assert not taken_off(plain, day)
    assert taken_off(replace(plain, st=True), day)
    assert taken_off(replace(plain, delisting=True), day)
