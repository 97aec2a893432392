"""When contracts fall due: term, extensions by date, holidays, suspension, delisting (rulebook 7.6)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.books.maturities import accounts_matured
from agents.rules.maturity import last_weekday, months_later, next_weekday
from schemas.units import format_day, parse_day
from tests.books.told import Story, broker, financing, lending
from tests.margin.books import BANK, CHIPS


def due(story: Story, name: str = "F") -> tuple[str, str]:
    """(agreed date, day it falls due) of a contract."""
    books = story.book.core.desk.books
    row = books.contract_named(books.accounts.index["A1"], name)
    return format_day(books.contracts.due[row]), format_day(books.contracts.maturity[row])


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2024-03-01", 6, "2024-09-01"),
        ("2015-08-31", 6, "2016-02-29"),
        ("2014-08-31", 6, "2015-02-28"),
        ("2024-08-30", 6, "2025-02-28"),
        ("2024-12-31", 0, "2024-12-31"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_months_end_on_the_same_day_or_the_last_of_the_month(day: str, months: int, later: str) -> None:
    assert format_day(months_later(parse_day(day), months)) == later


@given(st.integers(7_305, 84_000))
def test_weekends_lie_between_friday_and_monday(day: int) -> None:
    told = date(1970, 1, 1) + timedelta(day)
    ahead, back = next_weekday(day) - day, day - last_weekday(day)
    assert (ahead, back) == {5: (2, 1), 6: (1, 2)}.get(told.weekday(), (0, 0))


def test_a_contract_without_due_date_ends_after_six_months() -> None:
    story = Story("2024-02-29").open(financing("1000", "2024-01-15"))
    story.fill("financing_buy", BANK, 100, "8", contract="G")
    assert due(story) == ("2024-07-15", "2024-07-15")
    assert due(story, "G") == ("2024-08-29", "2024-08-29")


def test_an_old_contract_of_an_opening_has_been_extended_where_that_was_allowed() -> None:
    assert due(Story("2024-02-29").open(financing("1000", "2022-07-20")))[0] == "2024-07-20"
    assert due(Story("2024-07-19").open(financing("1000", "2022-07-20")))[0] == "2024-07-20"
    assert due(Story("2024-07-22").open(financing("1000", "2022-07-20")))[0] == "2025-01-20"
    assert due(Story("2015-07-01").open(financing("1000", "2014-07-21")))[0] == "2015-01-21"
    assert due(Story("2015-07-02").open(financing("1000", "2014-07-21")))[0] == "2015-07-21"


def test_a_contract_falls_due_on_its_day() -> None:
    story = Story("2024-03-04").open(financing("1000", "2024-01-15", due="2024-03-06"))
    assert story.matured() == []
    assert story.begin("2024-03-05").matured() == []
    assert story.begin("2024-03-06").matured() == ["F"]
    assert story.begin("2024-03-07").matured() == ["F"]
    books = story.book.core.desk.books
    assert accounts_matured(books, parse_day("2024-03-06")).tolist() == [0]
    assert accounts_matured(books, parse_day("2024-03-05")).tolist() == []


def test_a_contract_due_on_a_weekend_falls_due_on_friday() -> None:
    story = Story("2024-03-07").open(financing("360000", "2024-01-15", due="2024-03-10", rate="0"))
    assert due(story) == ("2024-03-10", "2024-03-08")
    assert story.matured() == []
    assert story.begin("2024-03-08").matured() == ["F"]
    assert story.begin("2024-03-11").owed() == "540.00"


def test_a_holiday_is_known_when_the_next_trading_day_begins() -> None:
    """Qingming: Thursday 4 and Friday 5 April 2024."""
    story = Story("2024-04-03").open(financing("1000", "2024-01-15", due="2024-04-04"))
    assert story.matured() == []
    assert story.begin("2024-04-08").matured() == ["F"]
    assert due(story) == ("2024-04-04", "2024-04-03")


def test_in_a_gap_longer_than_any_holiday_the_due_date_stays() -> None:
    """Twelve calendar days may be a Spring Festival; in thirteen trading days are missing."""
    for day, falls in (("2024-04-15", "2024-04-03"), ("2024-04-16", "2024-04-09")):
        story = Story("2024-04-03").open(financing("1000", "2024-01-15", due="2024-04-09"))
        assert story.begin(day).matured() == ["F"]
        assert due(story) == ("2024-04-09", falls)


def test_by_option_a_holiday_moves_the_due_date_forward() -> None:
    rules = broker("contract_maturity_holiday", "next")
    story = Story("2024-04-03", rules)
    story.open(
        financing("360000", "2024-01-15", due="2024-04-04", rate="0"),
        financing("1", "2024-01-15", "G", due="2024-04-07"),
    )
    assert due(story, "G") == ("2024-04-07", "2024-04-08")
    assert story.begin("2024-04-08").matured() == ["F", "G"]
    assert due(story) == ("2024-04-04", "2024-04-08")
    assert story.owed() == "0.00"
    assert story.begin("2024-04-09").owed() == "180.00"


def test_a_suspended_security_holds_its_contracts_open_until_it_trades_again() -> None:
    story = Story("2024-03-05")
    story.open(financing("360000", "2024-01-15", due="2024-03-07", rate="0"))
    story.at("2024-03-06", "08:00").session("pre_open")
    story.security(BANK, suspended=True)
    assert story.begin("2024-03-07").matured() == []
    assert story.begin("2024-03-08").matured() == []
    story.security(BANK, suspended=True)
    assert story.begin("2024-03-11").matured() == []
    story.at("2024-03-12", "08:00").security(BANK, suspended=False)
    assert story.begin("2024-03-12").matured() == ["F"]
    assert due(story) == ("2024-03-07", "2024-03-12")
    assert story.owed() == "0.00"
    assert story.begin("2024-03-13").owed() == "180.00"


def test_a_suspension_told_on_the_day_itself_holds_a_contract_open() -> None:
    story = Story("2024-03-07").open(financing("1000", "2024-01-15", due="2024-03-07"))
    assert story.matured() == ["F"]
    assert story.security(BANK, suspended=True).matured() == []
    assert story.begin("2024-03-08").matured() == []
    assert story.security(BANK, suspended=False).matured() == ["F"]


def test_a_contract_that_fell_due_within_the_suspension_is_open_whenever_that_is_told() -> None:
    for since, names in (("2024-03-01", []), ("2024-03-05", ["F"])):
        story = Story("2024-03-07").open(financing("1000", "2024-01-15", due="2024-03-04"))
        assert story.matured() == ["F"]
        assert story.security(BANK, suspended=True, suspended_since=since).matured() == names
        story.open(financing("1000", "2024-01-15", due="2024-03-04"))
        assert story.matured() == names


def test_a_broker_may_let_suspended_contracts_fall_due() -> None:
    story = Story("2024-03-06", broker("contract_suspension_extends", "false"))
    story.open(financing("1000", "2024-01-15", due="2024-03-07")).security(BANK, suspended=True)
    assert story.begin("2024-03-07").matured() == ["F"]


def test_what_was_overdue_before_a_suspension_stays_overdue() -> None:
    story = Story("2024-03-05").open(financing("1000", "2024-01-15", due="2024-03-06"))
    story.begin("2024-03-06").begin("2024-03-07").security(BANK, suspended=True)
    assert story.begin("2024-03-08").matured() == ["F"]


def test_a_contract_ends_before_the_last_trading_day_of_its_security() -> None:
    story = Story("2024-03-05").open(financing("1000", "2024-01-15"), lending(100, "2024-01-15"))
    story.security(BANK, delisting=True, last_trading_day="2024-03-18")
    story.begin("2024-03-14")
    assert due(story) == ("2024-07-15", "2024-03-15")
    assert story.matured() == []
    assert story.begin("2024-03-15").matured() == ["F"]
    story.open(financing("1000", "2024-01-15", due="2024-03-14"))
    assert due(story) == ("2024-03-14", "2024-03-14")


@pytest.mark.parametrize(
    ("day", "new", "refused"),
    [
        ("2015-07-01", "2015-12-07", True),
        ("2015-07-02", "2015-12-07", False),
        ("2024-03-04", "2024-06-07", True),
        ("2024-03-04", "2024-06-08", False),
        ("2024-03-04", "2024-12-07", False),
        ("2024-03-04", "2024-12-08", True),
        ("2024-03-04", "2024-03-01", True),
    ],
)
def test_an_extension_is_later_than_the_due_date_by_six_months_at_most_from_2015_07_02(
    day: str, new: str, refused: bool
) -> None:
    story = Story(day).open(financing("1000", "2015-01-15", due=f"{day[:4]}-06-07"))
    if refused:
        assert story.refused("extend", contract="F", due=new) == "due"
    else:
        story.event("extend", contract="F", due=new)
        assert due(story)[0] == new


def test_an_extension_of_an_overdue_contract_may_not_end_in_the_past() -> None:
    story = Story("2024-03-04").open(financing("1000", "2024-01-15", due="2024-03-01"))
    assert story.refused("extend", contract="F", due="2024-03-03") == "due"
    story.event("extend", contract="F", due="2024-03-04")
    assert story.matured() == ["F"]
    story.event("extend", contract="F", due="2024-03-05")
    assert story.matured() == []


def test_a_contract_may_be_extended_any_number_of_times() -> None:
    story = Story("2024-03-04").open(financing("1000", "2024-01-15", due="2024-03-05"))
    for new in ("2024-09-05", "2025-03-05", "2025-09-05"):
        story.event("extend", contract="F", due=new)
    assert due(story)[0] == "2025-09-05"


def test_an_extension_keeps_the_margin_ratio_fixed_when_the_contract_was_opened() -> None:
    """Opened at 50 % before the notice of 2015-11-23; extended after it (rulebook 3.2)."""
    story = Story("2015-11-20").open()
    story.fill("financing_buy", BANK, 100, "8", contract="OLD")
    story.begin("2015-11-23").fill("financing_buy", BANK, 100, "8", contract="NEW")
    story.event("extend", contract="OLD", due="2016-11-20")
    story.security(BANK, financing_margin="1.20")
    contracts = story.book.core.desk.books.contracts
    assert dict(zip(contracts.names, contracts.used("margin_ratio").tolist(), strict=True)) == {
        "OLD": 5_000,
        "NEW": 10_000,
    }


@pytest.mark.parametrize(
    ("new", "refused"),
    [("2024-03-03", True), ("2024-03-04", False), ("2024-09-04", False), ("2024-09-05", True)],
)
def test_a_new_contract_ends_within_six_months(new: str, refused: bool) -> None:
    story = Story("2024-03-04").open()
    fill: dict[str, Any] = {
        "business": "short_sell",
        "security": CHIPS,
        "qty": 100,
        "price": "30",
        "contract": "L",
    }
    if refused:
        assert story.refused("fill", **fill, due=new) == "due"
    else:
        story.event("fill", **fill, due=new)
        assert due(story, "L")[0] == new


def test_an_opening_with_a_contract_due_before_it_was_opened_is_refused() -> None:
    story = Story("2024-03-04").open()
    contract = financing("1000", "2024-01-15", due="2024-01-14")
    assert story.refused("opening", cash="0", positions=[], contracts=[contract]) == "contracts"
