"""Trading days of a worked example, told to the real core."""

from __future__ import annotations

from datetime import date

from tests.oracle.driver import Driver, Record
from tests.oracle.moments import at
from tests.worked_examples.records import MONDAY


def morning(driver: Driver, prices: dict[str, str], day: date = MONDAY) -> None:
    """The day begins, trading is continuous, and each security has traded once, at 09:31."""
    driver.session("pre_open", day, "09:00")
    driver.session("continuous", day, "09:30")
    for security, price in prices.items():
        driver.trade(security, at(day, "09:31"), price)


def events_of(records: list[Record]) -> list[str]:
    return [record["event"] for record in records]


def close_of(driver: Driver, day: date, prices: dict[str, str]) -> list[str]:
    """A whole further day that closes at these prices; the events of the calls it brought."""
    before = len(driver.outputs)
    morning(driver, prices, day)
    driver.session("clock", day, "15:00")
    driver.session("close", day, "15:01")
    driver.session("settled", day, "16:00")
    return events_of(driver.calls(driver.outputs[before:]))
