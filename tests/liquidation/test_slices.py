"""Forced orders in slices of the day: hours, the market's volume, what a later slice or session does
(rulebook 7.5).
"""

from __future__ import annotations

import pytest

from agents import Book
from agents.rules.overlay import overlay
from agents.rules.schedule import built_in
from tests.liquidation.floor import BANK, CHIPS, DAY, NEXT, SHENZHEN, Floor

HELD = {BANK: 100_000}
BROKERS_FILE = """
schema: 1
parameters:
  slice_participation:
    entries:
      - {from: "2025-01-02", value: "0.10", conf: P, source: our board}
"""


def test_without_any_volume_the_whole_plan_is_one_slice() -> None:
    floor = Floor()
    floor.quote(BANK, "09:31", "10.00")
    floor.opens("900000", held=HELD, clock="09:32")
    (qty,) = [qty for _, qty in floor.sold()]
    assert qty > 69_000
    assert "later" not in floor.plans()[0]


def test_a_slice_sends_its_share_of_the_volume_since_the_slice_before() -> None:
    """100,000 shares traded when the day's first slice begins: 20 % of them, in whole lots."""
    floor = Floor(clock=None)
    floor.quote(BANK, "09:29", "10.00", 100_050)
    floor.session("continuous", "09:30")
    floor.opens("900000", held=HELD)
    assert floor.sold() == [(BANK, 20_000)]
    plan = floor.plans()[0]
    kept = {item["why"]: item["qty"] for item in plan["residual"]}
    assert kept["participation"] == plan["later"][0]["qty"] > 40_000
    assert plan["later"][0]["price"] == "10.00"


def test_the_share_is_a_parameter() -> None:
    rules = overlay(built_in(), BROKERS_FILE)
    floor = Floor(rules=rules, clock=None)
    floor.quote(BANK, "09:29", "10.00", 100_000)
    floor.session("continuous", "09:30")
    floor.opens("900000", held=HELD)
    assert floor.sold() == [(BANK, 10_000)]


def sliced(liquidation: str = "auto") -> Floor:
    floor = Floor(liquidation, clock=None)
    floor.quote(BANK, "09:29", "10.00", 100_000)
    floor.session("continuous", "09:30")
    floor.opens("900000", held=HELD)
    return floor


def test_filled_orders_wait_for_the_next_slice_and_its_volume() -> None:
    floor = sliced()
    floor.fill(floor.orders()[0], "09:31")
    assert len(floor.orders()) == 1
    floor.quote(BANK, "09:34", "10.00", 160_000)
    assert floor.clock("09:34:59") == []
    assert floor.sold(floor.clock("09:35")) == [(BANK, 12_000)]
    assert [plan["batch"] for plan in floor.plans()] == [1, 2]


def test_while_the_counter_works_on_an_order_no_further_slice_is_sent() -> None:
    floor = sliced()
    floor.quote(BANK, "09:34", "10.00", 160_000)
    assert floor.orders(floor.clock("09:35")) == []
    said = floor.event("order_closed", "09:36", order=floor.orders()[0]["id"], reason="cancelled")
    assert floor.sold(said) == [(BANK, 12_000)]


def test_a_slice_of_a_thin_stock_waits_until_its_share_is_a_lot() -> None:
    floor = Floor(clock=None)
    floor.quote(BANK, "09:29", "10.00", 300)
    floor.session("continuous", "09:30")
    floor.opens("900000", held=HELD)
    assert floor.sold() == []
    floor.quote(BANK, "09:34", "10.00", 490)
    assert floor.sold(floor.clock("09:35")) == []
    floor.quote(BANK, "09:39", "10.00", 500)
    assert floor.sold(floor.clock("09:40")) == [(BANK, 100)]
    floor.fill(floor.orders()[0], "09:41")
    floor.quote(BANK, "09:44", "10.00", 999)
    assert floor.sold(floor.clock("09:45")) == []
    floor.quote(BANK, "09:49", "10.00", 1_000)
    assert floor.sold(floor.clock("09:50")) == [(BANK, 100)]


def test_without_volume_of_the_day_the_average_day_is_spread_over_its_slices() -> None:
    """237 minutes since 2018-08-20: 20 % of 474,000 * 5 / 237."""
    floor = Floor()
    floor.facts(adv_20=474_000)
    floor.quote(BANK, "09:30", "10.00")
    floor.opens("900000", held=HELD)
    assert floor.sold() == [(BANK, 2_000)]


def test_accounts_of_a_shard_share_the_slice_in_the_order_of_their_names() -> None:
    floor = Floor(clock=None)
    floor.quote(BANK, "09:29", "13.00", 15_000)
    floor.session("continuous", "09:30")
    for name in ("A2", "A1"):
        floor.opens("30000", held={BANK: 3_000}, account=name)
    floor.quote(BANK, "09:31", "11.00", 16_000)
    assert [(order["account"], order["qty"]) for order in floor.orders()] == [("A1", 2_200), ("A2", 800)]


def test_a_shard_takes_its_part_of_what_the_whole_firm_may_send() -> None:
    """Our accounts hold a quarter of what the firm's accounts held at the last settled day."""
    floor = Floor(clock=None)
    floor.firm_held(BANK, 400_000)
    floor.quote(BANK, "09:29", "10.00", 100_000)
    floor.session("continuous", "09:30")
    floor.opens("900000", held=HELD)
    assert floor.sold() == [(BANK, 5_000)]


def test_nothing_is_sent_at_noon_and_the_plan_follows_at_one() -> None:
    floor = Floor()
    floor.quote(BANK, "11:29", "10.00")
    floor.opens("900000", held=HELD, clock="11:30")
    floor.clock("12:59:59")
    assert floor.plans() == []
    assert floor.sold(floor.clock("13:00"))


@pytest.mark.parametrize(("clock", "sent"), [("14:56:59", True), ("14:57", False)])
def test_no_new_slice_is_sent_from_1457_on(clock: str, sent: bool) -> None:
    floor = called_and_expired()
    floor.session("continuous", clock)
    assert bool(floor.orders()) is sent
    if not sent:
        floor.next_day("2025-04-10")
        floor.session("continuous", "09:30")
        assert floor.orders()


def called_and_expired() -> Floor:
    """Preset A, called on 7 April, uncured on the 8th, to be liquidated from the 9th on."""
    floor = Floor()
    floor.quote(BANK, "09:31", "10.00")
    floor.opens("800000", held=HELD, preset="A")
    floor.next_day(NEXT)
    floor.session("continuous", "09:30")
    floor.next_day("2025-04-09")
    assert floor.events()[-1] == "expired"
    return floor


def test_until_2018_shanghai_traded_to_1500_and_an_immediate_sale_still_goes_out() -> None:
    """Not in Shenzhen, whose closing call began at 14:57."""
    floor = Floor(day="2015-07-08")
    for security in (BANK, SHENZHEN):
        floor.quote(security, "14:50", "10.00")
    floor.opens("900000", held={BANK: 50_000, SHENZHEN: 50_000}, clock="14:58")
    assert {security for security, _ in floor.sold()} == {BANK}
    assert floor.plans()[0]["residual"] == [{"security": SHENZHEN, "qty": 50_000, "why": "halted"}]


def test_since_2018_nothing_goes_out_in_the_closing_call() -> None:
    floor = Floor(day="2018-08-20")
    floor.quote(BANK, "14:50", "10.00")
    floor.opens("900000", held=HELD, clock="14:57")
    assert floor.sold() == []
    assert floor.plans()[0]["residual"] == [{"security": BANK, "qty": 100_000, "why": "halted"}]


def test_what_was_not_sent_is_planned_again_in_the_next_session() -> None:
    floor = sliced()
    floor.fill(floor.orders()[0], "14:58")
    floor.next_day()
    floor.quote(BANK, "09:29", "10.00", 50_000)
    assert floor.sold(floor.session("continuous", "09:30")) == [(BANK, 10_000)]


def test_e19_an_order_due_while_the_market_is_halted_stays_pending_for_the_next_day() -> None:
    """The circuit breaker of 2016-01-04: halted from 13:13 to 13:28, and from 13:33 to the close."""
    floor = Floor("simulate", day="2016-01-04")
    floor.quote(BANK, "09:31", "12.00")
    floor.session("halt", "13:13")
    floor.session("resume", "13:28")
    floor.session("halt", "13:33")
    floor.opens("900000", held=HELD, clock="13:40")
    floor.clock("13:45")
    assert floor.sold() == []
    floor.quote(BANK, "13:50", "10.00")
    assert floor.plans()[-1]["residual"][0]["why"] == "halted"
    assert floor.plans()[-1]["later"][0]["security"] == BANK
    floor.clock("14:50")
    assert floor.sold() == []
    floor.next_day("2016-01-05")
    floor.session("continuous", "09:30")
    assert [security for security, _ in floor.sold()] == [BANK]


def test_at_resumption_what_was_left_is_planned_again_at_once() -> None:
    floor = Floor("simulate")
    floor.quote(BANK, "09:31", "12.00")
    floor.session("halt", "10:00")
    floor.opens("900000", held=HELD, clock="10:01")
    floor.quote(BANK, "10:01", "10.00")
    assert floor.sold() == []
    floor.session("resume", "10:02")
    assert floor.sold(floor.clock("10:02:01"))


def test_simulated_sales_respect_the_slice_and_locked_ones_spill_over_to_what_trades() -> None:
    floor = Floor("simulate", clock=None)
    for security, price in ((BANK, "10.00"), (CHIPS, "50.00")):
        floor.quote(security, "09:29", price, 1_000_000)
    floor.session("continuous", "09:30")
    floor.opens("1200000", held={BANK: 90_000, CHIPS: 8_000})
    floor.quote(BANK, "09:31", "9.00", 1_000_000, bid=[], limit_down="9.00")
    assert floor.sold() == [(BANK, 90_000), (CHIPS, 2_046)]
    floor.clock("09:31:30")
    assert floor.held() == {BANK: 90_000, CHIPS: 5_954}, "what is locked waits"
    floor.quote(CHIPS, "09:34", "50.00", 1_100_000)
    assert floor.sold(floor.clock("09:35")) == [(CHIPS, 5_954)]
    floor.clock("09:36")
    assert floor.held() == {BANK: 90_000}


def test_a_restored_shard_goes_on_with_the_same_slice() -> None:
    first = sliced()
    second = Book("auto")
    second.core.restore(first.book.core.snapshot())
    said = []
    for book in (first.book, second):
        floor = Floor.__new__(Floor)
        floor.book, floor.day, floor.count = book, DAY, 0
        order = first.orders()[0]
        steps = [floor.fill(order, "09:31")]
        floor.quote(BANK, "09:34", "10.00", 130_000)
        steps += [floor.clock("09:35"), floor.clock("09:36")]
        said.append(steps)
    assert said[0] == said[1]
    assert list(first.book.core.state_rows()) == list(second.core.state_rows())


def test_a_slice_that_another_account_begins_still_serves_those_who_waited() -> None:
    floor = sliced()
    floor.fill(floor.orders()[0], "09:31")
    floor.quote(CHIPS, "09:32", "50.00")
    floor.quote(BANK, "09:34", "10.00", 160_000)
    floor.session("halt", "09:35", "SZ")
    floor.opens("900000", held={CHIPS: 20_000}, account="A2", clock="09:35:01")
    assert floor.orders()[-1]["account"] == "A2"
    assert floor.sold(floor.clock("09:35:03")) == [(BANK, 12_000)]


def test_an_event_from_the_future_moves_no_slice() -> None:
    floor = sliced()
    floor.fill(floor.orders()[0], "14:59")
    floor.quote(BANK, "09:34", "10.00", 160_000)
    assert floor.sold(floor.clock("09:35")) == [(BANK, 12_000)]
