"""Corporate actions (公司行为): what an ex-date brings, what ends it, and what nobody published."""

from __future__ import annotations

from typing import Any

import pytest

from agents.books.audit import discrepancies
from agents.margin.shard import MarginShard, ShardConfig
from agents.rules.corporate_actions import ActionTerms, adjusted_close
from agents.rules.overlay import overlay
from agents.rules.schedule import built_in
from tests.margin.books import BANK, MONDAY, TUESDAY, WEDNESDAY, Diary, opening

FUND = "510300.SH"
LENT = {
    "contract": "S",
    "type": "lending",
    "security": BANK,
    "opened": MONDAY,
    "qty": 5_000,
    "price": "20",
    "rate": "0",
}


def evening_before(
    *actions: dict[str, Any], security: str = BANK, price: str = "20.00", diary: Diary | None = None
) -> Diary:
    """Monday closes at `price`; the actions go ex on Tuesday."""
    diary = diary or Diary()
    for number, action in enumerate(actions, 1):
        record = {"action": f"ca{number}", "security": security, "ex_date": TUESDAY}
        diary.book.reference("reference.actions", record | action)
    diary.session("pre_open")
    diary.at(MONDAY, "10:00").price(security, price)
    return diary


def ex_date(diary: Diary) -> Diary:
    diary.at(MONDAY, "16:00").session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    return diary


def sound(diary: Diary) -> bool:
    return discrepancies(diary.book.core.desk.books) == []


def per_share(kind: str, cash: str | None = None, shares: str | None = None, **more: Any) -> dict[str, Any]:
    figures = {"cash_per_share": cash, "shares_per_share": shares}
    return {"kind": kind, **{name: value for name, value in figures.items() if value}, **more}


@pytest.mark.parametrize(
    ("close", "kind", "actions", "expected"),
    [
        (20_000, "stock", [ActionTerms(cash=1_000_000)], 19_000),
        (20_000, "stock", [ActionTerms(free=1_000_000)], 10_000),
        (20_000, "stock", [ActionTerms(offered=300_000, price=12_000)], 18_150),
        (20_000, "stock", [ActionTerms(cash=200_000, free=300_000)], 15_230),
        (20_000, "stock", [ActionTerms(cash=200_000), ActionTerms(free=300_000)], 15_230),
        (1_005, "etf", [ActionTerms(cash=10_000)], 995),
        (10_015, "stock", [ActionTerms(cash=10_000)], 10_010),
        (20, "stock", [ActionTerms(cash=1_000_000)], 10),
    ],
)
def test_the_reference_price_of_an_ex_date(
    close: int, kind: str, actions: list[ActionTerms], expected: int
) -> None:
    assert adjusted_close(close, kind, actions) == expected


def test_without_a_published_previous_close_the_carried_one_is_adjusted_for_all_actions_of_the_date() -> None:
    diary = evening_before(per_share("dividend", "0.20"), per_share("bonus", shares="0.30"))
    diary.book.event(opening("0", {BANK: 10_000}, "100000"))
    ex_date(diary)
    account = diary.account()
    assert account["evidence"]["positions"][0]["price"] == "15.23"
    assert account["evidence"]["in_transit"] == "47690.00"
    assert sound(diary)


def test_an_action_published_on_its_ex_date_adjusts_what_went_before() -> None:
    diary = evening_before(per_share("dividend", "0.20"))
    diary.book.event(opening("0", {BANK: 10_000}, "100000"))
    ex_date(diary)
    late = {"action": "late", "security": BANK, "ex_date": TUESDAY} | per_share("bonus", shares="0.30")
    diary.book.reference("reference.actions", late)
    assert diary.account()["evidence"]["positions"][0]["price"] == "15.23"
    restored = MarginShard(ShardConfig())
    restored.restore(diary.book.core.snapshot())
    assert list(restored.state_rows()) == list(diary.book.core.state_rows())
    assert restored.snapshot()["reference.ex_dates"] == diary.book.core.snapshot()["reference.ex_dates"]


def test_a_price_of_the_ex_date_is_not_adjusted() -> None:
    diary = evening_before(per_share("bonus", shares="1"))
    diary.book.event(opening("0", {BANK: 10_000}, "100000"))
    ex_date(diary)
    diary.at(TUESDAY, "09:31").price(BANK, "10.50")
    assert diary.account()["assets"] == "210000.00"


def test_an_agreed_price_from_before_the_ex_date_is_adjusted_too() -> None:
    about = {"security": BANK, "kind": "stock", "board": "main", "suspended": True, "valuation": "manual"}
    diary = evening_before(per_share("bonus", shares="1"))
    diary.book.reference("reference.securities", about | {"date": MONDAY, "fair_price": "16.00"})
    diary.book.event(opening("0", {BANK: 10_000}, "100000"))
    assert ex_date(diary).account()["assets"] == "160000.00"
    assert diary.account()["evidence"]["positions"][0]["price"] == "8.00"
    diary.book.reference("reference.securities", about | {"date": TUESDAY, "fair_price": "7.00"})
    assert diary.account()["assets"] == "140000.00"
    assert sound(diary)


def test_a_fund_is_rounded_to_its_own_price_step() -> None:
    diary = evening_before(per_share("dividend", "0.0115"), security=FUND, price="4.000")
    about = {"security": FUND, "date": MONDAY, "kind": "etf", "board": "main"}
    diary.book.reference("reference.securities", about)
    diary.book.event(opening("0", {FUND: 10_000}, "10000"))
    ex_date(diary)
    assert diary.account()["evidence"]["positions"][0]["price"] == "3.989"


def test_dividend_and_bonus_of_one_action_end_apart() -> None:
    diary = evening_before(per_share("bonus", "0.20", "0.30"))
    diary.book.event(opening("0", {BANK: 10_000}, "100000"))
    ex_date(diary)
    diary.event("cash", amount="2000", reason="dividend", action="ca1")
    assert diary.account()["evidence"]["in_transit"] == "45690.00"
    diary.event("transfer", security=BANK, qty=3_000, reason="bonus", action="ca1")
    assert "in_transit" not in diary.account()["evidence"]
    assert diary.account()["assets"] == "199990.00"
    assert sound(diary)


@pytest.mark.parametrize(
    ("policy", "tax", "in_transit"),
    [
        ("net", {}, "10000.00"),
        ("net", {"tax": "0.1"}, "9000.00"),
        ("gross", {"tax": "0.1"}, "10000.00"),
        ("month", {}, "8000.00"),
        ("year", {}, "9000.00"),
        ("longer", {}, "10000.00"),
        ("month", {"tax": "0.05"}, "9500.00"),
    ],
)
def test_what_a_dividend_counts_at_is_the_brokers_choice(
    policy: str, tax: dict[str, str], in_transit: str
) -> None:
    entry = f'{{from: "2006-08-21", value: {policy}, conf: P, source: contract}}'
    text = f"schema: 1\nparameters:\n  dividend_in_transit:\n    entries:\n      - {entry}\n"
    diary = Diary(rules=overlay(built_in(), text))
    evening_before(per_share("dividend", "1", **tax), diary=diary)
    diary.book.event(opening("0", {BANK: 10_000}, "100000"))
    assert ex_date(diary).account()["evidence"]["in_transit"] == in_transit


def test_money_for_rights_that_are_not_known_just_leaves() -> None:
    diary = evening_before(per_share("rights", shares="0.3", price="12"))
    diary.book.event(opening("50000", {BANK: 10_000}, "100000"))
    diary.event("cash", amount="-12000", reason="rights", action="another")
    assert diary.account()["assets"] == "238000.00"
    diary.event("cash", amount="-12000", reason="rights", action="ca1")
    assert diary.account()["assets"] == "238000.00"
    diary.event("cash", amount="5000", reason="rights", action="ca1")
    assert diary.account()["evidence"]["in_transit"] == "7000.00"
    assert sound(diary)


def test_money_beyond_what_may_be_subscribed_stays_in_transit_until_it_comes_back() -> None:
    diary = evening_before(per_share("rights", shares="0.3", price="12"))
    diary.book.event(opening("50000", {BANK: 10_000}, "100000"))
    diary.event("cash", amount="-40000", reason="rights", action="ca1")
    ex_date(diary)
    assert diary.account()["evidence"]["in_transit"] == "58450.00"
    diary.event("cash", amount="4000", reason="rights", action="ca1")
    diary.event("transfer", security=BANK, qty=3_000, reason="rights", action="ca1")
    assert "in_transit" not in diary.account()["evidence"]
    assert diary.account()["assets"] == "249950.00"
    assert sound(diary)


def test_a_right_counts_once_a_day_at_what_it_is_worth_and_never_less_than_nothing() -> None:
    diary = evening_before(per_share("rights", shares="0.3", price="12", pay_date="2025-04-10"))
    diary.book.event(opening("0", {BANK: 10_000}, "100000"))
    ex_date(diary)
    assert diary.account()["evidence"]["in_transit"] == "18450.00"
    diary.at(TUESDAY, "10:00").price(BANK, "11.00")
    assert diary.account()["evidence"]["in_transit"] == "18450.00"
    diary.at(TUESDAY, "16:00").session("settled")
    diary.at(WEDNESDAY, "09:00").session("pre_open")
    assert "in_transit" not in diary.account()["evidence"]
    diary.event("cash", amount="-12000", reason="rights", action="ca1")
    assert diary.account()["evidence"]["in_transit"] == "11000.00"
    assert sound(diary)


def short(diary: Diary, **more: Any) -> None:
    diary.book.event(opening("250000", {}, preset="P", **more) | {"contracts": [LENT]})


def paying_by_itself() -> Diary:
    """A diary whose preset P pays at the pay date."""
    diary = Diary()
    lines = {"preset": "P", "from": "2010-01-01", "warn": "1.5", "min": "1.3", "immediate": None}
    modes = {"immediate_mode": "by_settled", "target": "1.5", "cure_by": 1, "cure_at": "settled"}
    rest = {"liquidate_from": 2, "rearm": "0.01", "commission": "0", "auto_pay": True}
    diary.book.reference("reference.rules", lines | modes | rest)
    return diary


def test_an_ex_date_leaves_the_available_margin_of_a_short_alone() -> None:
    diary = evening_before(per_share("bonus", shares="1"), diary=paying_by_itself())
    short(diary)
    before = diary.account()["available_margin"]
    ex_date(diary)
    assert diary.account()["available_margin"] == before
    assert diary.account()["ratio"] == "2.500000"


def test_at_the_pay_date_bonus_shares_are_borrowed_under_the_contract_and_dividends_are_paid() -> None:
    action = per_share("bonus", "0.5", "1", pay_date=WEDNESDAY)
    diary = evening_before(action, diary=paying_by_itself())
    short(diary)
    ex_date(diary)
    assert diary.account()["evidence"]["contracts"][0]["qty"] == 5_000
    before = diary.account()
    diary.at(TUESDAY, "16:00").session("settled")
    diary.at(WEDNESDAY, "09:00").session("pre_open")
    after = diary.account()
    assert after["evidence"]["contracts"][0]["qty"] == 10_000
    assert (before["debt"], after["debt"]) == ("100000.00", "97500.00")
    assert after["evidence"]["cash"] == "247500.00"
    assert after["available_margin"] == before["available_margin"]
    assert sound(diary)
    totals = diary.at(WEDNESDAY, "16:00").session("settled")
    assert [t["securities"][BANK][7] for t in totals if "securities" in t] == [-5_000]
    diary.fill("buy_to_return", BANK, 10_000, "9.75")
    assert diary.account()["debt"] == "0.00"
