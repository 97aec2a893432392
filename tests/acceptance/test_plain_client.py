"""A plain Kafka client that knows only the contract publishes books, prices and `settled`, gets calls."""

from __future__ import annotations

import asyncio

from tests.acceptance.days import LIVE_PAUSE, account_in_need, day_until_settled, events_of, phase, trade
from tests.acceptance.firm import Firm
from tests.worked_examples.records import MONDAY, TUESDAY, deposit


async def test_books_and_prices_in_calls_out(firm: Firm) -> None:
    firm.start_worker()
    await day_until_settled(firm, MONDAY, "12.50", account_in_need(), account_in_need("B2", cash="500000"))
    calls = await firm.until("margin.calls", lambda seen: any(call["event"] == "called" for call in seen))
    call = next(call for call in calls if call["event"] == "called")
    assert call["account"] == "A1"
    assert call["shortfall"] == "250000.00"
    assert call["deadline"] == "T+1"
    assert call["evidence"]["positions"][0]["price"] == "12.50"
    ratios = await firm.until(
        "margin.ratios", lambda seen: {r["account"] for r in seen if r["settled"]} == {"A1", "B2"}
    )
    assert {r["account"]: r["ratio"] for r in ratios if r["settled"]} == {"A1": "1.250000", "B2": "1.750000"}
    assert await firm.now_on("dead.letters") == []


async def test_a_repeated_id_changes_nothing_and_other_content_is_a_dead_letter(firm: Firm) -> None:
    firm.start_worker()
    book = account_in_need()
    await day_until_settled(firm, MONDAY, "12.50", book, book)
    await firm.until("margin.calls", lambda seen: events_of(seen)[-1:] == ["called"])
    half = deposit("125000", day=TUESDAY, event_id="half")
    other = {**half, "amount": "125000.01"}
    await day_until_settled(firm, TUESDAY, "12.50", half, half, other)
    calls = await firm.until("margin.calls", lambda seen: events_of(seen)[-1:] == ["expired"])
    expired = next(call for call in calls if call["event"] == "expired")
    assert expired["assets"] == "1375000.00"
    letters = await firm.until("dead.letters", lambda seen: len(seen) >= 1)
    assert [(letter["topic"], letter["field"]) for letter in letters] == [("account.events", "id")]


async def test_a_deposit_one_fen_below_the_shortfall_does_not_cure_and_the_exact_one_does(firm: Firm) -> None:
    firm.start_worker()
    await day_until_settled(firm, MONDAY, "12.50", account_in_need(), account_in_need("B2"))
    await firm.until("margin.calls", lambda seen: {"called"} <= {*events_of(seen)} & {*events_of(seen, "B2")})
    short = deposit("249999.99", day=TUESDAY, event_id="d")
    exact = {**deposit("250000.00", day=TUESDAY, event_id="d"), "account": "B2"}
    await day_until_settled(firm, TUESDAY, "12.50", short, exact)
    calls = await firm.until(
        "margin.calls",
        lambda seen: events_of(seen)[-1:] == ["expired"] and events_of(seen, "B2")[-1:] == ["cured"],
    )
    assert events_of(calls)[-2:] == ["partly_met", "expired"]


async def test_an_account_is_served_wherever_the_client_put_its_events(firm: Firm) -> None:
    """librdkafka's own hash differs from Java's: the record lands in any partition and is forwarded."""
    firm.start_worker()
    await firm.ready()
    await phase(firm, MONDAY, "pre_open", "09:00")
    await phase(firm, MONDAY, "continuous", "09:30")
    await trade(firm, MONDAY, "09:31", "12.50")
    for number in range(8):
        book = account_in_need(f"K{number}")
        await firm.publish("account.events", book["account"], book, partition=number % 4)
    await asyncio.sleep(2 * LIVE_PAUSE)
    await phase(firm, MONDAY, "settled", "16:00")
    calls = await firm.until(
        "margin.calls", lambda seen: len({c["account"] for c in seen if c["event"] == "called"}) == 8
    )
    assert {call["shortfall"] for call in calls if call["event"] == "called"} == {"250000.00"}
