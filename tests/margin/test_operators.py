"""Liquidation in its three modes, the ceiling of one evaluation, and operators' commands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.margin.books import BANK, CHIPS, MONDAY, TUESDAY, WEDNESDAY, Diary, Record, opening

HELD = {BANK: 100_000, CHIPS: 5_000}


def falling(liquidation: str = "propose", accounts: tuple[str, ...] = ("A1",), **settings: Any) -> Diary:
    """Accounts of preset D at 1.14 in continuous trading: below their immediate line."""
    diary = Diary(liquidation, **settings)
    diary.session("pre_open")
    diary.at(MONDAY, "09:30").session("continuous")
    for security, price in ((BANK, "12.00"), (CHIPS, "50.00")):
        diary.price(security, price)
    for name in accounts:
        diary.book.event(opening("20000", HELD, "900000", account=name, preset="D"))
    diary.price(BANK, "7.56")
    return diary


def orders(diary: Diary, said: list[Record] | None = None) -> list[Record]:
    records = diary.book.alerts("liquidation.orders") if said is None else said
    return [record for record in records if "business" in record]


def plans(diary: Diary) -> list[Record]:
    return [record for record in diary.book.alerts("liquidation.orders") if record.get("event") == "plan"]


def test_below_the_immediate_line_a_plan_is_made_at_once() -> None:
    diary = falling()
    assert diary.events() == ["immediate", "liquidating"]
    assert [order["business"] for order in orders(diary)][:2] == ["repay", "sell_to_repay"]
    liquidating = diary.book.alerts("margin.calls")[-1]
    assert liquidating["orders"] == [order["id"] for order in orders(diary)]
    assert orders(diary)[0]["id"] == "A1:2025-04-07:1:o1.1"
    assert plans(diary)[0]["id"] == "A1:2025-04-07:1:p1"


def test_a_plan_goes_on_when_its_orders_are_filled_or_closed() -> None:
    diary = falling("auto")
    repay, *sales = orders(diary)
    diary.event("repay", amount=repay["amount"])
    for sale in sales[:-1]:
        diary.fill("sell_to_repay", sale["security"], sale["qty"], sale["expected_price"], order=sale["id"])
    assert len(plans(diary)) == 1
    last = sales[-1]
    diary.fill("sell_to_repay", last["security"], last["qty"] // 2, last["expected_price"], order=last["id"])
    assert len(plans(diary)) == 1
    diary.event("order_closed", order=last["id"], reason="cancelled")
    assert [plan["batch"] for plan in plans(diary)] == [1, 2]


def test_filled_at_the_expected_prices_the_episode_is_closed() -> None:
    diary = falling("auto")
    repay, *sales = orders(diary)
    diary.event("repay", amount=repay["amount"])
    for sale in sales:
        gross = sale["qty"] * float(sale["expected_price"])
        fee = f"{gross * 0.0007:.2f}"
        more = {"order": sale["id"], "fee": fee}
        diary.fill("sell_to_repay", sale["security"], sale["qty"], sale["expected_price"], **more)
    assert diary.events()[-1] == "closed"
    assert diary.account()["episode"] is None


def test_simulate_fills_at_the_next_evaluation_and_closes() -> None:
    diary = falling("simulate")
    assert diary.events() == ["immediate", "liquidating"]
    diary.session("clock")
    assert diary.events() == ["immediate", "liquidating", "closed"]
    assert float(diary.account()["ratio"]) >= 1.5


def test_simulate_never_fills_a_suspended_security() -> None:
    diary = falling("simulate")
    reference = {"date": MONDAY, "kind": "stock", "board": "main", "suspended": True}
    for security in (BANK, CHIPS):
        diary.book.reference("reference.securities", {"security": security} | reference)
    held = diary.account()["evidence"]["positions"]
    diary.session("clock")
    assert diary.account()["evidence"]["positions"] == held
    assert diary.events() == ["immediate", "liquidating"]


def test_what_cannot_be_sold_today_is_planned_again_at_the_next_continuous() -> None:
    diary = Diary()
    diary.session("pre_open")
    diary.at(MONDAY, "09:30").session("continuous")
    reference = {"security": BANK, "date": MONDAY, "kind": "stock", "board": "main", "suspended": True}
    diary.book.reference("reference.securities", reference)
    diary.price(BANK, "10.00")
    diary.book.event(opening("0", {BANK: 100_000}, "900000", preset="D"))
    assert orders(diary) == []
    assert plans(diary)[0]["residual"] == [{"security": BANK, "qty": 100_000, "why": "suspended"}]
    diary.session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.book.reference("reference.securities", reference | {"date": TUESDAY, "suspended": False})
    diary.at(TUESDAY, "09:30").session("continuous")
    assert {order["security"] for order in orders(diary)} == {BANK}


def test_nothing_left_to_sell_and_debt_remaining_is_a_shortfall_told_once() -> None:
    diary = Diary("simulate")
    diary.session("pre_open")
    diary.at(MONDAY, "09:30").session("continuous")
    diary.price(BANK, "10.00")
    diary.book.event(opening("0", {BANK: 1_000}, "100000", preset="D"))
    for _ in range(3):
        diary.session("clock")
    diary.session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.at(TUESDAY, "09:30").session("continuous")
    diary.session("settled")
    assert diary.events() == ["immediate", "liquidating", "shortfall"]
    assert diary.account()["level"] == "immediate"


def test_plans_that_pass_the_ceiling_together_are_all_held_until_approved() -> None:
    diary = falling(accounts=("A1", "A2", "A3"), ceiling_accounts=2)
    assert orders(diary) == []
    assert [plan["held"] for plan in plans(diary)] == [True, True, True]
    assert [event["kind"] for event in diary.book.alerts("system.events")] == ["hold"]
    said = diary.command("approve", account="A2")
    assert {order["account"] for order in orders(diary, said)} == {"A2"}
    liquidating = next(record for record in said if record.get("event") == "liquidating")
    assert liquidating["command"] == {"id": "c1", "by": "op"}
    assert {order["account"] for order in orders(diary, diary.command("approve", account="*"))} == {
        "A1",
        "A2",
        "A3",
    } - {"A2"}


@pytest.mark.parametrize(("ceiling", "held"), [(250_000, True), (10_000_000, False)])
def test_the_ceiling_counts_yuan_too(ceiling: int, held: bool) -> None:
    diary = falling(ceiling_yuan=ceiling)
    assert (orders(diary) == []) == held


def test_approve_in_propose_mode_is_named_by_the_next_record() -> None:
    diary = falling()
    said = diary.command("approve")
    record = next(record for record in said if record.get("event") == "liquidating")
    assert record["command"] == {"id": "c1", "by": "op"}
    assert record["step"] == 3
    assert orders(diary, said) == []


def test_hold_stops_simulated_fills_and_resume_lets_them_go_on() -> None:
    diary = falling("simulate")
    diary.command("hold")
    diary.session("clock")
    assert diary.events() == ["immediate", "liquidating"]
    diary.command("resume")
    diary.session("clock")
    assert diary.events()[-1] == "closed"
    assert diary.book.alerts("margin.calls")[-1]["command"] == {"id": "c2", "by": "op"}


def called() -> Diary:
    diary = Diary()
    diary.session("pre_open")
    diary.price(BANK, "12.50")
    diary.book.event(opening("0", {BANK: 100_000}, "1000000", preset="A"))
    diary.session("settled")
    return diary


def test_a_longer_deadline_is_kept_and_named() -> None:
    diary = called()
    diary.command("extend_deadline", days=1)
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.session("settled")
    assert diary.events()[-1] == "called"
    diary.at(WEDNESDAY, "09:00").session("pre_open")
    diary.session("settled")
    expired = diary.book.alerts("margin.calls")[-1]
    assert (expired["event"], expired["deadline"], expired["liquidate_from"]) == ("expired", "T+2", "T+3")
    assert expired["command"] == {"id": "c1", "by": "op"}


def test_acknowledge_is_named_by_the_next_record_of_that_alert_only() -> None:
    diary = called()
    diary.command("acknowledge", alert="A1:2024-01-02:1:1")
    diary.command("acknowledge", alert="A1:2025-04-07:1:2")
    said = diary.event("cash", amount="100", reason="deposit")
    assert next(r for r in said if r.get("event") == "partly_met")["command"] == {"id": "c2", "by": "op"}
    said = diary.event("cash", amount="100", reason="deposit")
    assert "command" not in next(r for r in said if r.get("event") == "partly_met")


def test_set_preset_changes_the_lines_at_once() -> None:
    diary = Diary()
    diary.price(BANK, "14.50")
    diary.book.event(opening("0", {BANK: 100_000}, "1000000", preset="C"))
    assert diary.account()["level"] == "normal"
    diary.command("set_preset", preset="A")
    assert diary.account()["level"] == "warn"
    assert diary.events() == ["warned"]


def test_a_preset_that_liquidates_in_real_time_does_so_although_the_level_was_there_before() -> None:
    diary = Diary()
    diary.at(MONDAY, "10:00").price(BANK, "10.50")
    diary.book.event(opening("0", {BANK: 100_000}, "1000000", preset="C"))
    assert diary.events() == ["below_min"]
    diary.command("set_preset", preset="D")
    assert diary.events() == ["below_min", "immediate", "liquidating"]


def test_hope_for_a_written_off_debt_is_judged_at_once_in_real_time() -> None:
    diary = Diary()
    diary.session("pre_open")
    diary.at(MONDAY, "09:30").session("continuous")
    diary.price(BANK, "12.00")
    diary.book.event(opening("1200", {}, "1000", preset="D"))
    diary.event("cash", amount="-1200", reason="withdrawal")
    assert diary.events() == ["below_min", "immediate", "shortfall"]
    diary.event("cash", amount="500", reason="deposit")
    assert diary.events()[3:] == ["immediate", "liquidating"]


def test_a_written_off_account_told_again_is_judged_once_there_is_something_to_sell() -> None:
    diary = Diary()
    diary.session("pre_open")
    diary.at(MONDAY, "09:30").session("continuous")
    diary.price(BANK, "12.00")
    diary.book.event(opening("0", {BANK: 100}, "1000000", preset="D"))
    diary.fill("sell_to_repay", BANK, 100, "12.00", order="A1:2025-04-07:1:o1.1")
    assert diary.events() == ["immediate", "liquidating", "shortfall"]
    for held, owed, events in ((0, "998800", []), (1000, "1998800", ["immediate", "liquidating"])):
        again = {"ts": diary.ts + 1000, "id": f"again {held}"}
        said = diary.book.event(opening("0", {BANK: held}, owed, preset="D") | again)
        assert diary.events(said) == events


def test_a_command_about_somebody_elses_account_changes_nothing() -> None:
    diary = called()
    before = list(diary.book.core.state_rows())
    assert diary.command("hold", account="B9") == []
    assert list(diary.book.core.state_rows()) == before


def test_the_afternoon_does_not_plan_again_while_orders_are_open() -> None:
    diary = falling("auto")
    diary.session("break")
    diary.session("continuous")
    assert [plan["batch"] for plan in plans(diary)] == [1]
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.at(TUESDAY, "09:30").session("continuous")
    assert [plan["batch"] for plan in plans(diary)] == [1, 2]


def test_an_account_with_something_unpriced_is_not_liquidated_on_it() -> None:
    diary = falling("simulate")
    diary.event("transfer", security="600999.SH", qty=100, reason="collateral_in")
    diary.session("clock")
    assert diary.events() == ["immediate", "liquidating"]
    diary.price("600999.SH", "1.00")
    diary.session("clock")
    assert diary.events()[-1] == "closed"
