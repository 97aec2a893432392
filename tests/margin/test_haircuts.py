"""The haircut of the day (rulebook 4): within the caps, zero where a rule says so, P/E reviewed weekly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from agents import Book
from agents.kernels.layout import HAIRCUT
from agents.rules.overlay import overlay
from agents.rules.schedule import built_in
from schemas import BadRecord
from schemas.units import format_day, format_line, parse_day
from tests.margin.books import Record, at

STOCK = "600000.SH"


def own_file(parameters: str) -> str:
    lines = ["schema: 1", "parameters:"]
    for line in parameters.splitlines():
        name, value = line.split()
        entry = f'{{from: "2015-01-05", value: {value}, conf: P, source: "own"}}'
        lines += [f"  {name}:", "    entries:", f"      - {entry}"]
    return "\n".join(lines)


class Broker:
    """A book with 1,000 shares at 10 yuan and no debt: available margin is what the haircut makes of it."""

    def __init__(self, first: str, own: str = "") -> None:
        """`own`: the parameters of the broker's own file, one a line: name, value."""
        self.book = Book(rules=overlay(built_in(), own_file(own)) if own else built_in())
        self.day = first
        self.begin(first)
        account = {"account": "A1", "ts": at(first, "09:00"), "id": "o", "kind": "opening", "cash": "0"}
        self.book.event(account | {"positions": [{"security": STOCK, "qty": 1000}], "contracts": []})

    def begin(self, day: str) -> list[Record]:
        self.day = day
        said = self.book.session("pre_open", day, at(day, "09:00"))
        return said + self.book.price(STOCK, "10", at(day, "09:30"))

    def settle(self) -> list[Record]:
        return self.book.session("settled", self.day, at(self.day, "16:00"))

    def says(self, date: str | None = None, security: str = STOCK, **facts: Any) -> None:
        record = {"security": security, "date": date or self.day, "kind": "stock", "board": "main"}
        self.book.reference("reference.securities", record | {"haircut": "0.65"} | facts)

    @property
    def haircut(self) -> str:
        margin = Decimal(self.book.account("A1")["available_margin"])
        shown = format_line(self.of(STOCK))
        assert margin == 10_000 * Decimal(shown)
        return shown

    def of(self, security: str) -> int:
        books = self.book.core.desk.books
        return books.securities.get(books.security(security), HAIRCUT)


@pytest.mark.parametrize(
    ("day", "facts", "counts"),
    [
        ("2015-07-01", {}, "0.65"),
        ("2015-07-01", {"haircut": "0.30"}, "0.30"),
        ("2015-07-01", {"haircut": "0.70", "index_member": True}, "0.70"),
        ("2015-07-01", {"haircut": "0.70"}, "0.70"),
        ("2015-07-01", {"haircut": "0.90", "kind": "etf"}, "0.90"),
        ("2015-07-01", {"haircut": "0.95", "kind": "treasury"}, "0.95"),
        ("2015-07-01", {"haircut": "0.80", "kind": "bond"}, "0.80"),
        ("2015-07-01", {"haircut": "0.80", "kind": "cash_product"}, "0.80"),
        ("2015-07-02", {"haircut": "0.95", "kind": "cash_product"}, "0.95"),
        ("2011-11-24", {"st": True}, "0.65"),
        ("2011-11-25", {"st": True}, "0.00"),
        ("2015-07-01", {"delisting": True, "valuation": "last"}, "0.65"),
        ("2015-07-02", {"delisting": True, "valuation": "last"}, "0.00"),
        ("2016-12-09", {"pe_static": "350"}, "0.65"),
        ("2016-12-12", {"pe_static": "350"}, "0.00"),
        ("2016-12-12", {"pe_static": "300"}, "0.00"),
        ("2016-12-12", {"pe_static": "299.999999"}, "0.65"),
        ("2016-12-12", {"pe_static": "0"}, "0.65"),
        ("2016-12-12", {"pe_static": "-0.000001"}, "0.00"),
        ("2016-12-12", {"pe_static": "350", "kind": "etf"}, "0.65"),
    ],
)
def test_a_published_haircut_counts_unless_a_rule_of_the_day_takes_it(
    day: str, facts: Record, counts: str
) -> None:
    broker = Broker(day)
    broker.says(**facts)
    assert broker.haircut == counts


def test_what_the_broker_did_not_publish_is_no_collateral() -> None:
    broker = Broker("2015-07-01")
    assert broker.haircut == "0.00"
    broker.says(haircut=None)
    assert broker.haircut == "0.00"


@pytest.mark.parametrize(
    ("date", "facts"),
    [
        ("2015-07-01", {"haircut": "0.6501", "index_member": False}),
        ("2015-07-01", {"haircut": "0.7001", "index_member": True}),
        ("2015-07-01", {"haircut": "0.9001", "kind": "etf"}),
        ("2015-07-01", {"haircut": "0.81", "kind": "cash_product"}),
        ("2015-07-01", {"haircut": "0.01", "kind": "index"}),
        ("2012-07-02", {"haircut": "0.01", "kind": "warrant"}),
    ],
)
def test_a_haircut_above_its_cap_is_refused_and_the_old_one_stays(date: str, facts: Record) -> None:
    broker = Broker(date)
    broker.says(haircut="0.50")
    with pytest.raises(BadRecord) as refused:
        broker.says(**facts)
    assert refused.value.field == "haircut"
    assert broker.haircut == "0.50"


def test_beijings_shares_are_collateral_from_2023_02_13() -> None:
    broker = Broker("2023-02-10")
    share = "430047.BJ"
    with pytest.raises(BadRecord, match="haircut"):
        broker.says(security=share, board="bse", haircut="0.65")
    broker.says("2023-02-13", security=share, board="bse", haircut="0.65")
    assert broker.of(share) == 0
    broker.settle()
    broker.begin("2023-02-13")
    assert broker.of(share) == 6500


def test_static_pe_is_reviewed_once_a_week() -> None:
    broker = Broker("2023-02-27")
    broker.says(pe_static="100")
    for day, figure, counts in (
        ("2023-02-28", "350", "0.65"),
        ("2023-03-02", "-5", "0.65"),
        ("2023-03-03", "301", "0.65"),
        ("2023-03-06", None, "0.00"),
        ("2023-03-07", "20", "0.00"),
        ("2023-03-10", "299", "0.00"),
    ):
        broker.settle()
        broker.begin(day)
        broker.says(**({} if figure is None else {"pe_static": figure}))
        assert (day, broker.haircut) == (day, counts)
    broker.settle()
    broker.begin("2023-03-14")
    assert broker.haircut == "0.65", "Monday was a holiday: the week's first session is Tuesday"


def test_a_pe_said_on_the_day_of_review_counts_whenever_it_comes_and_a_first_one_at_once() -> None:
    broker = Broker("2023-02-27")
    broker.says()
    broker.settle()
    broker.begin("2023-02-28")
    broker.says(pe_static="400")
    assert broker.haircut == "0.00", "nothing was known at the review"
    broker.settle()
    broker.begin("2023-03-06")
    assert broker.haircut == "0.00"
    broker.says(pe_static="40")
    assert broker.haircut == "0.65"


def test_the_first_day_of_the_pe_rule_calls_nobody() -> None:
    broker = Broker("2016-12-09")
    broker.says(pe_static="-3")
    owed = {"contract": "F", "type": "financing", "security": STOCK, "opened": "2016-12-09", "qty": 1000}
    account = {"account": "A2", "ts": at("2016-12-09", "10:00"), "id": "o2", "kind": "opening", "cash": "0"}
    held = [{"security": STOCK, "qty": 2000}]
    broker.book.event(account | {"positions": held, "contracts": [owed | {"price": "10", "rate": "0"}]})
    before = broker.book.account("A2")
    broker.settle()
    broker.begin("2016-12-12")
    broker.settle()
    after = broker.book.account("A2")
    assert (after["ratio"], after["assets"]) == (before["ratio"], before["assets"])
    assert Decimal(after["available_margin"]) < Decimal(before["available_margin"])
    assert broker.book.alerts("margin.calls") == []


def test_a_suspension_takes_the_haircut_on_its_thirty_first_day_and_resumption_gives_it_back() -> None:
    broker = Broker("2018-04-16")
    broker.says(valuation="last")
    day = parse_day("2018-04-17")
    for session in range(1, 33):
        broker.settle()
        broker.begin(format_day(day))
        broker.says(suspended=True, valuation="last")
        assert (session, broker.haircut) == (session, "0.65" if session <= 30 else "0.00")
        day += 1
    broker.settle()
    broker.begin(format_day(day))
    broker.says(suspended=False)
    assert broker.haircut == "0.65"


def test_a_brokers_file_may_take_the_cap_where_nothing_is_published_and_lower_caps() -> None:
    broker = Broker("2024-03-01", 'haircut_not_given cap\nhaircut_other_stock "0.40"')
    broker.says(haircut=None, index_member=True)
    assert broker.haircut == "0.70"
    broker.says(haircut=None)
    assert broker.haircut == "0.40", "membership was not said: the lower cap"
    with pytest.raises(BadRecord, match="0.40"):
        broker.says(haircut="0.41", index_member=False)


def test_a_brokers_file_may_review_pe_daily_and_shorten_the_suspension() -> None:
    broker = Broker("2024-03-05", "haircut_pe_review daily\nsuspended_after_sessions 1")
    broker.says(pe_static="10")
    broker.says(pe_static="400")
    assert broker.haircut == "0.00"
    broker.says(pe_static="10", suspended=True, valuation="last")
    assert broker.haircut == "0.65"
    broker.settle()
    broker.begin("2024-03-06")
    assert broker.haircut == "0.00"
