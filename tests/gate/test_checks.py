"""Each check of the gate on both sides of its line, and the order in which they are named."""

from __future__ import annotations

from typing import Any

import pytest

from agents.kernels.layout import FIRM_HELD
from tests.gate.counter import BANK, CHIPS, INDEX_FUND, NORTH, Counter, at, contract, position, with_value

DAY = "2024-06-03"
BUY: dict[str, Any] = {"qty": 200, "price": "10.00"}


def counter(day: str = DAY, security: str = BANK, **more: Any) -> Counter:
    found = Counter(day)
    found.security(security, **more)
    found.trading()
    found.open(positions=[position(security, 1_000)])
    return found


def test_every_request_gets_one_decision_even_of_an_account_nobody_opened() -> None:
    found = counter()
    decision = found.ask("financing_buy", account="B9", **BUY)
    assert (decision["decision"], decision["limit"], decision["reason"]) == (
        "reject",
        0,
        "the account was never opened",
    )
    found.event("transfer", security=BANK, qty=-1_000, reason="collateral_out")
    found.event("cash", amount="-1000000", reason="withdrawal")
    found.event("close")
    assert found.why("repay", amount="1") == "account"


def test_a_decision_names_rule_figures_and_what_would_pass() -> None:
    decision = counter().ask("financing_buy", qty=200_000, price="10.00")
    assert decision["id"] == "A1:r4:2024-06-03:decision"
    assert decision["rule"] == "margin_financing@2023-09-11"
    assert decision["figures"] == {
        "available_margin": "1006500.00",
        "margin_ratio": "0.80",
        "price": "10.00",
    }
    assert decision["margin_used"] == "0.00"


# -- venue, lender


@pytest.mark.parametrize(
    ("venue", "expected"),
    [
        (None, "accept"),
        ("SSE", "accept"),
        ("SH", "accept"),
        ("SZSE", "venues_allowed"),
        ("NEEQ", "venues_allowed"),
        ("fae:Changsha", "venue_kinds_blocked"),
        ("fae_alias:Xian", "venue_kinds_blocked"),
    ],
)
def test_only_venues_of_the_days_list_are_traded_at(venue: str | None, expected: str) -> None:
    more = {} if venue is None else {"venue": venue}
    assert counter().why("financing_buy", **BUY, **more) == expected


def test_before_their_closing_date_such_venues_are_merely_not_on_the_list() -> None:
    assert counter("2024-03-25").why("financing_buy", **BUY, venue="fae:Changsha") == "venues_allowed"
    assert counter("2024-03-26").why("financing_buy", **BUY, venue="fae:Changsha") == "venue_kinds_blocked"


def test_beijing_is_a_venue_from_2023_02_13() -> None:
    for day, expected in (("2023-02-10", "venues_allowed"), ("2023-02-13", "accept")):
        found = counter(day, NORTH, haircut=None)
        assert found.why("financing_buy", security=NORTH, **BUY) == expected


def test_a_lender_that_is_named_needs_a_licence() -> None:
    assert counter().why("financing_buy", **BUY, lender="Peitaohua") == "lenders_licensed"


def test_what_is_lent_out_stays_lent_on_days_of_which_nothing_new_is_said() -> None:
    found = counter(lendable_qty=300)
    found.event("fill", business="short_sell", security=BANK, qty=300, price="10.00")
    found.session("settled")
    found.trading("2024-06-04")
    assert found.says("short_sell", qty=100, price="10.00") == ("reject", 0)
    found.event("return", security=BANK, qty=200)
    found.session("settled")
    found.trading("2024-06-05")
    assert found.says("short_sell", qty=100, price="10.00") == ("accept", 200)
    found.security(lendable_qty=1_000)
    assert found.says("short_sell", qty=100, price="10.00") == ("accept", 900)


def test_refinanced_securities_are_lent_until_2024_07_10() -> None:
    for day, expected in (("2024-07-10", "accept"), ("2024-07-11", "short_refinancing")):
        assert counter(day).why("short_sell", **BUY, lender="refinancing") == expected


# -- the security


@pytest.mark.parametrize(
    ("business", "more", "expected"),
    [
        ("financing_buy", {"financing": False}, "listed"),
        ("financing_buy", {"financing": None}, "listed"),
        ("short_sell", {"lending": False}, "listed"),
        ("financing_buy", {"lending": False}, "accept"),
        ("collateral_buy", {"financing": False}, "accept"),
        ("financing_buy", {"suspended": True}, "suspended"),
        ("collateral_sell", {"suspended": True}, "suspended"),
        ("financing_buy", {"delisting": True, "financing": True}, "eligibility_removed_on_delisting"),
        ("collateral_sell", {"delisting": True}, "accept"),
    ],
)
def test_what_may_be_traded_on_credit_is_listed_and_trades(
    business: str, more: dict[str, Any], expected: str
) -> None:
    assert counter(**more).why(business, **BUY) == expected


def test_a_security_nobody_has_heard_of_is_refused() -> None:
    assert counter().why("collateral_buy", security="600999.SH", **BUY) == "security_known"


def test_orders_are_taken_during_a_halt_within_the_day_but_not_when_nothing_has_traded() -> None:
    quote: dict[str, Any] = {"security": BANK, "prev_close": "10.00", "halted": True}
    found = counter()
    found.book.quote(quote | {"ts": at(DAY, "09:31")})
    assert found.why("collateral_buy", **BUY) == "suspended"
    found.book.quote(quote | {"ts": at(DAY, "09:32"), "last": "10.00"})
    assert found.why("collateral_buy", **BUY) == "accept"


# -- form and price


@pytest.mark.parametrize(
    ("security", "kind", "business", "qty", "expected"),
    [
        (BANK, "stock", "collateral_buy", 150, "lot_main"),
        (BANK, "stock", "short_sell", 150, "lot_main"),
        (CHIPS, "stock", "collateral_buy", 199, "lot_star"),
        (CHIPS, "stock", "collateral_buy", 201, "accept"),
        (CHIPS, "stock", "collateral_sell", 850, "accept"),
        (CHIPS, "stock", "collateral_sell", 100, "lot_star"),
        (NORTH, "stock", "collateral_buy", 101, "accept"),
        (NORTH, "stock", "collateral_buy", 99, "lot_bse"),
        (INDEX_FUND, "etf", "collateral_buy", 150, "lot_fund"),
        ("010107.SH", "treasury", "collateral_buy", 15, "lot_bond"),
        ("010107.SH", "treasury", "short_sell", 150, "lot_short_bond"),
        (BANK, "stock", "collateral_sell", 1_000, "accept"),
        (BANK, "stock", "collateral_sell", 950, "lot_main"),
    ],
)
def test_orders_are_for_whole_lots_of_their_board(
    security: str, kind: str, business: str, qty: int, expected: str
) -> None:
    found = counter(security=security, kind=kind)
    assert found.why(business, security=security, qty=qty, price="10.00") == expected


def test_the_odd_remainder_is_sold_together_with_everything() -> None:
    found = counter()
    found.event("transfer", security=BANK, qty=-930, reason="collateral_out")
    assert found.says("collateral_sell", qty=70, price="10.00") == ("accept", 70)
    assert found.says("collateral_sell", qty=50, price="10.00") == ("reject", 0)


def test_an_order_is_no_larger_than_its_board_allows() -> None:
    for security, limit_order, market_order in ((CHIPS, 100_000, 50_000), ("300750.SZ", 300_000, 150_000)):
        found = counter(security=security)
        found.open("rich", cash="1000000000")
        common = {"account": "rich", "security": security}
        assert found.says("collateral_buy", qty=limit_order + 100, price="10.00", **common)[1] == limit_order
        assert found.says("collateral_buy", qty=market_order + 100, **common)[1] == market_order


def test_no_order_is_worth_more_than_10_to_the_11_yuan_whatever_was_asked_for() -> None:
    found = counter(prev_close="9000000.00")
    found.event("cash", amount="90000000000", reason="deposit")
    for qty in (100, 12_600):
        decision, most = found.says("short_sell", qty=qty, price="9900000.00")
        assert (decision, most) == ("accept" if qty == 100 else "reject", 10_100)
        found.session("settled")


def test_the_side_is_the_business_s() -> None:
    assert counter().why("collateral_buy", **BUY, side="S") == "side"
    assert counter().why("collateral_sell", **BUY, side="S") == "accept"


def test_a_price_lies_on_the_step() -> None:
    assert counter().why("collateral_buy", qty=200, price="10.005") == "price_step"
    fund = counter(security=INDEX_FUND, kind="etf")
    assert fund.why("collateral_buy", security=INDEX_FUND, qty=200, price="10.005") == "accept"


def test_a_market_purchase_counts_at_the_upper_limit() -> None:
    found = counter(prev_close="10.00")
    found.open("tight", cash="2200")
    assert found.says("collateral_buy", account="tight", qty=200) == ("reject", 100)


# -- what the account has


def test_what_was_bought_today_is_not_sold_today() -> None:
    found = counter()
    found.event("fill", business="collateral_buy", security=BANK, qty=500, price="10.00")
    assert found.says("collateral_sell", qty=1_100, price="10.00") == ("reject", 1_000)
    assert found.why("collateral_sell", qty=1_100, price="10.00") == "t_plus_1"
    assert found.why("collateral_sell", qty=1_600, price="10.00") == "position"


def test_frozen_shares_and_cash_stay() -> None:
    found = counter()
    found.event("freeze", security=BANK, qty=400)
    found.event("freeze", cash="250000")
    assert found.says("collateral_sell", qty=700, price="10.00") == ("reject", 600)
    assert found.why("collateral_sell", qty=700, price="10.00") == "frozen"
    assert found.says("withdraw_cash", amount="750000.01") == ("reject", "750000.00")


def test_more_than_is_borrowed_is_not_returned_and_more_than_is_owed_is_not_repaid() -> None:
    found = counter()
    lent = contract("S", BANK, "2024-05-06", 500, "10.00", type="lending")
    owed = contract("F", BANK, "2024-05-06", 500, "10.00", principal="5000", accrued="12.34")
    found.open("debtor", contracts=[lent, owed])
    assert found.says("buy_to_return", account="debtor", qty=600, price="10.00") == ("reject", 500)
    assert found.says("repay", account="debtor", amount="5012.35") == ("reject", "5012.34")
    assert found.says("repay", account="debtor", amount="5000") == ("accept", "5012.34")
    assert found.says("repay", account="debtor", amount="12.35") == ("reject", "12.34")
    assert found.why("repay", amount="1") == "debt"
    assert found.why("sell_to_repay", **BUY) == "debt"
    assert found.why("buy_to_return", **BUY) == "position"


# -- credit lines


def lined(**credit: Any) -> Counter:
    found = Counter(DAY)
    found.security()
    found.trading()
    found.open(**credit)
    return found


def test_the_account_s_lines_bind_in_total_and_by_kind() -> None:
    credit: dict[str, Any] = {"credit": {"total": "300000", "financing": "200000", "lending": "250000"}}
    found = lined(**credit)
    assert found.says("financing_buy", qty=30_000, price="10.00") == ("reject", 20_000)
    assert found.why("financing_buy", qty=30_000, price="10.00") == "credit_financing"
    assert found.says("financing_buy", qty=15_000, price="10.00") == ("accept", 20_000)
    assert found.says("short_sell", qty=20_000, price="10.00") == ("reject", 15_000)
    assert found.why("short_sell", qty=20_000, price="10.00") == "credit_total"


def test_a_line_that_has_ended_carries_nothing() -> None:
    line = {"total": "300000", "financing": "300000", "lending": "300000"}
    for until, expected in ((DAY, "accept"), ("2024-06-01", "credit_total")):
        found = lined(credit=line | {"until": until})
        assert found.why("financing_buy", qty=10_000, price="10.00") == expected


def test_related_accounts_share_their_group_s_line() -> None:
    found = lined()
    shared: dict[str, Any] = {"group_credit": {"total": "500000", "financing": "300000", "lending": "300000"}}
    for account in ("{G7}A", "{G7}B"):
        found.open(account, **shared)
    found.open("{G8}A", **shared)
    buy = {"price": "10.00"}
    assert found.says("financing_buy", account="{G7}A", qty=20_000, **buy) == ("accept", 30_000)
    assert found.says("financing_buy", account="{G7}B", qty=10_100, **buy) == ("reject", 10_000)
    assert found.why("financing_buy", account="{G7}B", qty=10_100, **buy) == "group_credit_financing"
    assert found.says("financing_buy", account="{G8}A", qty=30_000, **buy) == ("accept", 30_000)
    assert found.says("short_sell", account="{G7}B", qty=30_000, **buy) == ("accept", 30_000)
    assert found.why("financing_buy", account="{G7}A", qty=100, **buy) == "group_credit_total"


# -- standing of the account


def test_a_custody_break_blocks_withdrawals_and_new_debt() -> None:
    found = counter()
    found.book.core.desk.books.accounts.custody_break[0] = 1
    blocked = [found.why("withdraw_cash", amount="1"), found.why("withdraw_security", qty=100)]
    blocked += [found.why(business, **BUY) for business in ("financing_buy", "short_sell")]
    assert blocked == ["custody_break"] * 4
    assert found.why("collateral_sell", **BUY) == "accept"


def test_an_open_call_blocks_new_debt() -> None:
    found = counter("2017-06-01")
    owed = contract("F", BANK, "2017-05-08", 20_000, "10.00", principal="200000", margin_ratio="0")
    found.open("debtor", cash="50000", positions=[position(BANK, 20_000)], contracts=[owed])
    assert found.why("financing_buy", account="debtor", **BUY) == "accept"
    found.event("cash", account="debtor", amount="-50000", reason="withdrawal")
    assert found.book.account("debtor")["ratio"] == "1.000000"
    found.session("settled")
    assert found.why("financing_buy", account="debtor", **BUY) == "topup_blocks_new_debt"
    assert found.why("sell_to_repay", account="debtor", **BUY) == "accept"


@pytest.mark.parametrize(("liquidation", "most"), [("auto", 1_400), ("propose", 20_000)])
def test_what_forced_orders_are_selling_is_not_sold_by_the_client_as_well(
    liquidation: str, most: int
) -> None:
    """The plan sells 18,600 of 20,000; one that waits for approval leaves the client free to act himself."""
    found = Counter("2016-03-01", liquidation=liquidation)
    found.security()
    at_once: dict[str, Any] = {
        "preset": "N",
        "from": "2016-01-04",
        "warn": "1.50",
        "min": "1.30",
        "immediate": "1.15",
    }
    at_once |= {"immediate_mode": "realtime", "target": "1.50", "cure_by": 1, "cure_at": "settled"}
    terms: dict[str, Any] = {"liquidate_from": 2, "rearm": "0.01", "commission": "0.00025"}
    found.book.reference("reference.rules", at_once | terms)
    found.trading()
    found.price("10.00")
    owed = contract("F", BANK, "2016-02-01", 20_000, "10.00", principal="195000", margin_ratio="0")
    found.open("debtor", cash="0", positions=[position(BANK, 20_000)], contracts=[owed], preset="N")
    assert found.book.account("debtor")["call"]["state"] == "liquidating"
    decision = found.ask("sell_to_repay", account="debtor", qty=20_000, price="10.00")
    assert decision["limit"] == most


def test_an_account_that_cannot_be_valued_takes_no_debt_and_gives_nothing_out() -> None:
    found = counter()
    found.event("transfer", security="600123.SH", qty=100, reason="collateral_in")
    assert [found.why("withdraw_cash", amount="1"), found.why("financing_buy", **BUY)] == ["unpriced"] * 2
    assert found.why("collateral_sell", **BUY) == "accept"


def test_negative_margin_blocks_new_debt_and_withdrawals() -> None:
    found = counter()
    owed = contract("F", BANK, "2024-05-06", 20_000, "10.00", principal="200000", margin_ratio="1.00")
    found.open("debtor", cash="199999", positions=[position(BANK, 20_000)], contracts=[owed])
    assert found.why("financing_buy", account="debtor", **BUY) == "margin_financing"
    assert found.says("withdraw_cash", account="debtor", amount="0.01") == ("reject", "0.00")


# -- limits of the firm


def test_the_firm_accepts_a_fifth_of_a_stock_by_the_holdings_of_the_last_settled_day() -> None:
    found = counter(float_shares=100_000)
    found.book.core.desk.books.securities.array("table")[0, FIRM_HELD] = 19_000
    assert found.says("collateral_buy", qty=1_100, price="10.00") == ("reject", 1_000)
    assert found.why("collateral_buy", qty=1_100, price="10.00") == "firm_single_collateral_share"
    assert found.says("collateral_buy", qty=1_000, price="10.00") == ("accept", 1_000)


def test_one_client_borrows_a_twentieth_of_the_firm_s_net_capital() -> None:
    """Ten million of capital: 500,000 for all accounts of the group together, financing and lending apart."""
    found = Counter(DAY, with_value("firm_net_capital", 10_000_000_000))
    found.security()
    found.trading()
    for account in ("{G7}A", "{G7}B", "C"):
        found.open(account)
    buy = {"qty": 60_000, "price": "10.00"}
    assert found.says("financing_buy", account="C", **buy) == ("reject", 50_000)
    assert found.why("financing_buy", account="{G7}A", qty=30_000, price="10.00") == "accept"
    assert found.says("financing_buy", account="{G7}B", **buy) == ("reject", 20_000)
    assert found.why("financing_buy", account="{G7}B", **buy) == "firm_client_financing_share"
    assert found.says("short_sell", account="{G7}B", **buy) == ("reject", 50_000)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("none", "accept"), ("call", "accept"), ("warn", "topup_blocks_new_debt")],
)
def test_whether_the_warn_line_blocks_new_debt_is_the_broker_s_choice(choice: str, expected: str) -> None:
    found = Counter("2017-06-01", with_value("topup_blocks_new_debt", choice))
    found.security()
    found.trading()
    owed = contract("F", BANK, "2017-05-08", 20_000, "9.00", principal="180000", margin_ratio="0")
    found.open("debtor", cash="45000", positions=[position(BANK, 20_000)], contracts=[owed])
    found.price("10.00")
    assert found.book.account("debtor")["level"] == "warn"
    assert found.why("financing_buy", account="debtor", **BUY) == expected
