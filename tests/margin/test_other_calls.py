"""Calls that no ratio makes: matured contracts, a court's freeze, a credit line that ended (rulebook 7.1)."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.errors import BadRecord
from tests.margin.books import BANK, CHIPS, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Diary, Record, at, opening

FRIDAY, NEXT_MONDAY = "2025-04-11", "2025-04-14"


def contract(name: str, principal: str, due: str | None = None, **more: Any) -> Record:
    record: Record = {"contract": name, "type": "financing", "security": BANK, "opened": "2025-01-06"}
    record |= {"qty": 100, "price": "1", "principal": principal, "rate": "0"}
    return record | ({} if due is None else {"due": due}) | more


def lent(name: str, qty: int, due: str) -> Record:
    record = {"contract": name, "type": "lending", "security": CHIPS, "opened": "2025-01-06", "due": due}
    return record | {"qty": qty, "price": "50.00", "rate": "0"}


def book(*contracts: Record, cash: str = "0", shares: int = 100_000, liquidation: str = "propose") -> Diary:
    """Monday before the open: shares at 10.00 against the contracts."""
    diary = Diary(liquidation)
    diary.session("pre_open")
    diary.price(BANK, "10.00")
    diary.price(CHIPS, "50.00")
    diary.book.event(opening(cash, {BANK: shares}) | {"contracts": list(contracts)})
    return diary


def settle(diary: Diary, day: str) -> list[Record]:
    """The whole of a day at unchanged prices; what margin.calls said of it."""
    before = len(calls(diary))
    if day != MONDAY:
        diary.at(day, "09:00").session("pre_open")
        diary.at(day, "09:30").session("continuous")
    diary.at(day, "15:30").session("settled")
    return calls(diary)[before:]


def calls(diary: Diary) -> list[Record]:
    return diary.book.alerts("margin.calls")


def told(records: list[Record]) -> list[tuple[str, str]]:
    return [(record["event"], record["reason"]) for record in records]


MATURED = [("called", "maturity"), ("expired", "maturity")]


def test_a_contract_unpaid_when_its_day_is_settled_is_called_and_liquidated_from_the_next_session() -> None:
    diary = book(contract("F", "300000", due=TUESDAY))
    assert settle(diary, MONDAY) == []
    said = settle(diary, TUESDAY)
    assert told(said) == MATURED
    assert [(r["deadline"], r["deadline_date"], r["liquidate_from"]) for r in said] == [
        ("T", TUESDAY, "T+1"),
        ("T", TUESDAY, "T+1"),
    ]
    assert said[0]["obligations"] == {"reason": "maturity", "money": "300000.00", "contracts": ["F"]}
    assert said[0]["shortfall"] == "0.00"
    assert diary.account()["call"]["obligations"] == said[0]["obligations"]
    assert diary.account()["call"]["reason"] == "maturity"
    assert said[0]["evidence"]["contracts"][0]["due"] == TUESDAY
    diary.at(WEDNESDAY, "09:00").session("pre_open")
    assert told(calls(diary)) == MATURED
    diary.at(WEDNESDAY, "09:30").session("continuous")
    assert told(calls(diary)) == [*MATURED, ("liquidating", "maturity")]


def test_paid_on_its_last_day_a_contract_is_never_called() -> None:
    diary = book(contract("F", "300000", due=MONDAY), cash="300000")
    diary.event("repay", amount="300000")
    assert settle(diary, MONDAY) == []


def test_only_what_matured_is_liquidated_not_the_ratio_up_to_its_target() -> None:
    diary = book(contract("F", "100000", due=MONDAY), contract("G", "600000"), liquidation="simulate")
    settle(diary, MONDAY)
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.at(TUESDAY, "09:30").session("continuous")
    diary.session("clock")
    assert told(calls(diary)) == [*MATURED, ("liquidating", "maturity"), ("closed", "maturity")]
    account = diary.account()
    assert [c["contract"] for c in account["evidence"]["contracts"]] == ["G"]
    assert 89_000 < account["evidence"]["positions"][0]["qty"] < 90_000


def test_a_matured_short_is_bought_back() -> None:
    diary = book(lent("S", 1_000, MONDAY), cash="60000", liquidation="simulate")
    settle(diary, MONDAY)
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.at(TUESDAY, "09:30").session("continuous")
    fee, cover = [o for o in diary.book.alerts("liquidation.orders") if "business" in o]
    assert (fee["business"], fee["amount"]) == ("repay", "25.00")  # interest for being overdue since Monday
    assert (cover["business"], cover["qty"], cover["contract"]) == ("buy_to_return", 1_000, "S")
    diary.session("clock")
    assert told(calls(diary))[-1] == ("closed", "maturity")


def test_paid_the_next_morning_the_episode_ends_without_a_plan() -> None:
    diary = book(contract("F", "300000", due=MONDAY), cash="301000")
    settle(diary, MONDAY)
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.event("repay", amount="300150")
    assert told(calls(diary)) == [*MATURED, ("closed", "maturity")]


def test_extended_after_it_matured_a_contract_is_due_no_more() -> None:
    diary = book(contract("F", "300000", due=MONDAY))
    settle(diary, MONDAY)
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.event("extend", contract="F", due="2025-07-07")
    assert told(calls(diary)) == [*MATURED, ("closed", "maturity")]


def test_due_on_a_weekend_a_contract_is_called_on_friday() -> None:
    diary = book(contract("F", "300000", due="2025-04-12"))
    for day in (MONDAY, TUESDAY, WEDNESDAY, THURSDAY):
        assert settle(diary, day) == []
    assert told(settle(diary, FRIDAY)) == MATURED


def test_due_on_a_holiday_a_contract_is_called_when_the_next_trading_day_begins_and_liquidated_on_it() -> (
    None
):
    diary = book(contract("F", "300000", due=WEDNESDAY))
    settle(diary, MONDAY)
    settle(diary, TUESDAY)
    diary.at(THURSDAY, "09:00").session("pre_open")
    said = calls(diary)
    assert told(said) == MATURED
    assert (said[0]["date"], said[0]["deadline"], said[0]["deadline_date"]) == (THURSDAY, "T", TUESDAY)
    diary.at(THURSDAY, "09:30").session("continuous")
    assert told(calls(diary))[-1] == ("liquidating", "maturity")


def test_each_further_maturity_is_called_once() -> None:
    diary = book(contract("F", "100000", due=MONDAY), contract("G", "100000", due=TUESDAY))
    settle(diary, MONDAY)
    said = settle(diary, TUESDAY)
    assert told(said) == [("liquidating", "maturity"), ("called", "maturity")]
    assert said[-1]["obligations"] == {"reason": "maturity", "money": "200050.00", "contracts": ["F", "G"]}


def test_an_operator_gives_a_matured_contract_one_day_more() -> None:
    diary = book(contract("F", "300000", due=MONDAY), cash="300000")
    settle(diary, MONDAY)
    diary.command("extend_deadline", days=1)
    assert settle(diary, TUESDAY) == [r for r in calls(diary) if r["event"] == "expired"][1:]
    expired = calls(diary)[-1]
    assert (expired["reason"], expired["deadline"], expired["liquidate_from"]) == ("maturity", "T+1", "T+2")
    assert expired["command"] == {"id": "c1", "by": "op"}


def test_paid_within_the_longer_deadline_it_is_cured() -> None:
    diary = book(contract("F", "300000", due=MONDAY), contract("G", "1000"), cash="300000")
    settle(diary, MONDAY)
    diary.command("extend_deadline", days=1)
    diary.event("repay", amount="100000", contract="F")
    diary.event("repay", amount="200000", contract="F")
    assert told(calls(diary))[2:] == [("partly_met", "maturity"), ("cured", "maturity")]


def test_a_ratio_call_and_a_maturity_run_in_one_episode_with_a_clock_each() -> None:
    diary = book(contract("F", "100000", due=MONDAY), contract("G", "700000"), cash="0")
    assert told(settle(diary, MONDAY)) == [("called", "ratio"), ("expired", "maturity")]
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.at(TUESDAY, "09:30").session("continuous")
    plan = diary.book.alerts("liquidation.orders")[0]
    assert float(plan["planned"]) < 110_000
    diary.at(TUESDAY, "15:30").session("settled")
    expired = calls(diary)[-1]
    assert (expired["event"], expired["reason"], expired["liquidate_from"]) == ("expired", "ratio", "T+2")
    diary.at(WEDNESDAY, "09:00").session("pre_open")
    diary.at(WEDNESDAY, "09:30").session("continuous")
    plan = [o for o in diary.book.alerts("liquidation.orders") if o.get("event") == "plan"][-1]
    assert float(plan["planned"]) > 110_000
    assert {record["episode"] for record in calls(diary)} == {"A1:2025-04-07:1"}


def test_the_ratio_cured_while_a_contract_is_still_due_is_told_as_partly_met() -> None:
    diary = book(contract("F", "100000", due=MONDAY), contract("G", "700000"), cash="0")
    settle(diary, MONDAY)
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.event("cash", amount="600000", reason="deposit")
    diary.at(TUESDAY, "15:30").session("settled")
    assert told(calls(diary))[3:] == [("partly_met", "ratio")]
    diary.event("repay", amount="100050", contract="F")
    assert told(calls(diary))[-1] == ("closed", "maturity")


def test_a_contract_paid_while_the_ratio_is_called_leaves_the_call_open() -> None:
    diary = book(contract("F", "50000", due=MONDAY), contract("G", "800000"), cash="50025")
    settle(diary, MONDAY)
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.event("repay", amount="50025", contract="F")
    assert told(calls(diary))[3:] == [("partly_met", "ratio")]
    assert "obligations" not in calls(diary)[-1]
    assert diary.account()["call"]["state"] == "called"
    assert "obligations" not in diary.account()["call"]
    assert told(settle(diary, TUESDAY)) == [("expired", "ratio")]


def test_a_courts_freeze_makes_the_whole_debt_due_at_once() -> None:
    diary = book(contract("F", "300000"), lent("S", 100, "2025-07-01"), cash="10000")
    diary.at(MONDAY, "09:30").session("continuous")
    diary.event("freeze", cash="5000", reason="court")
    said = calls(diary)
    assert told(said) == [("immediate", "freeze"), ("liquidating", "freeze")]
    assert (said[0]["deadline"], said[0]["liquidate_from"]) == ("T", "T")
    assert said[0]["obligations"] == {"reason": "freeze", "money": "300000.00", "contracts": ["F", "S"]}
    assert said[0]["evidence"]["frozen_cash"] == "5000.00"


@pytest.mark.parametrize("reason", [None, "order", "pledge"])
def test_other_freezes_demand_nothing(reason: str | None) -> None:
    diary = book(contract("F", "300000"))
    diary.event("freeze", security=BANK, qty=500, **({} if reason is None else {"reason": reason}))
    assert calls(diary) == []


@pytest.mark.parametrize("reason", ["court", "order"])
def test_a_freeze_lifted_by_whatever_event_ends_the_courts_demand(reason: str) -> None:
    diary = book(contract("F", "300000"))
    diary.event("freeze", security=BANK, qty=500, reason="seizure")
    diary.event("freeze", security=BANK, qty=-400, reason=reason)
    assert told(calls(diary)) == [("immediate", "freeze")]
    diary.event("freeze", security=BANK, qty=-100, reason=reason)
    assert told(calls(diary)) == [("immediate", "freeze"), ("closed", "freeze")]


def test_a_freeze_of_more_than_is_held_is_refused_and_demands_nothing() -> None:
    diary = book(contract("F", "300000"))
    with pytest.raises(BadRecord, match="qty"):
        diary.event("freeze", security=BANK, qty=100_001, reason="court")
    assert calls(diary) == []


def test_a_credit_line_that_ended_makes_everything_due() -> None:
    diary = Diary()
    diary.session("pre_open")
    diary.price(BANK, "10.00")
    credit = {"total": "1000000", "financing": "1000000", "lending": "0", "until": TUESDAY}
    diary.book.event(opening("0", {BANK: 100_000}, "300000", credit=credit))
    assert settle(diary, MONDAY) == []
    said = settle(diary, TUESDAY)
    assert told(said) == [("called", "credit"), ("expired", "credit")]
    assert said[0]["obligations"] == {"reason": "credit", "money": "300000.00", "contracts": ["F"]}


def test_what_is_hopeless_is_not_called_again_for_its_maturity() -> None:
    diary = book(contract("F", "3000000", due=TUESDAY), shares=100, liquidation="simulate")
    settle(diary, MONDAY)
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.at(TUESDAY, "09:30").session("continuous")
    diary.session("clock")
    diary.at(TUESDAY, "15:30").session("settled")
    assert told(calls(diary))[-1] == ("shortfall", "ratio")
    assert settle(diary, WEDNESDAY) == []


def test_a_snapshot_in_the_middle_of_a_demand_changes_nothing() -> None:
    one, other = (book(contract("F", "300000", due=MONDAY), cash="10000") for _ in range(2))
    one.event("freeze", cash="100", reason="court")
    other.event("freeze", cash="100", reason="court")
    other.book.core.restore(one.book.core.snapshot())
    for diary in (one, other):
        settle(diary, MONDAY)
        diary.event("freeze", cash="-100", reason="court")
        settle(diary, TUESDAY)
    assert calls(one) == calls(other)
    assert list(one.book.core.state_rows()) == list(other.book.core.state_rows())


def test_what_is_due_counts_interest_as_it_is_asked_for_to_the_fen() -> None:
    diary = book(contract("F", "400000", due=MONDAY, accrued="1.236"))
    said = settle(diary, MONDAY)
    assert said[0]["evidence"]["contracts"][0]["interest"] == "1.236"
    assert said[0]["obligations"]["money"] == "400001.24"


def test_before_the_day_of_an_opening_dated_in_the_past_nothing_is_called() -> None:
    diary = Diary()
    diary.price(BANK, "10.00")
    diary.book.event(opening("0", {BANK: 100_000}) | {"contracts": [contract("F", "1", due="2025-04-01")]})
    diary.ts = at(MONDAY, "09:25")
    diary.session("pre_open")
    assert calls(diary) == []
