"""The shipped summer of 2015: prices, corporate actions and what clients do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from schemas.units import format_day, parse_day
from streams.books.draw import draw_books
from streams.books.events import CONTRACT_DAYS
from streams.books.lives import Habits, Lives
from streams.crashes.crash_2015 import FIRST, LAST, STOCKS, Summer


@pytest.fixture(scope="module")
def summer() -> Summer:
    return Summer()


def test_every_trading_day_of_the_crash_is_there(summer: Summer) -> None:
    days = summer.trading_days()
    assert (len(days), days[0], days[-1], len(summer.names)) == (55, FIRST, LAST, STOCKS)
    assert parse_day("2015-06-22") not in days, "the Dragon Boat festival"


def test_the_great_limit_downs_are_in_it(summer: Summer) -> None:
    for date, at_least in (("2015-06-26", 600), ("2015-07-08", 250), ("2015-08-24", 700)):
        day = summer.day(parse_day(date))
        last = np.concatenate([quotes.prices["last"] for quotes in day.quotes])
        down = np.concatenate([quotes.prices["limit_down"] for quotes in day.quotes])
        names = np.concatenate([quotes.security for quotes in day.quotes])
        locked = len(np.unique(names[(last == down) & (down > 0)]))
        assert locked >= at_least, date


def test_an_ex_date_neither_gives_nor_takes(summer: Summer) -> None:
    """close before = reference price x (1 + shares) + dividend, exactly."""
    checked = 0
    for place, date in enumerate(summer.days[1:], start=1):
        close = dict(zip(summer.names, summer.column("close", place - 1).tolist(), strict=True))
        reference = dict(zip(summer.names, summer.column("prev_close", place).tolist(), strict=True))
        worth: dict[str, Fraction] = {}
        for action in summer.actions(date):
            name = action["security"]
            if "shares_per_share" in action:
                gain = Fraction(action["shares_per_share"]) * reference[name]
            else:
                gain = Fraction(action["cash_per_share"]) * 100
            worth[name] = worth.get(name, Fraction(reference[name])) + gain
        for name, value in worth.items():
            assert value == close[name]
            checked += 1
    assert checked > 300


def lives_of(accounts: int = 300, **habits: float) -> tuple[Lives, list[int], int]:
    summer = Summer()
    books = draw_books(FIRST, summer.evening_prices(), accounts, seed=3)
    due = books.contract_opened + CONTRACT_DAYS
    in_time = int(((due > FIRST) & (due <= LAST) & ~books.contract_short).sum())
    return Lives(books, summer.trading_days(), Habits(**habits)), summer.trading_days(), in_time


def test_every_contract_that_falls_due_is_paid_once_unless_it_is_neglected() -> None:
    lives, days, due = lives_of(extended=0.0, neglected=0.0)
    rows = [row for day in days[1:] for row in lives.events(day, 0.0).to_pylist()]
    repayments = [row for row in rows if row["kind"] == "repay"]
    deposits = {
        (row["account"], row["id"].removeprefix("cash-")): row["amount"]
        for row in rows
        if row["kind"] == "cash"
    }
    assert len(repayments) == due
    assert all(
        deposits[row["account"], row["id"].removeprefix("repay-")] == row["amount"] for row in repayments
    )
    careless = lives_of(extended=0.0, neglected=1.0)[0]
    assert all(careless.events(day, 0.0).num_rows == 0 for day in days[1:])


def test_extensions_begin_when_the_rule_allows_them_and_reach_six_months() -> None:
    lives, days, _ = lives_of(extended=1.0, neglected=0.0)
    asked = [
        (day, row)
        for day in days[1:]
        for row in lives.events(day, 0.0).to_pylist()
        if row["kind"] == "extend"
    ]
    assert asked
    assert min(day for day, _ in asked) >= parse_day("2015-07-02")
    assert all(row["due"].isoformat() > format_day(day + CONTRACT_DAYS) for day, row in asked)


def test_money_comes_in_on_the_days_of_alarm_only() -> None:
    lives, days, _ = lives_of(extended=0.0, neglected=1.0)
    assert lives.events(days[9], -0.04).num_rows == 0
    assert lives.events(days[9], -0.08).num_rows > 0
