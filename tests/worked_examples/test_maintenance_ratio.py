"""E1, E2, E3: the maintenance ratio (维持担保比例) of literal books."""

from __future__ import annotations

import pytest

from tests.oracle.driver import Driver
from tests.worked_examples.records import BANK, CHIPS, MONDAY, borrowed, financed, opening
from tests.worked_examples.trading import morning


def test_e1_long_only_book() -> None:
    driver = Driver()
    morning(driver, {BANK: "12.00"})
    owes = [financed("400000", opened="2025-03-03", accrued="1234.56")]
    driver.event(opening(cash="200000", held={BANK: 50_000}, owes=owes))
    account = driver.account("A1")
    assert account["assets"] == "800000.00"
    assert account["debt"] == "401234.56"
    assert account["ratio"] == "1.993846"


def test_e2_a_short_counts_in_the_debt_at_todays_price_and_its_proceeds_in_the_cash() -> None:
    driver = Driver()
    morning(driver, {"600001.SH": "25.50", "600002.SH": "19.50", "600003.SH": "33.00"})
    owes = [
        financed("200000", security="600002.SH", opened="2025-03-03", accrued="2345.67"),
        borrowed("600003.SH", 10_000, "30.00"),
    ]
    held = {"600001.SH": 20_000, "600002.SH": 10_000}
    driver.event(opening(cash="1300000", held=held, owes=owes))
    account = driver.account("A1")
    assert account["assets"] == "2005000.00"
    assert account["debt"] == "532345.67"
    assert account["ratio"] == "3.766350"


@pytest.mark.parametrize(
    ("valuation", "assets", "ratio"),
    [
        ({"valuation": "last"}, "650000.00", "1.625000"),
        ({"valuation": "index_adjusted", "fair_price": "12.30"}, "596000.00", "1.490000"),
        ({"valuation": "manual", "fair_price": "12.30"}, "596000.00", "1.490000"),
        ({"valuation": "exclude"}, "350000.00", "0.875000"),
    ],
)
def test_e3_a_suspended_security_counts_as_its_valuation_says(
    valuation: dict[str, str], assets: str, ratio: str
) -> None:
    driver = Driver()
    suspended = {"security": CHIPS, "date": "2025-04-07", "kind": "stock", "board": "main", "suspended": True}
    driver.reference("reference.securities", {**suspended, "prev_close": "15.00", **valuation})
    morning(driver, {BANK: "10.00"})
    driver.event(opening(cash="50000", held={BANK: 30_000, CHIPS: 20_000}, owes=[financed("400000")]))
    driver.session("close", MONDAY, "15:00")
    driver.session("settled", MONDAY, "16:00")
    latest = driver.of("margin.ratios")[-1]
    assert latest["assets"] == assets
    assert latest["debt"] == "400000.00"
    assert latest["ratio"] == ratio
    if valuation["valuation"] != "last":
        assert latest["ratio_last_close"] == "1.625000"


def test_a_book_without_debt_has_no_ratio() -> None:
    driver = Driver()
    morning(driver, {BANK: "12.00"})
    driver.event(opening(cash="200000", held={BANK: 50_000}))
    account = driver.account("A1")
    assert account["ratio"] is None
    assert account["level"] == "no_debt"


def test_a_holding_without_any_price_is_unpriced_and_never_called() -> None:
    driver = Driver()
    morning(driver, {BANK: "1.00"})
    driver.event(opening(held={BANK: 100, CHIPS: 100}, owes=[financed("400000")]))
    driver.session("settled", MONDAY, "16:00")
    assert driver.account("A1")["level"] == "unpriced"
    assert driver.of("margin.ratios")[-1]["unpriced"] == [CHIPS]
    assert driver.calls() == []
    assert driver.of("liquidation.orders") == []
