"""Interest of a contract: dated rates in segments that add up exactly, one rounding, penalty while overdue
(rulebook 9).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.rules.interest import interest_milli
from tests.books.told import Story, broker, financing, lending

MONEY = "360000"
"""1 % of it a year is 10.00 yuan a day."""


def test_a_preset_s_new_rate_counts_from_its_day_on() -> None:
    """1 to 10 March at 8 %: 9 days of 80 yuan; 10 to 15 March at 6 %: 5 days of 60 yuan."""
    story = (
        Story("2024-03-01")
        .rules("2006-08-21", financing_rate="0.08")
        .rules("2024-03-10", financing_rate="0.06")
    )
    story.open(financing(MONEY, "2024-03-01"), preset="X")
    assert story.owed() == "80.00"
    assert story.begin("2024-03-08").owed() == "560.00"
    assert story.begin("2024-03-11").owed() == "780.00"
    assert story.begin("2024-03-15").owed() == "1020.00"


def test_a_contract_with_a_rate_of_its_own_keeps_it() -> None:
    story = (
        Story("2024-03-01")
        .rules("2006-08-21", financing_rate="0.08")
        .rules("2024-03-10", financing_rate="0.06")
    )
    story.open(financing(MONEY, "2024-03-01", rate="0.08"), preset="X")
    assert story.begin("2024-03-15").owed() == "1120.00"


def test_a_rate_that_comes_in_after_its_date_counts_from_the_day_it_came_in() -> None:
    story = Story("2024-03-01").rules("2006-08-21", financing_rate="0.08")
    story.open(financing(MONEY, "2024-03-01"), preset="X").begin("2024-03-11")
    story.rules("2024-03-04", financing_rate="0.06")
    assert story.owed() == "800.00"
    assert story.begin("2024-03-12").owed() == "860.00"


def test_the_rate_of_the_day_of_opening_is_kept_for_that_day() -> None:
    story = Story("2024-03-01").rules("2006-08-21", financing_rate="0.08")
    story.open(financing(MONEY, "2024-03-01"), preset="X").rules("2024-03-01", financing_rate="0.06")
    assert story.owed() == "80.00"
    assert story.begin("2024-03-04").owed() == "200.00"


def test_an_opening_without_accrued_interest_knows_the_rates_since_it_was_opened() -> None:
    story = (
        Story("2024-03-15")
        .rules("2006-08-21", financing_rate="0.08")
        .rules("2024-03-10", financing_rate="0.06")
    )
    story.open(financing(MONEY, "2024-03-01"), preset="X")
    assert story.owed() == "1020.00"


def test_accrued_interest_covers_the_days_before_the_opening_event() -> None:
    story = (
        Story("2024-03-15")
        .rules("2006-08-21", financing_rate="0.08")
        .rules("2024-03-16", financing_rate="0.06")
    )
    story.open(financing(MONEY, "2024-03-01", accrued="7.77"), preset="X")
    assert story.owed() == "7.77"
    assert story.begin("2024-03-18").owed() == "207.77"


def test_a_set_preset_command_changes_the_rate_from_that_day_on() -> None:
    story = Story("2024-03-01").rules("2006-08-21", financing_rate="0.08", lending_rate="0.12")
    story.open(financing(MONEY, "2024-03-01"), lending(12_000, "2024-03-01")).begin("2024-03-05")
    assert story.owed("L") == "0.00"
    story.command("set_preset", preset="X")
    assert story.begin("2024-03-06").owed("F") == "80.00"
    assert story.owed("L") == "120.00"


def test_a_broker_may_let_new_rates_concern_new_contracts_only() -> None:
    story = Story("2024-03-01", broker("interest_rate_change", "new_contracts"))
    story.rules("2006-08-21", financing_rate="0.08").rules("2024-03-10", financing_rate="0.06")
    story.open(financing(MONEY, "2024-03-01"), preset="X").begin("2024-03-11")
    story.fill("financing_buy", "600000.SH", 36_000, "10", contract="NEW")
    story.begin("2024-03-12")
    assert story.owed() == "880.00"
    assert story.owed("NEW") == "60.00"


def test_then_an_old_contract_of_an_opening_keeps_the_rate_of_the_day_it_was_opened() -> None:
    story = Story("2024-03-15", broker("interest_rate_change", "new_contracts"))
    story.rules("2006-08-21", financing_rate="0.08").rules("2024-03-10", financing_rate="0.06")
    story.open(financing(MONEY, "2024-03-01"), financing(MONEY, "2024-03-11", "G", accrued="0"), preset="X")
    assert story.owed() == "1120.00"
    assert story.begin("2024-03-18").owed("G") == "180.00"


def test_what_is_overdue_costs_the_penalty_from_the_day_it_fell_due() -> None:
    """Rate 8 %, penalty 18 % a year of 360 days; due on Tuesday 5 March."""
    story = Story("2024-03-01").open(financing(MONEY, "2024-03-01", rate="0.08", due="2024-03-05"))
    assert story.begin("2024-03-05").owed() == "320.00"
    assert story.begin("2024-03-06").owed() == "580.00"
    story.event("repay", amount="180580", contract="F")
    assert story.begin("2024-03-08").owed() == "260.00"


def test_an_extension_ends_the_penalty() -> None:
    story = Story("2024-03-01").open(financing(MONEY, "2024-03-01", rate="0.08", due="2024-03-05"))
    story.begin("2024-03-05").begin("2024-03-06").event("extend", contract="F", due="2024-09-05")
    assert story.owed() == "580.00"
    assert story.begin("2024-03-07").owed() == "660.00"


def test_an_opening_of_an_overdue_contract_owes_the_penalty_since_it_fell_due() -> None:
    contract = financing(MONEY, "2024-03-01", rate="0.08", due="2024-03-05")
    assert Story("2024-03-11").open(contract).owed() == "1880.00"
    assert Story("2024-03-11").open(contract | {"accrued": "0"}).begin("2024-03-12").owed() == "260.00"


def test_a_broker_s_own_penalty_is_taken_from_its_file() -> None:
    contract = financing(MONEY, "2024-03-01", rate="0.08", due="2024-03-05")
    assert Story("2024-03-11", broker("interest_penalty_rate", '"0"')).open(contract).owed() == "800.00"


def test_a_lending_fee_runs_on_the_sale_price_of_what_is_not_returned() -> None:
    """12,000 shares sold at 30 yuan, 12 % a year: 120 yuan a day; half returned after ten days."""
    story = Story("2024-03-01").open(lending(12_000, "2024-03-01", rate="0.12")).begin("2024-03-11")
    story.event("return", security="688981.SH", qty=6_000)
    assert story.begin("2024-03-21").owed("L") == "1800.00"


steps = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 120_000), st.integers(0, 500)), min_size=1, max_size=8
)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10**9), steps)
def test_any_rates_and_repayments_give_the_exact_amount_rounded_once(
    principal: int, told: list[tuple[int, int, int]]
) -> None:
    """Against fractions: every step is some days at a new rate, then a part of the principal is repaid."""
    story = Story("2016-01-04").rules("2006-08-21", financing_rate="0")
    story.open(financing(f"{principal / 100:.2f}", "2016-01-04", due="2019-12-31"), preset="X")
    left, exact, paid = Fraction(principal * 10), Fraction(0), 0
    for days, rate, part in told:
        story.rules(story.day, financing_rate=f"{rate / 1_000_000:.6f}")
        if story.day == "2016-01-04":
            story.later(1)
            continue
        story.later(days)
        exact += left * days * rate / 360_000_000
        owed = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator) - paid
        assert Fraction(story.owed()) * 1000 == owed
        repaid = min(int(left), int(left) * part // 5000 * 10)
        due = (owed + 5) // 10 * 10
        if repaid:
            story.event("repay", amount=f"{(repaid + due) / 1000:.2f}")
            left, paid = left - repaid, paid + owed
        if not left:
            return


@given(st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 10**6)), max_size=6))
def test_segments_of_several_rates_add_up_before_they_are_rounded(segments: list[tuple[int, int]]) -> None:
    numerators = [days * rate for days, rate in segments]
    exact = sum((Fraction(numerator, 360_000_000) for numerator in numerators), Fraction(0))
    whole, remainder = divmod(sum(numerators), 360_000_000)
    assert whole + interest_milli(0, 0, remainder) == int(exact + Fraction(1, 2))


@given(st.lists(st.integers(0, 400), min_size=2, max_size=6, unique=True))
def test_cutting_a_stretch_of_one_rate_into_segments_changes_nothing(cuts: list[int]) -> None:
    days = sorted(cuts)
    before = sum((later - earlier) * 123_457 * 83_500 for earlier, later in pairwise(days[:-1]))
    last = (days[-1] - days[-2]) * 123_457
    assert interest_milli(last, 83_500, before) == interest_milli((days[-1] - days[0]) * 123_457, 83_500)
