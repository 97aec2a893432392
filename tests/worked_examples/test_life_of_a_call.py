"""E17: the life of a call under presets A to D and contracts of one's own."""

from __future__ import annotations

import pytest

from tests.oracle.driver import Driver
from tests.oracle.moments import at
from tests.worked_examples.records import (
    BANK,
    MONDAY,
    PRESET,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    financed,
    opening,
)
from tests.worked_examples.trading import close_of, events_of, morning


def monday_close(price: str, preset: str, **lines: str) -> tuple[Driver, list[str]]:
    """100,000 shares against a debt of 100,000: the price is the ratio, first looked at when settled."""
    driver = Driver()
    if lines:
        driver.reference("reference.rules", {**PRESET, **lines})
    morning(driver, {BANK: "2.00"})
    driver.event(opening(held={BANK: 100_000}, owes=[financed("100000")], preset=preset))
    driver.session("close", MONDAY, "15:00")
    driver.trade(BANK, at(MONDAY, "15:00"), price)
    settled = driver.session("settled", MONDAY, "16:00")
    return driver, events_of(driver.calls(settled))


def test_preset_a_129_calls_145_expires_and_is_liquidated_on_t_plus_2() -> None:
    driver, first = monday_close("1.29", "A")
    assert first == ["called"]
    assert close_of(driver, TUESDAY, {BANK: "1.45"}) == ["expired"]
    before = len(driver.outputs)
    driver.session("pre_open", WEDNESDAY, "09:00")
    assert driver.calls(driver.outputs[before:]) == []
    driver.session("continuous", WEDNESDAY, "09:30")
    said = driver.outputs[before:]
    assert events_of(driver.calls(said)) == ["liquidating"]
    assert [order["business"] for order in driver.of("liquidation.orders", said) if "business" in order] == [
        "sell_to_repay"
    ]


def test_preset_a_is_cured_by_a_close_at_exactly_150() -> None:
    driver, _ = monday_close("1.29", "A")
    assert close_of(driver, TUESDAY, {BANK: "1.50"}) == ["cured"]


def test_a_call_is_not_lifted_by_a_ratio_between_minimum_and_target() -> None:
    driver, _ = monday_close("1.29", "A")
    assert close_of(driver, TUESDAY, {BANK: "1.499"}) == ["expired"]


def test_the_target_reached_only_during_the_day_does_not_cure_when_the_close_decides() -> None:
    driver, _ = monday_close("1.29", "A")
    morning(driver, {BANK: "1.60"}, TUESDAY)
    driver.session("clock", TUESDAY, "10:00")
    driver.trade(BANK, at(TUESDAY, "14:50"), "1.40")
    driver.session("clock", TUESDAY, "14:51")
    driver.session("settled", TUESDAY, "16:00")
    assert events_of(driver.calls()) == ["called", "expired"]


def test_the_target_reached_during_the_day_cures_when_the_contract_says_intraday() -> None:
    driver, first = monday_close("1.29", "X", cure_at="intraday")
    assert first == ["called"]
    morning(driver, {BANK: "1.50"}, TUESDAY)
    driver.session("clock", TUESDAY, "10:00")
    assert events_of(driver.calls()) == ["called", "cured"]


def test_preset_b_gives_one_trading_day_more() -> None:
    driver, first = monday_close("1.29", "B")
    assert first == ["called"]
    assert close_of(driver, TUESDAY, {BANK: "1.45"}) == []
    assert close_of(driver, WEDNESDAY, {BANK: "1.45"}) == ["expired"]
    assert close_of(driver, THURSDAY, {BANK: "1.45"}) == ["liquidating"]


def test_preset_c_disposes_of_a_close_at_109_and_calls_at_110() -> None:
    assert monday_close("1.09", "C")[1] == ["immediate"]
    assert monday_close("1.10", "C")[1] == ["called"]


def test_preset_d_disposes_in_real_time_below_115() -> None:
    driver, _ = monday_close("1.60", "D")
    morning(driver, {BANK: "1.15"}, TUESDAY)
    driver.session("clock", TUESDAY, "10:00")
    assert events_of(driver.calls()) == ["below_min"]
    driver.trade(BANK, at(TUESDAY, "10:30"), "1.149")
    driver.session("clock", TUESDAY, "10:31")
    assert events_of(driver.calls()) == ["below_min", "immediate", "liquidating"]


@pytest.mark.parametrize(("floor", "events"), [("1.40", ["called"]), ("1.30", ["warned"])])
def test_from_2019_the_floor_is_the_contracts_own(floor: str, events: list[str]) -> None:
    assert monday_close("1.35", "X", min=floor)[1] == events


@pytest.mark.parametrize(("price", "events"), [("1.40", ["warned"]), ("1.399", ["called"])])
def test_a_close_at_the_contracts_floor_does_not_call(price: str, events: list[str]) -> None:
    assert monday_close(price, "X", min="1.40")[1] == events


def test_an_account_that_never_fell_below_a_line_says_nothing() -> None:
    assert monday_close("1.50", "A")[1] == []


def test_the_evidence_of_a_call_suffices_to_recompute_it() -> None:
    driver, _ = monday_close("1.29", "A")
    call = driver.calls()[-1]
    assert call["id"] == "A1:2025-04-07:1:1"
    assert call["account"] == "A1"
    assert call["date"] == "2025-04-07"
    assert call["ratio"] == "1.290000"
    assert call["assets"] == "129000.00"
    assert call["debt"] == "100000.00"
    assert call["evidence"]["cash"] == "0.00"
    position = call["evidence"]["positions"][0]
    assert position["security"] == BANK
    assert position["qty"] == 100_000
    assert position["price"] == "1.29"
    assert position["value"] == "129000.00"
    assert call["evidence"]["contracts"][0]["principal"] == "100000.00"
