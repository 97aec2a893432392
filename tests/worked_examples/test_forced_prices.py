"""E10 (e) and (f): forced orders that are expected to fill away from the mark, through the core."""

from __future__ import annotations

from tests.oracle.driver import Driver, Record
from tests.oracle.moments import at
from tests.worked_examples.records import BANK, CHIPS, MONDAY, PRESET, borrowed, financed, opening

OTHER = "600004.SH"


def trading(slippage: str, prices: dict[str, str]) -> Driver:
    """Continuous trading with these prices; an immediate line just below the target."""
    driver = Driver(liquidation="propose")
    lines = {"immediate": "1.30", "immediate_mode": "realtime", "slippage": slippage}
    driver.reference("reference.rules", PRESET | lines)
    for security, board in ((BANK, "main"), (CHIPS, "star"), (OTHER, "main")):
        reference = {"security": security, "date": "2025-04-07", "kind": "stock", "board": board}
        driver.reference("reference.securities", reference)
    driver.session("pre_open", MONDAY, "09:00")
    driver.session("continuous", MONDAY, "09:30")
    for security, price in prices.items():
        driver.trade(security, at(MONDAY, "09:31"), price)
    return driver


def told(driver: Driver) -> tuple[list[Record], Record]:
    records = driver.of("liquidation.orders")
    plan = next(record for record in records if record.get("event") == "plan")
    return [record for record in records if record.get("security")], plan


def test_e10_e_two_percent_below_the_mark_asks_for_3200_shares_more() -> None:
    driver = trading("0.02", {BANK: "8.00", CHIPS: "50.00"})
    driver.event(
        opening(cash="20000", held={BANK: 100_000, CHIPS: 5_137}, owes=[financed("860000")],
                sellable={BANK: 70_000}, clock="09:40", preset="X")
    )  # fmt: skip
    (sale,), plan = told(driver)
    assert (sale["security"], sale["qty"], sale["mark"], sale["expected_price"]) == (
        BANK, 54_200, "8.00", "7.84",
    )  # fmt: skip
    assert plan["ratio_after"] == "1.500379"


def test_e10_f_a_short_is_bought_back_above_the_mark_after_cash_paid_the_fees() -> None:
    """41.00 * 1.00244 on the price step is 41.10; the 1,000 owed in fees are paid first."""
    driver = trading("0.00244", {BANK: "12.00", OTHER: "41.00"})
    owes = [borrowed(OTHER, 10_000, "30.00", accrued="1000", opened="2025-03-03")]
    driver.event(opening(cash="400000", held={BANK: 10_000}, owes=owes, clock="09:40", preset="X"))
    (cover,), plan = told(driver)
    assert (cover["business"], cover["contract"], cover["qty"]) == ("buy_to_return", "S1", 4_800)
    assert (cover["mark"], cover["expected_price"]) == ("41.00", "41.10")
    repay = driver.of("liquidation.orders")[1]
    assert (repay["business"], repay["amount"]) == ("repay", "1000.00")
    assert plan["ratio_after"] == "1.508765"
