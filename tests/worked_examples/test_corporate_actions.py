"""E14: between ex-date and payment the right counts: an asset of the holder, a debt of the short."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.driver import Driver
from tests.worked_examples.records import (
    BANK,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    borrowed,
    financed,
    happens,
    opening,
)
from tests.worked_examples.trading import morning


def on_ex_date(
    book: dict[str, Any], ex_price: str, action: dict[str, Any] | None, *before: dict[str, Any]
) -> Driver:
    """Monday closes at 20.00, with events `before` the close; Tuesday is the ex-date and opens at the
    adjusted previous close.
    """
    driver = Driver()
    if action is not None:
        record = {"action": "ca-1", "security": BANK, "ex_date": "2025-04-08", **action}
        driver.reference("reference.actions", record)
    morning(driver, {BANK: "20.00"})
    driver.event(opening(**book))
    for event in before:
        driver.event(event)
    driver.session("close", MONDAY, "15:00")
    driver.session("settled", MONDAY, "16:00")
    reference = {"security": BANK, "date": "2025-04-08", "kind": "stock", "board": "main"}
    driver.reference("reference.securities", {**reference, "prev_close": ex_price})
    driver.session("pre_open", TUESDAY, "09:00")
    driver.session("clock", TUESDAY, "09:01")
    return driver


HOLDER: dict[str, Any] = {"cash": "10000", "held": {BANK: 10_000}, "owes": [financed("120000")]}
DIVIDEND = {"kind": "dividend", "cash_per_share": "1.00"}
BONUS = {"kind": "bonus", "shares_per_share": "1.0"}
RIGHTS = {"kind": "rights", "shares_per_share": "0.3", "price": "12.00"}
OPEN_RIGHTS = {**RIGHTS, "pay_date": "2025-04-09"}


@pytest.mark.parametrize(
    ("ex_price", "action", "ratio"),
    [
        ("20.00", None, "1.750000"),
        ("19.00", None, "1.666667"),
        ("19.00", DIVIDEND, "1.750000"),
        ("19.00", {**DIVIDEND, "tax": "0.20"}, "1.733333"),
        ("10.00", None, "0.916667"),
        ("10.00", BONUS, "1.750000"),
        ("18.15", None, "1.595833"),
        ("18.15", RIGHTS, "1.595833"),
        ("18.15", OPEN_RIGHTS, "1.749583"),
    ],
)
def test_e14_ratio_on_the_ex_date(ex_price: str, action: dict[str, Any] | None, ratio: str) -> None:
    assert on_ex_date(HOLDER, ex_price, action).account("A1")["ratio"] == ratio


def test_the_dividend_paid_takes_the_place_of_what_was_in_transit() -> None:
    driver = on_ex_date(HOLDER, "19.00", DIVIDEND)
    paid = happens("cash", amount="10000", reason="dividend", action="ca-1", day=TUESDAY)
    driver.event(paid)
    assert driver.account("A1")["ratio"] == "1.750000"
    assert driver.account("A1")["assets"] == "210000.00"


def test_the_bonus_shares_credited_take_the_place_of_what_was_in_transit() -> None:
    driver = on_ex_date(HOLDER, "10.00", BONUS)
    driver.event(happens("transfer", security=BANK, qty=10_000, reason="bonus", action="ca-1", day=TUESDAY))
    assert driver.account("A1")["ratio"] == "1.750000"
    assert driver.account("A1")["assets"] == "210000.00"


def test_a_short_of_the_dividend_stock_owes_the_dividend() -> None:
    book = {"cash": "250000", "owes": [borrowed(BANK, 5_000, "20.00")]}
    account = on_ex_date(book, "19.00", DIVIDEND).account("A1")
    assert account["debt"] == "100000.00"
    assert account["ratio"] == "2.500000"


def test_a_bonus_doubles_what_a_short_owes_in_shares() -> None:
    book = {"cash": "250000", "owes": [borrowed(BANK, 5_000, "20.00")]}
    account = on_ex_date(book, "10.00", BONUS).account("A1")
    assert account["debt"] == "100000.00"
    assert account["ratio"] == "2.500000"


def test_a_false_liquidation_does_not_come_from_a_bonus() -> None:
    """The price halves overnight; without the shares in transit preset C would dispose of the account."""
    driver = on_ex_date({**HOLDER, "preset": "C"}, "10.00", BONUS)
    driver.session("settled", TUESDAY, "16:00")
    assert driver.calls() == []


def test_e14_the_subscription_needs_36_000_and_counts_whenever_it_is_paid() -> None:
    """Before the ex-date the money is in transit, from then on the shares it pays for are."""
    funds = happens("cash", amount="26000", reason="deposit", event_id="funds")
    pays = happens("cash", amount="-36000", reason="rights", action="ca-1", event_id="pays")
    early = on_ex_date(HOLDER, "18.15", RIGHTS, funds, pays)
    assert early.of("margin.ratios")[-1]["ratio"] == "1.966667"
    late = on_ex_date(HOLDER, "18.15", OPEN_RIGHTS, funds)
    late.event({**pays, "ts": pays["ts"] + 86_400_000})
    for driver in (early, late):
        account = driver.account("A1")
        assert account["evidence"]["cash"] == "0.00"
        assert account["evidence"]["in_transit"] == "54450.00"
        assert account["ratio"] == "1.966250"


def test_rights_nobody_subscribed_are_worth_nothing_from_the_pay_date_on() -> None:
    driver = on_ex_date(HOLDER, "18.15", OPEN_RIGHTS)
    driver.session("settled", TUESDAY, "16:00")
    driver.session("pre_open", WEDNESDAY, "09:00")
    assert driver.account("A1")["ratio"] == "1.595833"
    assert "in_transit" not in driver.account("A1")["evidence"]


def test_a_short_owes_the_worth_of_rights() -> None:
    book = {"cash": "250000", "owes": [borrowed(BANK, 5_000, "20.00")]}
    account = on_ex_date(book, "18.15", RIGHTS).account("A1")
    assert account["debt"] == "99975.00"
    assert account["ratio"] == "2.500625"
