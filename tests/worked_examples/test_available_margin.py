"""E6 and the margin of E5: available margin (保证金可用余额), gains and losses kept apart by contract."""

from __future__ import annotations

from tests.oracle.driver import Driver
from tests.worked_examples.records import MONDAY, Record, borrowed, financed, opening
from tests.worked_examples.trading import morning

PRICES = {
    "600001.SH": ("20.00", "0.65"),
    "600002.SH": ("100.00", "0.95"),
    "600003.SH": ("15.00", "0"),
    "600004.SH": ("22.00", "0.70"),
    "600005.SH": ("9.00", "0.60"),
    "600006.SH": ("22.00", "0.65"),
    "600007.SH": ("33.50", "0.60"),
}


def firm(prices: dict[str, tuple[str, str]]) -> Driver:
    driver = Driver()
    for security, (_, haircut) in prices.items():
        kind = "treasury" if haircut == "0.95" else "stock"
        about = {"security": security, "date": MONDAY.isoformat(), "kind": kind, "board": "main"}
        driver.reference("reference.securities", {**about, "haircut": haircut})
    morning(driver, {security: price for security, (price, _) in prices.items()})
    return driver


def test_e6_mixed_gains_and_losses_mixed_vintages() -> None:
    driver = firm(PRICES)
    held = {"600001.SH": 10_000, "600002.SH": 5_000, "600003.SH": 8_000, "600004.SH": 10_000}
    of_200000: Record = {"opened": "2025-03-03", "price": "20"}
    driver.event(
        opening(
            cash="900000",
            held={**held, "600005.SH": 20_000},
            owes=[
                financed("200000", security="600004.SH", qty=10_000, margin_ratio="1.00", **of_200000),
                financed(
                    "200000",
                    security="600005.SH",
                    contract="F2",
                    qty=20_000,
                    margin_ratio="0.80",
                    accrued="3210.98",
                    **of_200000,
                ),
                borrowed("600006.SH", 10_000, "25.00", margin_ratio="1.00"),
                borrowed("600007.SH", 4_000, "30.00", contract="S2", margin_ratio="0.50"),
            ],
        )
    )
    account = driver.account("A1")
    assert account["available_margin"] == "484289.02"
    assert account["assets"] == "2120000.00"
    assert account["debt"] == "757210.98"
    assert account["ratio"] == "2.799748"


def test_e5_available_margin_of_a_financed_gain_of_nothing() -> None:
    driver = firm({"600001.SH": ("100.00", "0.65"), "600002.SH": ("100.00", "0.65")})
    contract = financed(
        "1000000",
        security="600002.SH",
        qty=10_000,
        price="100",
        margin_ratio="1.00",
        opened="2025-03-03",
        accrued="5000",
    )
    driver.event(opening(cash="300000", held={"600001.SH": 20_000, "600002.SH": 10_000}, owes=[contract]))
    account = driver.account("A1")
    assert account["available_margin"] == "595000.00"
    assert account["ratio"] == "3.283582"
