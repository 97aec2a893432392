"""E10 (a)-(d): what is sold to bring a book at 1.252151 back to 150 %."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.driver import Driver, Record
from tests.oracle.moments import at
from tests.worked_examples.records import BANK, CHIPS, MONDAY, PRESET, TUESDAY, financed, opening

HELD = {BANK: 100_000, CHIPS: 5_137}


def plan_of(sellable: dict[str, int], liquidation: str = "propose", **bank_quote: Any) -> Driver:
    """The account is below its immediate line of 126 % in continuous trading: planned at once."""
    driver = Driver(liquidation=liquidation)
    driver.reference("reference.rules", {**PRESET, "immediate": "1.26", "immediate_mode": "realtime"})
    for security, board in ((BANK, "main"), (CHIPS, "star")):
        reference = {"security": security, "date": "2025-04-07", "kind": "stock", "board": board}
        driver.reference("reference.securities", reference)
    driver.session("pre_open", MONDAY, "09:00")
    driver.session("continuous", MONDAY, "09:30")
    quote = {"ts": at(MONDAY, "09:31"), "ask": [["8.01", 100]], "bid": [["8.00", 100]]}
    driver.quote({**quote, "security": BANK, "last": "8.00", **bank_quote})
    chips = {"ask": [["50.01", 200]], "bid": [["50.00", 200]]}
    driver.quote({**quote, "security": CHIPS, "last": "50.00", **chips})
    driver.event(
        opening(
            cash="20000", held=HELD, owes=[financed("860000")], sellable=sellable, clock="09:40", preset="X"
        )
    )
    return driver


def orders_of(driver: Driver) -> list[Record]:
    return [record for record in driver.of("liquidation.orders") if "business" in record]


def plan_record(driver: Driver) -> Record:
    return next(record for record in driver.of("liquidation.orders") if record.get("event") == "plan")


def sold(driver: Driver) -> list[tuple[str, int]]:
    return [(order["security"], order["qty"]) for order in orders_of(driver) if order["business"] != "repay"]


def test_e10_the_book_stands_at_1252151_and_its_own_cash_repays_first() -> None:
    driver = plan_of({BANK: 70_000})
    immediate = driver.calls()[0]
    assert immediate["event"] == "immediate"
    assert immediate["assets"] == "1076850.00"
    assert immediate["ratio"] == "1.252151"
    first = orders_of(driver)[0]
    assert first["business"] == "repay"
    assert first["amount"] == "20000.00"
    assert first["forced"] is True
    assert first["mode"] == "propose"


def test_e10_a_enough_of_the_larger_holding_is_sellable() -> None:
    driver = plan_of({BANK: 70_000})
    assert sold(driver) == [(BANK, 51_000)]
    assert plan_record(driver)["ratio_after"] == "1.500890"
    kept = {"security": BANK, "qty": 30_000, "why": "t+1"}
    assert plan_record(driver)["residual"] == [kept]


def test_e10_b_what_was_bought_today_is_not_sold_and_the_next_holding_fills_up() -> None:
    driver = plan_of({BANK: 30_000})
    assert sold(driver) == [(BANK, 30_000), (CHIPS, 3_345)]
    assert plan_record(driver)["ratio_after"] == "1.500025"


def test_e10_c_whole_lots_with_the_odd_remainder_in_one_order() -> None:
    driver = plan_of({BANK: 50_950})
    assert sold(driver) == [(BANK, 50_950)]
    assert plan_record(driver)["ratio_after"] == "1.500428"


LOCKED: dict[str, Any] = {"bid": [], "limit_down": "8.00"}
"""The last price is the lower limit and nobody bids: not sellable (rulebook 7.5)."""


def test_e10_d_a_locked_stock_stays_in_the_residual() -> None:
    driver = plan_of({BANK: 70_000}, **LOCKED)
    assert sold(driver) == [(CHIPS, 5_137)]
    plan = plan_record(driver)
    assert plan["ratio_after"] == "1.371401"
    assert [(left["security"], left["why"]) for left in plan["residual"]] == [(BANK, "limit_down")]
    later = {"business": "sell_to_repay", "security": BANK, "qty": 18_800, "price": "8.00"}
    assert plan["later"] == [later]


def test_e10_d_the_next_session_sells_what_is_still_needed() -> None:
    """150,378.48 gross at 8.00 are 18,800 shares."""
    driver = plan_of({BANK: 70_000}, "simulate", **LOCKED)
    driver.session("clock", MONDAY, "10:00")
    assert driver.account("A1")["ratio"] == "1.371401"
    driver.session("settled", MONDAY, "16:00")
    driver.session("pre_open", TUESDAY, "09:00")
    unlocked = {"last": "8.00", "bid": [["8.00", 100]], "limit_down": "7.20"}
    driver.quote({"security": BANK, "ts": at(TUESDAY, "09:26"), **unlocked})
    driver.session("continuous", TUESDAY, "09:30")
    assert sold(driver)[1:] == [(BANK, 18_800)]


def test_the_price_of_a_forced_order_is_the_floor_of_the_price_cage() -> None:
    """Main board, best bid 8.00: 98 % is lower than ten ticks below. STAR, best bid 50.00: 98 %."""
    prices = {order["security"]: order["price"] for order in orders_of(plan_of({BANK: 30_000}))[1:]}
    assert prices == {BANK: "7.84", CHIPS: "49.00"}


@pytest.mark.parametrize("mode", ["propose", "auto", "simulate"])
def test_every_mode_names_itself_and_plans_the_same(mode: str) -> None:
    driver = plan_of({BANK: 70_000}, mode)
    assert sold(driver) == [(BANK, 51_000)]
    assert {order["mode"] for order in orders_of(driver)} == {mode}


def test_simulated_fills_bring_the_account_back_and_close_the_call() -> None:
    driver = plan_of({BANK: 70_000}, "simulate")
    driver.session("clock", MONDAY, "10:00")
    assert driver.calls()[-1]["event"] == "closed"
    account = driver.account("A1")
    assert account["assets"] == "648850.00"
    assert account["debt"] == "432310.08"
    assert account["ratio"] == "1.500890"


def test_filled_orders_of_the_account_close_the_call() -> None:
    driver = plan_of({BANK: 70_000})
    repay, sale = orders_of(driver)
    common = {"account": "A1", "ts": at(MONDAY, "10:00")}
    driver.event({**common, "id": "r", "kind": "repay", "amount": repay["amount"]})
    fill = {**common, "id": "f", "kind": "fill", "business": "sell_to_repay", "security": BANK}
    driver.event({**fill, "qty": 51_000, "price": "8.00", "fee": "310.08", "order": sale["id"]})
    assert driver.calls()[-1]["event"] == "closed"
    assert driver.account("A1")["ratio"] == "1.500890"


def test_half_a_fill_and_the_rest_cancelled_makes_a_second_plan() -> None:
    driver = plan_of({BANK: 70_000})
    repay, sale = orders_of(driver)
    common = {"account": "A1", "ts": at(MONDAY, "10:00")}
    driver.event({**common, "id": "r", "kind": "repay", "amount": repay["amount"]})
    fill = {**common, "id": "f", "kind": "fill", "business": "sell_to_repay", "security": BANK}
    driver.event({**fill, "qty": 30_000, "price": "8.00", "fee": "182.40", "order": sale["id"]})
    closed = {**common, "id": "c", "kind": "order_closed", "order": sale["id"], "reason": "cancelled"}
    driver.event(closed)
    assert sold(driver) == [(BANK, 51_000), (BANK, 21_000)]
    assert driver.calls()[-1]["event"] == "liquidating"
