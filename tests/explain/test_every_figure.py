"""Every figure of an explanation re-adds exactly, whatever it explains; every one that rests on a rule names
it with article, first day and confidence.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.explain import EXPLAINED, Explanation, explain
from tests.explain.arithmetic import computed, number
from tests.margin.books import BANK, CHIPS, MONDAY, TUESDAY, WEDNESDAY, Diary, opening

Record = dict[str, Any]


def recomputed(told: Explanation) -> int:
    """Recomputes every row of an explanation from its own words; returns how many there were."""
    checked = 0
    for section in told.as_dict()["sections"]:
        above: list[Fraction] = []
        for row in section["rows"]:
            shown = number(row["result"])
            found = computed(row["working"])
            if row["working"] == "sum":
                found = sum(above, Fraction(0))
            expected = shown
            if " = " in row["working"]:
                left, right = row["working"].split(" = ")
                found, expected = computed(left), number(right)
            if found is not None:
                assert found == expected, (told.id, section["title"], row)
                checked += 1
            if shown is not None:
                above.append(shown)
    return checked


def cited(told: Explanation) -> set[str]:
    """Rules that rows rest on; each is complete."""
    shown = told.as_dict()
    places = {row["rule"] for section in shown["sections"] for row in section["rows"] if row["rule"]}
    for rule in shown["rules"]:
        assert rule["name"]
        assert rule["rule"]
        assert rule["source"]
        assert rule["confidence"]
    return {shown["rules"][place - 1]["name"] for place in places}


def everything(diary: Diary) -> dict[str, Explanation]:
    """What there is to explain of a book's alerts."""
    topics = [topic for topic in EXPLAINED if topic != "security.signals"]
    ids = [record["id"] for topic in topics for record in diary.book.alerts(topic)]
    return {alert: diary.book.explain(alert) for alert in ids}


def stormy() -> Diary:
    """Two holdings, a short and a matured contract: called on Monday, liquidated on Tuesday and Wednesday."""
    diary = Diary("simulate")
    diary.session("pre_open")
    for security, price in ((BANK, "8.00"), (CHIPS, "50.00")):
        diary.price(security, price)
    book = opening("20000", {BANK: 100_000, CHIPS: 5_137}, "700000", preset="A")
    matured = {"contract": "M", "type": "financing", "security": BANK, "opened": "2025-01-06", "qty": 100}
    short = {"contract": "S", "type": "lending", "security": CHIPS, "opened": "2025-01-06", "qty": 200}
    book["contracts"] += [
        matured | {"price": "1", "principal": "150000", "rate": "0.086", "due": MONDAY, "accrued": "3225.5"},
        short | {"price": "51.00", "rate": "0.106"},
    ]
    diary.book.event(book)
    diary.at(MONDAY, "15:30").session("settled")
    diary.command("acknowledge")
    for day in (TUESDAY, WEDNESDAY):
        diary.at(day, "09:00").session("pre_open")
        diary.at(day, "09:30").session("continuous")
        diary.at(day, "09:40").session("clock")
        diary.at(day, "15:30").session("settled")
    return diary


def test_every_figure_of_calls_plans_and_orders_re_adds() -> None:
    diary = stormy()
    told = everything(diary)
    assert [text for one in told.values() for text in one.problems] == []
    assert {"called", "expired", "liquidating"} <= set(diary.events())
    assert sum(map(recomputed, told.values())) > 100
    names = set().union(*map(cited, told.values()))
    assert {"mmr.formula", "px.ladder", "px.debt", "int.in_ratios", "liquidation.maturity"} <= names
    assert {"stamp_duty_sell", "transfer_fee", "cage_main"} <= names


def test_a_matured_contract_is_shown_with_its_day_and_what_it_asks_for() -> None:
    told = everything(stormy())
    text = "\n".join(told["A1:2025-04-07:1:3"].lines())
    assert "M: fell due on 2025-04-07" in text
    assert "150,000.00 + 3,2" in text
    assert "liquidation.maturity" in text


def test_a_court_freeze_is_shown_with_what_is_frozen_and_all_that_is_due() -> None:
    diary = Diary()
    diary.session("pre_open")
    diary.price(BANK, "8.00")
    diary.book.event(opening("20000", {BANK: 100_000}, "300000"))
    diary.event("freeze", security=BANK, qty=700, reason="court")
    told = everything(diary)["A1:2025-04-07:1:1"]
    assert told.adds_up
    text = "\n".join(told.lines())
    assert f"700 {BANK}" in text
    assert "a court froze assets of the account" in text


def test_an_excluded_holding_is_shown_beside_its_last_price() -> None:
    diary = Diary()
    diary.session("pre_open")
    diary.price(BANK, "10.00")
    diary.price(CHIPS, "15.00")
    reference = {"security": CHIPS, "date": MONDAY, "kind": "stock", "board": "star", "valuation": "exclude"}
    diary.book.reference("reference.securities", reference)
    diary.book.event(opening("50000", {BANK: 30_000, CHIPS: 20_000}, "400000"))
    diary.at(MONDAY, "15:30").session("settled")
    told = everything(diary)
    last = told[f"A1:{MONDAY}:1:{len(told)}"]
    assert last.adds_up
    assert recomputed(last) >= 5
    assert "1.625000" in "\n".join(last.lines())  # E3, beside 0.875000


REQUEST = {"account": "A1", "ts": 1743991800000, "order_type": "limit"}


@pytest.mark.parametrize(
    "order",
    [
        {"business": "collateral_buy", "security": BANK, "price": "8.00", "qty": 100},
        {"business": "collateral_buy", "security": BANK, "price": "8.00", "qty": 10_000_000},
        {"business": "collateral_buy", "security": BANK, "price": "9.00", "qty": 100},
        {"business": "collateral_buy", "security": BANK, "price": "8.001", "qty": 100},
        {"business": "financing_buy", "security": BANK, "price": "8.00", "qty": 1_000},
        {"business": "financing_buy", "security": BANK, "price": "8.00", "qty": 900_000},
        {"business": "short_sell", "security": CHIPS, "price": "49.00", "qty": 200},
        {"business": "short_sell", "security": CHIPS, "price": "50.00", "qty": 500_000},
        {"business": "withdraw_cash", "amount": "1000.00"},
        {"business": "withdraw_cash", "amount": "900000.00"},
        {"business": "withdraw_security", "security": BANK, "qty": 99_000},
        {"business": "repay", "amount": "20.00"},
        {"business": "repay", "amount": "90000000.00"},
    ],
)
def test_every_figure_of_a_decision_re_adds(order: Record) -> None:
    diary = trading()
    request = REQUEST | {"id": "o1"} | order
    decision = diary.book.order(request)
    told = diary.book.explain(decision["id"])
    assert told.problems == []
    recomputed(told)
    assert decision["rule"].partition("@")[0] in {rule.name for rule in told.rules}
    wrong = dict(decision)
    if decision.get("limit"):
        wrong["limit"] = 10**9
        told = explain("order.decisions", wrong, [("account.orders", request)])
        by_another_rule = "share" in decision["figures"]
        assert bool(told.problems) is not by_another_rule, "the cap of a share is not what the limit rests on"


def trading() -> Diary:
    """A hundred thousand shares, a loan and a short on a Monday morning; both securities are underlyings."""
    diary = Diary()
    diary.session("pre_open")
    for security, price, board in ((BANK, "8.00", "main"), (CHIPS, "50.00", "star")):
        listed = {"financing": True, "lending": True, "lendable_qty": 400_000, "haircut": "0.65"}
        reference = {
            "security": security,
            "date": MONDAY,
            "kind": "stock",
            "board": board,
            "prev_close": price,
        }
        diary.book.reference("reference.securities", reference | listed)
        diary.price(security, price)
    diary.at(MONDAY, "09:30").session("continuous")
    book = opening("300000", {BANK: 100_000, CHIPS: 900}, "100000")
    short = {"contract": "S", "type": "lending", "security": CHIPS, "opened": "2025-03-03", "qty": 300}
    book["contracts"].append(short | {"price": "50.00", "rate": "0"})
    diary.book.event(book)
    return diary


BUSINESSES = (
    "collateral_buy",
    "collateral_sell",
    "financing_buy",
    "sell_to_repay",
    "short_sell",
    "buy_to_return",
)


@settings(max_examples=60)
@given(
    orders=st.lists(
        st.tuples(
            st.sampled_from([*BUSINESSES, "withdraw_cash", "withdraw_security", "repay"]),
            st.sampled_from([BANK, CHIPS]),
            st.sampled_from(["7.90", "8.00", "8.01", "8.10", "49.50", "50.00", "50.50"]),
            st.sampled_from([100, 150, 200, 300, 5_000, 99_900, 200_000]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_is_asked_the_decision_re_adds(orders: list[tuple[str, str, str, int]]) -> None:
    diary = trading()
    for place, (business, security, price, qty) in enumerate(orders):
        request = REQUEST | {"id": f"o{place}", "business": business}
        if business in ("withdraw_cash", "repay"):
            request["amount"] = f"{qty}.00"
        else:
            request |= {"security": security, "qty": qty}
            if business != "withdraw_security":
                request["price"] = price
        told = diary.book.explain(diary.book.order(request)["id"])
        assert told.problems == [], (request, told.problems)
        recomputed(told)
