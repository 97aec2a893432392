"""Where two rules meet: cases that random histories found, said once more as examples."""

from __future__ import annotations

from tests.oracle.driver import Driver
from tests.oracle.moments import at
from tests.worked_examples.records import BANK, MONDAY, PRESET, TUESDAY, Record, financed, happens, opening
from tests.worked_examples.trading import morning


def test_shares_bought_today_stay_unsellable_today_when_they_are_frozen_and_released() -> None:
    driver = Driver()
    morning(driver, {BANK: "10.00"})
    driver.event(opening(cash="20000", held={BANK: 100}))
    bought: Record = {"business": "collateral_buy", "security": BANK, "qty": 300, "price": "10.00"}
    driver.event(happens("fill", event_id="buy", **bought))
    driver.event(happens("freeze", event_id="on", security=BANK, qty=400, reason="court"))
    driver.event(happens("freeze", event_id="off", security=BANK, qty=-400, reason="court"))
    assert driver.sellable("A1") == {BANK: 100}


def test_a_dividend_announced_on_its_ex_date_is_looked_at_by_the_next_evaluation() -> None:
    driver = Driver()
    morning(driver, {BANK: "1.30"})
    driver.event(opening(held={BANK: 100_000}, owes=[financed("100000")], preset="A"))
    assert [call["event"] for call in driver.calls()] == ["warned"]
    dividend = {"action": "d", "security": BANK, "ex_date": "2025-04-07", "kind": "dividend"}
    driver.reference("reference.actions", {**dividend, "cash_per_share": "0.30"})
    driver.session("clock", MONDAY, "10:31")
    assert [call["event"] for call in driver.calls()] == ["warned", "recovered"]


def test_a_day_nobody_settled_sends_no_orders_when_it_is_evaluated_late() -> None:
    driver = Driver()
    morning(driver, {BANK: "1.50"})
    driver.event(opening(held={BANK: 100_000}, owes=[financed("100000")], preset="C"))
    driver.trade(BANK, at(MONDAY, "14:50"), "1.05")
    driver.session("pre_open", TUESDAY, "09:00")
    assert [call["event"] for call in driver.calls()] == ["immediate"]
    assert driver.of("liquidation.orders") == []
    driver.session("continuous", TUESDAY, "09:30")
    assert [call["event"] for call in driver.calls()] == ["immediate", "liquidating"]


def test_an_opening_that_is_silent_on_credit_leaves_the_lines_as_they_are() -> None:
    driver = Driver()
    about = {"security": BANK, "date": "2025-04-07", "kind": "stock", "board": "main", "haircut": "0.65"}
    driver.reference("reference.securities", {**about, "financing": True})
    morning(driver, {BANK: "10.00"})
    lines = {"total": "5000", "financing": "5000", "lending": "0"}
    driver.event(opening(cash="100000", credit=lines))
    driver.event(opening(cash="100000", event_id="again"))
    order = {"account": "A1", "ts": at(MONDAY, "10:00"), "id": "o1", "business": "financing_buy"}
    order |= {"security": BANK, "qty": 600, "price": "10.00", "order_type": "limit"}
    driver.reference("account.orders", order)
    decision = driver.of("order.decisions")[-1]
    assert decision["decision"] == "reject"
    assert decision["rule"].startswith("credit_")
    assert decision["limit"] == 500


def test_a_level_whose_line_was_taken_away_ends_with_it() -> None:
    driver = Driver()
    driver.reference("reference.rules", {**PRESET, "immediate": "1.10"})
    morning(driver, {BANK: "1.00"})
    driver.event(opening(cash="-99900", held={BANK: 100_000}, owes=[financed("100000")], preset="X"))
    assert driver.account("A1")["level"] == "immediate"
    driver.reference("reference.rules", {**PRESET, "immediate": None})
    driver.session("clock", MONDAY, "10:01")
    assert driver.account("A1")["level"] == "below_min"
