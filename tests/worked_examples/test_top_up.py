"""E4: the call of a book at 1.25, what cures it, and the fen on either side."""

from __future__ import annotations

import pytest

from tests.oracle.driver import Driver
from tests.worked_examples.records import BANK, MONDAY, PRESET, TUESDAY, deposit, financed, happens, opening
from tests.worked_examples.trading import close_of, events_of, morning


def called(value: str, debt: str = "1000000", **lines: str) -> Driver:
    """An account with 100,000 shares worth `value` in all, called at Monday's settlement."""
    driver = Driver()
    driver.reference("reference.rules", {**PRESET, **lines})
    price = f"{int(value) / 100_000:.2f}"
    morning(driver, {BANK: price})
    driver.event(opening(held={BANK: 100_000}, owes=[financed(debt)], preset="X"))
    driver.session("close", MONDAY, "15:00")
    driver.session("settled", MONDAY, "16:00")
    return driver


@pytest.mark.parametrize(
    ("value", "lines", "shortfall"),
    [
        ("1250000", {}, "250000.00"),
        ("1250000", {"target": "1.60"}, "350000.00"),
        ("1800000", {"warn": "2.20", "min": "2.00", "target": "2.20"}, "400000.00"),
    ],
)
def test_e4_the_call_names_the_cash_that_brings_the_ratio_to_the_target(
    value: str, lines: dict[str, str], shortfall: str
) -> None:
    call = called(value, **lines).calls()[-1]
    assert call["event"] == "called"
    assert call["shortfall"] == shortfall
    assert call["deadline"] == "T+1"
    assert call["liquidate_from"] == "T+2"


def after_tuesday(driver: Driver, *events: dict[str, object]) -> list[str]:
    before = len(driver.outputs)
    morning(driver, {BANK: "12.50"}, TUESDAY)
    for event in events:
        driver.event(event)
    driver.session("settled", TUESDAY, "16:00")
    return events_of(driver.calls(driver.outputs[before:]))


def test_e4_the_exact_deposit_cures() -> None:
    assert after_tuesday(called("1250000"), deposit("250000.00", day=TUESDAY)) == ["cured"]


def test_e4_a_deposit_one_fen_short_does_not() -> None:
    expected = ["partly_met", "expired"]
    assert after_tuesday(called("1250000"), deposit("249999.99", day=TUESDAY)) == expected


def test_two_part_deposits_add_up() -> None:
    first = deposit("100000", day=TUESDAY, event_id="d1")
    second = deposit("150000", day=TUESDAY, event_id="d2")
    assert after_tuesday(called("1250000"), first, second) == ["partly_met", "cured"]


def test_e4_a_repeated_deposit_counts_once() -> None:
    half = deposit("125000", day=TUESDAY)
    assert after_tuesday(called("1250000"), half, half) == ["partly_met", "expired"]


@pytest.mark.parametrize(("amount", "last"), [("166666.67", "cured"), ("166666.66", "expired")])
def test_e4_repayment_with_money_from_outside(amount: str, last: str) -> None:
    money = deposit(amount, day=TUESDAY, event_id="d1")
    repay = happens("repay", amount=amount, day=TUESDAY, clock="10:01", event_id="r1")
    assert after_tuesday(called("1250000"), money, repay)[-1] == last


@pytest.mark.parametrize(("qty", "last"), [(40_000, "cured"), (39_999, "expired")])
def test_e4_selling_500000_at_no_cost_and_repaying(qty: int, last: str) -> None:
    sale = happens("fill", business="sell_to_repay", security=BANK, qty=qty, price="12.50", day=TUESDAY)
    assert after_tuesday(called("1250000"), sale)[-1] == last


def test_the_shortfall_is_rounded_up_to_a_fen() -> None:
    """1.5 x 833,333.337 - 1,000,000 = 250,000.0055."""
    call = called("1000000", debt="833333.337").calls()[-1]
    assert call["shortfall"] == "250000.01"


@pytest.mark.parametrize(("price", "events"), [("13.00", ["warned"]), ("12.99", ["below_min", "called"])])
def test_a_ratio_of_exactly_130_does_not_call(price: str, events: list[str]) -> None:
    driver = Driver()
    driver.reference("reference.rules", PRESET)
    morning(driver, {BANK: price})
    driver.event(opening(held={BANK: 100_000}, owes=[financed("1000000")], preset="X"))
    driver.session("settled", MONDAY, "16:00")
    assert events_of(driver.calls()) == events


@pytest.mark.parametrize(("price", "level"), [("15.00", "normal"), ("14.99", "warn")])
def test_a_ratio_of_exactly_150_does_not_warn(price: str, level: str) -> None:
    driver = Driver()
    driver.reference("reference.rules", PRESET)
    morning(driver, {BANK: price})
    driver.event(opening(held={BANK: 100_000}, owes=[financed("1000000")], preset="X"))
    assert driver.account("A1")["level"] == level


@pytest.mark.parametrize(("price", "level"), [("15.09", "warn"), ("15.10", "normal")])
def test_a_warned_account_recovers_only_at_the_line_plus_rearm(price: str, level: str) -> None:
    driver = Driver()
    driver.reference("reference.rules", PRESET)
    morning(driver, {BANK: "14.99"})
    driver.event(opening(held={BANK: 100_000}, owes=[financed("1000000")], preset="X"))
    driver.trade(BANK, opening(clock="10:00")["ts"], price, evaluate=True)
    assert driver.account("A1")["level"] == level
    assert events_of(driver.calls()) == ["warned"] + (["recovered"] if level == "normal" else [])


def test_price_recovery_to_the_target_cures_by_itself() -> None:
    assert close_of(called("1250000"), TUESDAY, {BANK: "15.00"}) == ["cured"]
