"""Rulebook 17.1, items 1 to 6, through the real core over random books."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.oracle.driver import Driver
from tests.oracle.moments import at
from tests.worked_examples.records import BANK, CHIPS, MONDAY, Record, borrowed, financed, happens, opening
from tests.worked_examples.trading import close_of, morning

fen = st.integers(1, 100_000_000).map(lambda number: Decimal(number) / 100)
prices = st.integers(1, 100_000).map(lambda number: f"{number / 100:.2f}")
quantities = st.integers(1, 1_000_000)


@st.composite
def books(draw: st.DrawFn) -> tuple[Driver, Record]:
    """A core with one account: cash, a holding, a financing contract, often a short."""
    driver = Driver()
    quoted = {BANK: draw(prices), CHIPS: draw(prices)}
    morning(driver, quoted)
    owes = [financed(str(draw(fen)), margin_ratio="1.00")]
    if draw(st.booleans()):
        owes.append(borrowed(CHIPS, draw(quantities), draw(prices), margin_ratio="1.00"))
    book = opening(cash=str(draw(fen)), held={BANK: draw(quantities)}, owes=owes)
    driver.event(book)
    return driver, {**book, "prices": quoted}


def ratio(driver: Driver) -> Fraction:
    account = driver.account("A1")
    return Fraction(account["assets"]) / Fraction(account["debt"])


def margin(driver: Driver) -> Decimal:
    return Decimal(driver.account("A1")["available_margin"])


def haircut(driver: Driver, security: str, value: str) -> None:
    about = {"security": security, "date": MONDAY.isoformat(), "kind": "stock", "board": "main"}
    driver.reference("reference.securities", {**about, "haircut": value})


few = settings(max_examples=60, deadline=None)


@few
@given(books(), st.integers(1, 1000))
def test_1_selling_collateral_at_the_mark_without_cost_leaves_the_ratio(
    made: tuple[Driver, Record], part: int
) -> None:
    driver, book = made
    before = ratio(driver)
    qty = max(1, book["positions"][0]["qty"] * part // 1000)
    sale = happens("fill", business="collateral_sell", security=BANK, qty=qty, price=book["prices"][BANK])
    assert driver.of("dead.letters", driver.event(sale)) == []
    assert ratio(driver) == before


@few
@given(books(), st.integers(1, 999))
def test_2_repaying_from_own_cash_raises_a_ratio_above_one_and_lowers_one_below(
    made: tuple[Driver, Record], part: int
) -> None:
    driver, book = made
    before = ratio(driver)
    limit = min(Decimal(book["cash"]), Decimal(book["contracts"][0]["principal"]))
    amount = (limit * part / 1000).quantize(Decimal("0.01"))
    assume(amount > 0)
    driver.event(happens("repay", amount=str(amount)))
    assume(Decimal(driver.account("A1")["debt"]) > 0)
    after = ratio(driver)
    assert (after > before) == (before > 1)
    assert (after < before) == (before < 1)


@few
@given(books(), st.integers(1, 5_000))
def test_3_available_margin_never_rises_when_a_loss_deepens(made: tuple[Driver, Record], fall: int) -> None:
    driver, book = made
    haircut(driver, BANK, "0.65")
    before = margin(driver)
    price = Decimal(book["prices"][BANK]) * (10_000 - fall) / 10_000
    assume(price >= Decimal("0.001"))
    driver.trade(BANK, at(MONDAY, "10:30"), str(price.quantize(Decimal("0.001"))), evaluate=True)
    assert margin(driver) <= before


@few
@given(books(), st.integers(0, 70))
def test_4_a_haircut_never_changes_the_ratio(made: tuple[Driver, Record], percent: int) -> None:
    driver, _ = made
    before = ratio(driver)
    haircut(driver, BANK, f"{percent / 100:.2f}")
    haircut(driver, CHIPS, f"{percent / 100:.2f}")
    driver.session("clock", MONDAY, "10:00")
    assert ratio(driver) == before


@few
@given(books(), st.sampled_from(["0.50", "0.80", "1.20"]))
def test_5_a_new_margin_ratio_changes_neither_the_ratio_nor_old_contracts(
    made: tuple[Driver, Record], new: str
) -> None:
    driver, _ = made
    before, free = ratio(driver), margin(driver)
    about = {"security": BANK, "date": MONDAY.isoformat(), "kind": "stock", "board": "main"}
    driver.reference("reference.securities", {**about, "financing_margin": new, "lending_margin": new})
    driver.session("clock", MONDAY, "10:00")
    assert ratio(driver) == before
    assert margin(driver) == free


def a_week(falls: list[int]) -> tuple[bytes, list[Any], dict[str, bytes]]:
    """Books and falling closes; everything that came out, the state hash rows, and the snapshot as bytes."""
    driver = Driver()
    morning(driver, {BANK: "10.00"})
    for number in range(10):
        name, principal = f"A{number}", str(500_000 + number * 40_000)
        book = opening(name=name, held={BANK: 100_000}, owes=[financed(principal, rate="0.0835")], preset="D")
        driver.event(book)
    price = Decimal(10)
    for number, fall in enumerate(falls):
        price = (price * (1000 - fall) / 1000).quantize(Decimal("0.01"))
        close_of(driver, MONDAY.replace(day=8 + number), {BANK: str(price)})
    said = json.dumps([[o.topic, o.key, o.value] for o in driver.outputs]).encode()
    kept = {name: bytes(value) for name, value in driver.core.snapshot().items()}
    return said, list(driver.core.state_rows()), kept


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(-30, 120), min_size=1, max_size=5))
def test_6_the_same_days_twice_give_identical_bytes(falls: list[int]) -> None:
    assert a_week(falls) == a_week(falls)
