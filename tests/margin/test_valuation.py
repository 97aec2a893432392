"""How a holding is valued (rulebook 1.4): at its last close, an agreed price, by an index, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from agents.books.audit import discrepancies
from agents.kernels.layout import SUSPENDED_SESSIONS
from agents.margin.shard import MarginShard, ShardConfig
from agents.rules.overlay import overlay
from agents.rules.schedule import Schedule, built_in
from tests.margin.books import BANK, CHIPS, MONDAY, Diary, opening
from tests.margin.histories import Record

INDEX = "000300.SH"
REST = {BANK: 30_000}


def trading_days(first: str = MONDAY) -> Iterator[str]:
    """Weekdays from a Monday on."""
    day = date.fromisoformat(first)
    while True:
        if day.weekday() < 5:
            yield day.isoformat()
        day += timedelta(days=1)


def rules(**entries: str) -> Schedule:
    """The built-in schedule with single values of a broker's file."""
    lines = [
        f"  {name}:\n    entries:\n      - {{from: '2006-08-21', value: {value}, conf: P, source: contract}}"
        for name, value in entries.items()
    ]
    return overlay(built_in(), "schema: 1\nparameters:\n" + "\n".join(lines) + "\n")


class Story(Diary):
    """E3's account (cash 50,000, 30,000 at 10.00, 20,000 of a second stock last at 15.00, debt 400,000), day
    after day.
    """

    def __init__(self, first: str = MONDAY, **settings: Any) -> None:
        super().__init__(**settings)
        self.days = trading_days(first)
        self.morning()
        self.ts += 3_600_000
        self.price(BANK, "10.00")
        self.price(CHIPS, "15.00")
        book = opening("50000", {**REST, CHIPS: 20_000}, "400000", ts=self.ts)
        self.book.event(book)

    def morning(self, **facts: Any) -> Record:
        """A day begins, after yesterday's was settled, with a reference record of the second stock; the
        account then.
        """
        if self.book.core.desk.calendar.days:
            self.at(self.day, "16:00").session("settled")
        self.at(next(self.days), "08:50")
        self.refer(**facts)
        self.session("pre_open")
        return {} if self.book.core.desk.books.accounts.rows == 0 else self.account()

    def refer(self, **facts: Any) -> None:
        about = {"security": CHIPS, "date": self.day, "kind": "stock", "board": "star"}
        self.book.reference("reference.securities", about | facts)

    def sessions(self) -> int:
        """Sessions of the second stock's suspension so far."""
        securities = self.book.core.desk.books.securities
        return securities.get(securities.index[CHIPS], SUSPENDED_SESSIONS)


@pytest.mark.parametrize(("reading", "last_counted"), [("exclusive", 30), ("inclusive", 29)])
def test_a_stock_suspended_for_more_than_30_sessions_is_not_counted_until_it_resumes(
    reading: str, last_counted: int
) -> None:
    story = Story(rules=built_in().with_boundary(suspended_after=reading))
    for session in range(1, last_counted + 1):
        assert story.morning(suspended=True)["ratio"] == "1.625000", session
    account = story.morning(suspended=True)
    assert (account["ratio"], account["ratio_last_close"]) == ("0.875000", "1.625000")
    assert account["evidence"]["positions"][1]["valuation"] == "exclude"
    restored = MarginShard(ShardConfig(rules=story.book.core.desk.rules))
    restored.restore(story.book.core.snapshot())
    assert list(restored.state_rows()) == list(story.book.core.state_rows())
    account = story.morning()
    assert account["ratio"] == "1.625000"
    assert "ratio_last_close" not in account
    assert story.morning(suspended=True)["ratio"] == "1.625000"
    assert story.sessions() == 1
    assert discrepancies(story.book.core.desk.books) == []


def test_a_suspension_goes_on_over_days_without_a_record() -> None:
    story = Story()
    story.morning(suspended=True)
    for _ in range(4):
        story.at(story.day, "16:00").session("settled")
        story.at(next(story.days), "09:00").session("pre_open")
    assert story.sessions() == 5


def test_the_beginning_that_a_record_names_counts_as_far_as_the_days_are_known() -> None:
    story = Story()
    days = [story.day]
    for _ in range(3):
        story.morning()
        days.append(story.day)
    story.refer(suspended=True, suspended_since=days[1])
    assert story.sessions() == 3
    story.refer(suspended=True, suspended_since="2024-01-02")
    assert story.sessions() == 4


def test_a_record_that_is_corrected_the_same_day_does_not_begin_the_suspension_again() -> None:
    story = Story()
    for _ in range(3):
        story.morning(suspended=True)
    story.refer(suspended=False)
    assert story.sessions() == 0
    story.refer(suspended=True)
    assert story.sessions() == 3


def test_a_published_policy_wins_over_the_rules_of_the_day() -> None:
    story = Story(rules=rules(suspended_after_sessions="0"))
    assert story.morning(suspended=True)["ratio"] == "0.875000"
    assert story.morning(suspended=True, valuation="last")["ratio"] == "1.625000"
    assert story.morning(suspended=True, valuation="manual", fair_price="12.30")["ratio"] == "1.490000"


def test_e3_by_an_index_that_fell_18_percent_since_the_suspension() -> None:
    story = Story(
        rules=rules(
            suspended_policy="index_adjusted", suspended_after_sessions="0", suspended_index=f"'{INDEX}'"
        )
    )
    story.price(INDEX, "4000.00")
    assert story.morning(suspended=True)["ratio"] == "1.625000"
    story.price(INDEX, "3280.00")
    account = story.morning(suspended=True)
    assert (account["ratio"], account["ratio_last_close"]) == ("1.490000", "1.625000")
    assert account["evidence"]["positions"][1]["price"] == "12.30"
    assert story.morning()["ratio"] == "1.625000"


def test_a_real_notice_adjusts_by_the_index_from_the_31st_session_on() -> None:
    """A broker's notice of 2024-08-08: 002280.SZ and 002288.SZ, suspended since 2024-06-27 and so for more
    than 30 trading days, count at a fair value moved by the index 399300.
    """
    index = "399300.SZ"
    story = Story("2024-06-26", rules=rules(suspended_policy="index_adjusted", suspended_index=f"'{index}'"))
    story.price(index, "3500.00")
    valued = {}
    while story.day < "2024-08-08":
        account = story.morning(suspended=True)
        valued[story.day] = account["evidence"]["positions"][1]
        story.at(story.day, "10:00").price(index, "3360.00")
    assert valued["2024-08-07"]["price"] == "15.00"
    assert valued["2024-08-08"]["price"] == "14.40"
    assert valued["2024-08-08"]["valuation"] == "index_adjusted"


def test_without_any_agreed_price_an_adjusted_value_is_the_last_close() -> None:
    story = Story(rules=rules(suspended_policy="index_adjusted", suspended_after_sessions="0"))
    account = story.morning(suspended=True)
    assert account["ratio"] == "1.625000"
    assert "ratio_last_close" not in account


@pytest.mark.parametrize(("policy", "ratio"), [("last", "1.625000"), ("exclude", "0.875000")])
def test_whether_a_risk_warning_stock_counts_is_the_brokers_choice(policy: str, ratio: str) -> None:
    story = Story(rules=rules(valuation_st=policy))
    assert story.morning(st=True)["ratio"] == ratio
    assert story.morning(st=False)["ratio"] == "1.625000"


def test_a_delisting_stock_is_worth_nothing_in_the_ratio_and_is_sold_in_a_liquidation() -> None:
    story = Story(liquidation="auto")
    assert story.morning(delisting=True)["ratio"] == "0.875000"
    assert story.account()["ratio_last_close"] == "1.625000"
    story.morning(delisting=True)
    story.at(story.day, "09:30").session("continuous")
    orders = [order for order in story.book.alerts("liquidation.orders") if order.get("security") == CHIPS]
    assert orders[0]["side"] == "S"
    assert (orders[0]["mark"], orders[0]["expected_price"]) == ("0.00", "15.00")


def test_a_short_of_what_is_not_counted_still_costs_the_mark() -> None:
    story = Story(rules=rules(suspended_after_sessions="0"))
    lent = {"contract": "S", "type": "lending", "security": CHIPS, "opened": MONDAY, "qty": 1_000}
    book = opening("1000000", {}, id="again") | {"contracts": [lent | {"price": "15", "rate": "0"}]}
    story.book.event(book)
    assert story.morning(suspended=True)["debt"] == "15000.00"
