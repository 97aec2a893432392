"""The rulebook's worked examples about orders, through the core: E5, E7, E9, E11, E12 (section 17)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from agents.rules.schedule import Schedule
from tests.gate.counter import (
    BANK,
    CHIPS,
    GROWTH,
    INDEX_FUND,
    NORTH,
    Counter,
    Record,
    at,
    contract,
    position,
    with_value,
)

BEFORE, AFTER = "2015-08-03", "2015-08-04"


# -- E5: withdrawal at 300%


def withdrawing(margin_ratio: str, price: str = "100.00") -> Counter:
    day = "2016-03-01"
    counter = Counter(day)
    counter.security(BANK, prev_close=price)
    counter.security(GROWTH, prev_close="100.00", haircut="0.70")
    owed = contract(
        "F", GROWTH, day, 10_000, "100.00", principal="1000000", margin_ratio=margin_ratio, accrued="5000"
    )
    counter.trading()
    counter.open(
        cash="300000", positions=[position(BANK, 20_000), position(GROWTH, 10_000)], contracts=[owed]
    )
    return counter


@pytest.mark.parametrize(("margin_ratio", "most"), [("1.00", "285000.00"), ("1.50", "95000.00")])
def test_e5_cash_is_withdrawn_up_to_the_least_of_ratio_margin_and_own_cash(
    margin_ratio: str, most: str
) -> None:
    refused = withdrawing(margin_ratio).ask("withdraw_cash", amount=str(Decimal(most) + Decimal("0.01")))
    assert (refused["decision"], refused["limit"]) == ("reject", most)
    assert withdrawing(margin_ratio).says("withdraw_cash", amount=most) == ("accept", most)


def test_e5_the_ratio_binds_at_a_margin_of_100_percent_and_the_available_margin_at_150() -> None:
    assert withdrawing("1.00").why("withdraw_cash", amount="285000.01") == "mmr_withdraw_line"
    assert withdrawing("1.50").why("withdraw_cash", amount="95000.01") == "withdraw_within_available_margin"


@pytest.mark.parametrize(
    ("margin_ratio", "most", "ratio", "left"),
    [("1.00", 2800, "3.004975", "413000.00"), ("1.50", 1400, "3.144279", "4000.00")],
)
def test_e5_collateral_is_withdrawn_in_lots(margin_ratio: str, most: int, ratio: str, left: str) -> None:
    for too_much in (most + 50, most + 100):
        assert withdrawing(margin_ratio).says("withdraw_security", qty=too_much) == ("reject", most)
    counter = withdrawing(margin_ratio)
    accepted = counter.ask("withdraw_security", qty=most)
    assert (accepted["decision"], accepted["ratio_after"]) == ("accept", ratio)
    assert counter.ask("withdraw_cash", amount="1")["available_margin"] == left


def test_e5_at_exactly_300_percent_nothing_may_leave() -> None:
    """300,000 + 20,000 x 85.75 + 1,000,000 is three times 1,005,000."""
    counter = withdrawing("1.00", price="85.75")
    assert counter.book.ratio("A1") == "3.000000"
    assert counter.says("withdraw_cash", amount="0.01") == ("reject", "0.00")
    assert counter.says("withdraw_security", qty=100) == ("reject", 0)
    counter = withdrawing("1.00", price="85.76")
    assert counter.says("withdraw_cash", amount="200.01") == ("reject", "200.00")
    assert counter.says("withdraw_cash", amount="200.00") == ("accept", "200.00")


# -- E7: capacity by date


@pytest.mark.parametrize(
    ("business", "day", "client", "most"),
    [
        ("financing_buy", "2015-11-20", "individual", 200_000),
        ("financing_buy", "2015-11-23", "individual", 100_000),
        ("financing_buy", "2023-09-08", "individual", 100_000),
        ("financing_buy", "2023-09-11", "individual", 125_000),
        ("financing_buy", "2026-01-16", "individual", 125_000),
        ("financing_buy", "2026-01-19", "individual", 100_000),
        ("short_sell", "2023-10-27", "individual", 200_000),
        ("short_sell", "2023-10-30", "individual", 125_000),
        ("short_sell", "2023-10-30", "private_fund", 100_000),
        ("short_sell", "2024-07-22", "individual", 100_000),
        ("short_sell", "2024-07-22", "private_fund", 83_300),
    ],
)
def test_e7_a_million_of_available_margin_carries_by_date_and_client(
    business: str, day: str, client: str, most: int
) -> None:
    counter = Counter(day)
    counter.security()
    counter.trading()
    counter.open(**{"class": client})
    refused = counter.ask(business, qty=most + 100, price="10.00")
    assert (refused["decision"], refused["limit"]) == ("reject", most)
    accepted = counter.ask(business, qty=most, price="10.00")
    assert accepted["decision"] == "accept"
    assert counter.says(business, qty=100, price="10.00") == ("reject", 0)


# -- E9: uptick


def shorting(day: str = BEFORE, rules: Schedule | None = None, **more: Any) -> Counter:
    counter = Counter(day, rules)
    counter.security(**more)
    counter.trading()
    counter.open()
    return counter


def short(counter: Counter, price: str, **more: Any) -> str:
    return counter.why("short_sell", qty=100, price=price, **more)


def test_e9a_before_the_first_trade_a_short_sale_is_not_below_the_previous_close() -> None:
    counter = shorting()
    assert (short(counter, "9.99"), short(counter, "10.00")) == ("short_uptick", "accept")


def test_e9b_after_a_trade_a_short_sale_is_not_below_it() -> None:
    counter = shorting()
    counter.price("10.05")
    found = [short(counter, price) for price in ("10.04", "10.05", "10.06")]
    assert found == ["short_uptick", "accept", "accept"]


def test_e9c_the_reference_is_the_last_trade_and_not_the_close() -> None:
    counter = shorting()
    for price in ("10.05", "9.80"):
        counter.price(price)
    assert (short(counter, "9.79"), short(counter, "9.80")) == ("short_uptick", "accept")


def test_e9d_a_short_sale_at_market_is_refused() -> None:
    assert shorting().why("short_sell", qty=100) == "short_market_orders"


def test_e9e_own_shares_of_any_related_account_are_bound_up_to_the_borrowed_quantity() -> None:
    counter = shorting()
    lent = contract("S", BANK, "2015-07-30", 5_000, "11.00", type="lending")
    counter.open("{G}A", contracts=[lent])
    counter.open("{G}B", positions=[position(BANK, 8_000)])
    counter.price("9.80")
    below = {"account": "{G}B", "price": "9.75"}
    assert counter.says("collateral_sell", qty=8_000, **below) == ("reject", 3_000)
    assert counter.why("collateral_sell", qty=8_000, **below) == "short_uptick_own_shares"
    assert counter.says("collateral_sell", qty=3_000, **below) == ("accept", 3_000)
    assert counter.says("collateral_sell", qty=100, **below) == ("reject", 0)
    assert counter.why("collateral_sell", account="{G}B", qty=5_000, price="9.80") == "accept"


def test_e9f_funds_are_bound_too_unless_the_rules_say_they_are_exempt() -> None:
    fund = {"kind": "etf", "prev_close": "9.800"}
    exempt = with_value("short_uptick_etf", "exempt")
    for rules, expected in ((None, "short_uptick"), (exempt, "accept")):
        counter = shorting(rules=rules, security=INDEX_FUND, **fund)
        counter.price("9.80", INDEX_FUND)
        assert short(counter, "9.79", security=INDEX_FUND) == expected


def test_e9g_what_was_not_borrowed_first_is_not_sold() -> None:
    assert shorting(lending=False).why("short_sell", qty=100, price="10.00") == "listed"
    counter = shorting(lendable_qty=300)
    assert counter.says("short_sell", qty=400, price="10.00") == ("reject", 300)
    assert counter.says("short_sell", qty=300, price="10.00") == ("accept", 300)
    assert counter.why("short_sell", qty=100, price="10.00") == "lendable"


def test_e9h_what_was_sold_short_today_is_returned_today_until_2015_08_03() -> None:
    counter = sold_short(BEFORE)
    assert counter.why("buy_to_return", qty=100, price="10.00") == "accept"


def test_e9h_from_2015_08_04_on_only_the_next_trading_day() -> None:
    counter = sold_short(AFTER)
    assert counter.says("buy_to_return", qty=100, price="10.00") == ("reject", 0)
    assert counter.why("buy_to_return", qty=100, price="10.00") == "short_return_min_sessions_after_sale"
    counter.session("settled")
    counter.day = "2015-08-05"
    counter.security(prev_close="10.00")
    counter.ts = at("2015-08-05", "08:30")
    counter.trading()
    assert counter.says("buy_to_return", qty=100, price="10.00") == ("accept", 100)


def sold_short(day: str) -> Counter:
    counter = shorting(day)
    counter.price("10.00")
    sale: dict[str, Any] = {"business": "short_sell", "security": BANK, "qty": 100, "price": "10.00"}
    counter.event("fill", **sale)
    return counter


# -- E11: price cage


@pytest.mark.parametrize(
    ("security", "base", "lowest", "highest"),
    [
        (BANK, "3.20", "3.10", "3.30"),
        (BANK, "5.00", "4.90", "5.10"),
        (BANK, "50.00", "49.00", "51.00"),
        (CHIPS, "3.20", "3.14", "3.26"),
        (GROWTH, "50.00", "49.00", "51.00"),
        (NORTH, "1.82", "1.72", "1.92"),
        (NORTH, "20.00", "19.00", "21.00"),
    ],
)
def test_e11_orders_outside_the_cage_are_refused(security: str, base: str, lowest: str, highest: str) -> None:
    counter = Counter("2024-06-03")
    counter.security(security, prev_close=base)
    counter.trading()
    counter.open(positions=[position(security, 1_000)])
    counter.price(base, security)
    sale: dict[str, Any] = {"business": "collateral_sell", "security": security, "qty": 200}
    buy: dict[str, Any] = {"business": "collateral_buy", "security": security, "qty": 200}
    assert counter.why(**sale, price=lowest) == "accept"
    assert counter.why(**sale, price=step(lowest, -1)).startswith("cage_")
    assert counter.why(**buy, price=highest) == "accept"
    assert counter.why(**buy, price=step(highest, 1)).startswith("cage_")


def step(price: str, steps: int, size: int = 10) -> str:
    milli = int(Decimal(price) * 1000) + steps * size
    return f"{milli // 1000}.{milli % 1000:03d}"


def test_e11_the_cage_holds_in_continuous_auction_only() -> None:
    counter = Counter("2024-06-03")
    counter.security(prev_close="50.00")
    counter.session("pre_open")
    counter.session("opening_call")
    counter.open(positions=[position(BANK, 1_000)])
    assert counter.why("collateral_sell", qty=200, price="48.00") == "accept"
    counter.session("continuous")
    assert counter.why("collateral_sell", qty=200, price="48.00") == "cage_main"


# -- E12: limit prices


@pytest.mark.parametrize(
    ("day", "security", "close", "more", "down", "up"),
    [
        ("2016-03-01", BANK, "10.03", {}, "9.03", "11.03"),
        ("2024-06-03", GROWTH, "10.03", {}, "8.02", "12.04"),
        ("2026-06-30", BANK, "1.70", {"st": True}, "1.62", "1.79"),
        ("2026-07-06", BANK, "1.87", {"st": True}, "1.68", "2.06"),
        ("2026-07-03", BANK, "1.87", {"st": True}, "1.78", "1.96"),
        ("2024-06-03", GROWTH, "7.90", {}, "6.32", "9.48"),
        ("2024-06-03", NORTH, "1.82", {}, "1.27", "2.36"),
    ],
)
def test_e12_orders_outside_the_limits_of_the_day_are_refused(
    day: str, security: str, close: str, more: Record, down: str, up: str
) -> None:
    counter = Counter(day)
    counter.security(security, prev_close=close, **more)
    counter.session("pre_open")
    counter.session("opening_call")
    counter.open(positions=[position(security, 1_000)])
    buy: dict[str, Any] = {"business": "collateral_buy", "security": security, "qty": 200}
    found = [counter.why(**buy, price=price) for price in (step(down, -1), down, up, step(up, 1))]
    assert [word.partition("_")[0] for word in found] == ["limit", "accept", "accept", "limit"]


def test_e12_published_limits_win_over_computed_ones() -> None:
    counter = Counter("2016-03-01")
    counter.security(prev_close="10.00", limit_up="14.40", limit_down="6.40")
    counter.session("pre_open")
    counter.session("opening_call")
    counter.open()
    assert counter.why("collateral_buy", qty=100, price="14.40") == "accept"
    assert counter.why("collateral_buy", qty=100, price="14.41") == "limit_main"
