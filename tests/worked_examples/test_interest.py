"""E13: interest by actual days over 360, the first day counted and the day of repayment not (算头不算尾)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.oracle.driver import Driver
from tests.worked_examples.records import BANK, borrowed, financed, happens, opening
from tests.worked_examples.trading import morning

OPENED = date(2024, 3, 1)


def book_opened(contract: dict[str, Any], price: str = "30.00") -> Driver:
    """A rich account that owes one contract since 1 March 2024."""
    driver = Driver()
    morning(driver, {BANK: price}, OPENED)
    driver.event(opening(cash="1000000", held={BANK: 10_000}, owes=[contract], day=OPENED, clock="09:35"))
    return driver


def interest(driver: Driver) -> str:
    contracts = driver.account("A1")["evidence"]["contracts"]
    return str(contracts[0]["interest"])


def financing(rate: str) -> dict[str, Any]:
    return financed("400000", opened="2024-03-01", rate=rate)


def test_fourteen_days_at_86() -> None:
    driver = book_opened(financing("0.086"))
    morning(driver, {BANK: "30.00"}, date(2024, 3, 15))
    assert interest(driver) == "1337.778"


def test_opened_and_repaid_the_same_day_is_one_day() -> None:
    assert interest(book_opened(financing("0.086"))) == "95.556"


def test_fourteen_days_at_786() -> None:
    driver = book_opened(financing("0.0786"))
    morning(driver, {BANK: "30.00"}, date(2024, 3, 15))
    assert interest(driver) == "1222.667"


def test_thirty_days_of_a_short_of_300000() -> None:
    driver = book_opened(borrowed(BANK, 10_000, "30.00", opened="2024-03-01", rate="0.106"))
    morning(driver, {BANK: "30.00"}, date(2024, 3, 31))
    assert interest(driver) == "2650.00"


@pytest.mark.parametrize(("amount", "debt"), [("401337.78", "0.00"), ("401337.77", "0.01")])
def test_what_is_paid_is_rounded_to_a_fen_and_settles_the_thousandths(amount: str, debt: str) -> None:
    driver = book_opened(financing("0.086"))
    day = date(2024, 3, 15)
    morning(driver, {BANK: "30.00"}, day)
    assert driver.of("dead.letters", driver.event(happens("repay", amount=amount, day=day))) == []
    assert driver.account("A1")["debt"] == debt


def test_repaying_a_fen_more_than_is_owed_is_a_bad_record() -> None:
    driver = book_opened(financing("0.086"))
    day = date(2024, 3, 15)
    morning(driver, {BANK: "30.00"}, day)
    letters = driver.of("dead.letters", driver.event(happens("repay", amount="401337.79", day=day)))
    assert [letter["field"] for letter in letters] == ["amount"]
    assert driver.account("A1")["debt"] == "401337.778"


def test_a_weekend_counts_from_the_next_pre_open() -> None:
    """Friday 1 March to Monday 4 March: three days."""
    driver = book_opened(financing("0.36"))
    morning(driver, {BANK: "30.00"}, date(2024, 3, 4))
    assert interest(driver) == "1200.00"


def test_half_repaid_after_ten_days_and_seen_after_twenty() -> None:
    """400,000 x 10 days + 200,000 x 10 days at 36 %: 4,000 + 2,000; the 4,000 were paid with the half."""
    driver = book_opened(financing("0.36"))
    morning(driver, {BANK: "30.00"}, date(2024, 3, 11))
    driver.event(happens("repay", amount="204000", day=date(2024, 3, 11)))
    morning(driver, {BANK: "30.00"}, date(2024, 3, 21))
    assert driver.account("A1")["debt"] == "202000.00"
