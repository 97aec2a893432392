"""Forced liquidation at the desk: ceilings of a slice, operators' words, unsecured claims, records."""

from __future__ import annotations

from typing import Any

import jsonschema
import orjson
import pytest

from schemas import decode
from schemas.jsonschema import topic_schema
from tests.liquidation.floor import BANK, DAY, NEXT, SHENZHEN, Floor, at

HELD = {BANK: 10_000}


def three_at_risk(**settings: Any) -> Floor:
    """A1 to A3 with 10,000 shares at 13.00 each, against 100,000: immediate below 11.50."""
    floor = Floor(**settings)
    floor.quote(BANK, "09:31", "13.00")
    for name in ("A1", "A2", "A3"):
        floor.opens("100000", held=HELD, account=name, clock="09:32")
    return floor


def falls_alone(floor: Floor, account: str, clock: str) -> list[dict[str, object]]:
    """The account alone falls below its immediate line: it takes out what it had."""
    return floor.event("transfer", clock, account, security=BANK, qty=-2_000, reason="collateral_out")


def test_a_ceiling_counts_all_plans_of_a_slice_and_the_next_slice_begins_anew() -> None:
    floor = three_at_risk(ceiling_accounts=2)
    for name in ("A1", "A2", "A3"):
        falls_alone(floor, name, "09:33")
    assert {order["account"] for order in floor.orders()} == {"A1", "A2"}
    (held,) = [plan for plan in floor.plans() if plan.get("held")]
    assert held["account"] == "A3"
    assert len(floor.told("hold")) == 1
    floor.opens("100000", held={BANK: 10_000, SHENZHEN: 100}, account="B1", clock="09:34")
    floor.quote(SHENZHEN, "09:34", "1.00")
    falls_alone(floor, "B1", "09:34")
    assert "B1" not in {order["account"] for order in floor.orders()}
    floor.clock("09:35")
    floor.opens("100000", held=HELD, account="C1", clock="09:35")
    falls_alone(floor, "C1", "09:35")
    assert "C1" in {order["account"] for order in floor.orders()}


def test_the_same_account_counts_once_in_a_slice() -> None:
    floor = three_at_risk(ceiling_accounts=1)
    falls_alone(floor, "A1", "09:33")
    floor.event("order_closed", "09:34", order=floor.orders()[0]["id"], reason="cancelled")
    assert [plan["batch"] for plan in floor.plans()] == [1, 2]
    assert floor.told("hold") == []


def test_the_yuan_of_a_slice_add_up() -> None:
    floor = three_at_risk(ceiling_yuan=100_000)
    falls_alone(floor, "A1", "09:33")
    assert [plan.get("held") for plan in floor.plans()] == [None]
    falls_alone(floor, "A2", "09:34")
    assert [plan.get("held") for plan in floor.plans()] == [None, True]


def test_an_approved_account_goes_on_without_another_word_and_its_orders_say_so() -> None:
    floor = three_at_risk(ceiling_accounts=0)
    falls_alone(floor, "A1", "09:33")
    assert floor.orders() == []
    said = floor.command("approve", "09:34")
    assert [order["approved"] for order in floor.orders(said)] == [True]
    said = floor.event("order_closed", "09:36", order=floor.orders()[0]["id"], reason="cancelled")
    assert [order["approved"] for order in floor.orders(said)] == [True]


def test_what_is_held_does_not_use_up_the_volume_of_its_slice() -> None:
    floor = Floor(clock=None, ceiling_accounts=0)
    floor.quote(BANK, "09:29", "13.00", 10_000)
    floor.session("continuous", "09:30")
    floor.opens("100000", held=HELD, clock="09:32")
    falls_alone(floor, "A1", "09:33")
    assert floor.plans()[0]["held"]
    assert floor.sold(floor.command("approve", "09:34")) == [(BANK, 2_000)]


def test_a_held_account_gets_no_further_slice_until_it_is_resumed() -> None:
    floor = Floor(clock=None)
    floor.quote(BANK, "09:29", "11.00", 5_000)
    floor.session("continuous", "09:30")
    floor.opens("100000", held=HELD, clock="09:32")
    assert floor.sold() == [(BANK, 1_000)]
    floor.fill(floor.orders()[0], "09:33")
    floor.command("hold", "09:34")
    floor.quote(BANK, "09:36", "11.00", 10_000)
    assert floor.orders(floor.clock("09:36")) == []
    assert floor.sold(floor.command("resume", "09:37")) == [(BANK, 1_000)]


def shortfall() -> Floor:
    floor = Floor("simulate")
    floor.quote(BANK, "09:31", "10.00")
    floor.opens("200000", held=HELD, clock="09:32")
    floor.clock("09:33")
    floor.clock("09:34")
    assert floor.events()[-1] == "shortfall"
    return floor


def test_an_unsecured_claim_is_entered_in_the_ledger_when_nothing_is_left_to_sell() -> None:
    floor = shortfall()
    (entry,) = floor.told("shortfall_ledger")
    call = floor.book.alerts("margin.calls")[-1]
    assert entry["id"] == f"shortfall_ledger:A1:{DAY}:1"
    assert entry["account"] == "A1"
    assert entry["figures"]["debt"] == call["debt"] == "100076.00"  # 200,000 - 100,000 less 0.076 %
    assert entry["figures"]["unsecured"] == "100076.00"
    assert entry["figures"]["since"] == DAY
    assert floor.book.account("A1")["unsecured"] == "100076.00"


def test_the_ledger_follows_the_claim_at_settled_and_forgets_what_is_paid() -> None:
    floor = shortfall()
    floor.event("cash", "10:00", amount="40000", reason="deposit")
    floor.next_day()
    floor.session("settled", "16:00")
    assert [entry["figures"]["unsecured"] for entry in floor.told("shortfall_ledger")] == [
        "100076.00",
        "60076.00",
    ]
    floor.event("cash", "16:10", amount="70000", reason="deposit")
    floor.next_day("2025-04-09")
    floor.next_day("2025-04-10")
    last = floor.told("shortfall_ledger")[-1]
    assert (last["date"], last["figures"]["unsecured"]) == (NEXT, "0.00")
    assert floor.book.core.desk.shortfalls.entries == {}


@pytest.mark.parametrize("mode", ["propose", "auto", "simulate"])
def test_published_records_keep_the_shape_of_the_contract(mode: str) -> None:
    floor = Floor(mode, clock=None)
    floor.quote(BANK, "09:29", "11.00", 5_000)
    floor.session("continuous", "09:30")
    floor.opens("100000", held=HELD, cash="1000", clock="09:32")
    records = floor.book.alerts("liquidation.orders")
    assert [record.get("business", "plan") for record in records] == ["plan", "repay", "sell_to_repay"]
    for record in records:
        decode("liquidation.orders", orjson.dumps(record))
        jsonschema.validate(record, topic_schema("liquidation.orders"))
    for order in records[1:]:
        assert order["order_type"] == "limit"
        assert order["mode"] == mode
        assert {"price", "expected_price", "mark"} <= order.keys()
    assert records[1]["price"] is None


def test_orders_still_open_when_the_target_is_reached_are_named_to_be_withdrawn() -> None:
    floor = Floor()
    floor.quote(BANK, "09:31", "11.00")
    floor.opens("100000", held=HELD, clock="09:32")
    (order,) = floor.orders()
    floor.event("cash", "09:33", amount="60000", reason="deposit")
    closed = floor.book.alerts("margin.calls")[-1]
    assert (closed["event"], closed["withdrawn"]) == ("closed", [order["id"]])


def test_what_the_clients_own_orders_will_sell_is_left_to_them_and_forced_orders_bar_new_ones() -> None:
    floor = Floor()
    floor.facts(haircut="0.65")
    floor.quote(BANK, "09:31", "13.00", prev_close="13.00")
    floor.opens("100000", held=HELD, clock="09:32")
    order = {"account": "A1", "business": "sell_to_repay", "security": BANK, "order_type": "limit"}
    own = {"id": "s1", "qty": 9_000, "price": "13.50", "ts": at(DAY, "09:33")}
    decision = floor.book.order(order | own)
    assert decision["decision"] == "accept"
    floor.quote(BANK, "09:34", "11.40", prev_close="13.00")
    assert floor.sold() == [(BANK, 1_000)]
    assert {"security": BANK, "qty": 9_000, "why": "in_open_orders"} in floor.plans()[0]["residual"]
    again = {"id": "s2", "qty": 100, "price": "11.40", "ts": at(DAY, "09:34:30")}
    decision = floor.book.order(order | again)
    assert (decision["decision"], decision["limit"]) == ("reject", 0)
    floor.event("order_closed", "09:34:40", order="s1", reason="cancelled")
    floor.fill(floor.orders()[0], "09:34:50")
    assert sum(qty for _, qty in floor.sold()[1:]) > 5_000


def test_no_shortfall_is_told_while_the_clients_own_orders_hold_the_cash() -> None:
    """100,027.00 are left, the whole price and cost of 10,000 shares on order; 90,000.00 are owed."""
    day = "2016-06-01"
    floor = Floor(day=day)
    floor.facts(haircut="0.65")
    floor.quote(BANK, "09:31", "10.00", prev_close="10.00")
    floor.opens("90000", held={}, cash="120000", clock="09:32")
    buy = {"account": "A1", "business": "collateral_buy", "security": BANK, "order_type": "limit"}
    decision = floor.book.order(buy | {"id": "b", "qty": 10_000, "price": "10.00", "ts": at(day, "09:33")})
    assert decision["decision"] == "accept"
    floor.event("cash", "09:35", amount="-19973", reason="fee")
    assert floor.events()[-1] == "immediate"
    said = floor.event("order_closed", "09:36", order="b", reason="cancelled")
    assert [order["amount"] for order in said if order.get("business") == "repay"] == ["69946.00"]


def test_shares_on_their_way_from_a_corporate_action_are_kept_in_the_residual_and_are_no_shortfall() -> None:
    floor = Floor()
    floor.quote(BANK, "14:50", "20.00")
    floor.opens("100000", held={BANK: 10_000}, clock="14:50")
    bonus = {"action": "b", "security": BANK, "ex_date": NEXT, "kind": "bonus", "shares_per_share": "1"}
    floor.book.reference("reference.actions", bonus)
    floor.next_day()
    floor.session("continuous", "09:30")
    floor.quote(BANK, "09:31", "5.00")
    (order,) = floor.orders()
    floor.fill(order, "09:32")
    floor.clock("09:40")
    assert floor.events()[-1] == "liquidating"
    assert floor.plans()[-1]["residual"] == [{"security": BANK, "qty": 10_000, "why": "in_transit"}]
    floor.event("transfer", "10:00", security=BANK, qty=10_000, reason="bonus", action="b")
    floor.next_day("2025-04-09")
    floor.session("continuous", "09:30")
    assert floor.sold()[-1] == (BANK, 10_000)
