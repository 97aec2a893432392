"""E4, E10 and E17 as published events in, alerts out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.acceptance.days import (
    LIVE_PAUSE,
    account_in_need,
    day_until_settled,
    events_of,
    known,
    phase,
    trade,
)
from tests.acceptance.firm import Firm, Record
from tests.oracle.moments import at
from tests.worked_examples.records import (
    BANK,
    CHIPS,
    MONDAY,
    PRESET,
    TUESDAY,
    WEDNESDAY,
    deposit,
    financed,
    opening,
)


def ends_with(*events: str, account: str = "A1") -> Callable[[list[Record]], bool]:
    return lambda seen: events_of(seen, account)[-len(events) :] == list(events)


async def test_e4_the_shortfall_to_150_and_160_and_what_cures_it(firm: Firm) -> None:
    """The target of 1.60 is the published example; B2 pays it in full, C3 all but a fen."""
    firm.start_worker()
    await known(firm, ("reference.rules", "X", {**PRESET, "target": "1.60"}))
    books = [account_in_need("A1"), account_in_need("B2", "X"), account_in_need("C3", "X")]
    await day_until_settled(firm, MONDAY, "12.50", *books)
    calls = await firm.until("margin.calls", lambda seen: sum(c["event"] == "called" for c in seen) == 3)
    shortfalls = {call["account"]: call["shortfall"] for call in calls if call["event"] == "called"}
    assert shortfalls == {"A1": "250000.00", "B2": "350000.00", "C3": "350000.00"}
    exact = {**deposit("350000.00", day=TUESDAY), "account": "B2"}
    short = {**deposit("349999.99", day=TUESDAY), "account": "C3"}
    await day_until_settled(firm, TUESDAY, "12.50", exact, short)
    await firm.until("margin.calls", ends_with("called", "cured", account="B2"))
    await firm.until("margin.calls", ends_with("called", "partly_met", "expired", account="C3"))


async def test_e10_the_plan_of_a_book_at_1252151(firm: Firm) -> None:
    """(b): 30,000 of the large holding are sellable, the STAR stock fills up with a step of one share."""
    firm.start_worker()
    about = {"date": "2025-04-07", "kind": "stock"}
    await known(
        firm,
        ("reference.rules", "X", {**PRESET, "immediate": "1.26", "immediate_mode": "realtime"}),
        ("reference.securities", BANK, {**about, "security": BANK, "board": "main"}),
        ("reference.securities", CHIPS, {**about, "security": CHIPS, "board": "star"}),
    )
    await phase(firm, MONDAY, "pre_open", "09:00")
    await phase(firm, MONDAY, "continuous", "09:30")
    await trade(firm, MONDAY, "09:31", "8.00")
    await trade(firm, MONDAY, "09:31", "50.00", CHIPS)
    await asyncio.sleep(LIVE_PAUSE)
    held = {BANK: 100_000, CHIPS: 5_137}
    book = opening(cash="20000", held=held, owes=[financed("860000")], sellable={BANK: 30_000}, preset="X")
    await firm.account_events({**book, "ts": at(MONDAY, "09:40")})
    calls = await firm.until("margin.calls", lambda seen: "liquidating" in events_of(seen))
    assert {call["ratio"] for call in calls if call["event"] == "immediate"} == {"1.252151"}
    published = await firm.until(
        "liquidation.orders", lambda seen: sum(record["batch"] == 1 for record in seen) >= 4
    )
    first = [r for r in published if r["batch"] == 1 and "business" in r]
    orders = sorted(first, key=lambda r: r["id"])
    assert [(o["business"], o.get("security"), o.get("qty"), o.get("amount")) for o in orders] == [
        ("repay", None, None, "20000.00"),
        ("sell_to_repay", BANK, 30_000, None),
        ("sell_to_repay", CHIPS, 3_345, None),
    ]
    plan = next(record for record in published if record.get("event") == "plan")
    assert plan["ratio_after"] == "1.500025"


async def test_e17_preset_a_from_call_to_liquidation(firm: Firm) -> None:
    firm.start_worker()
    await day_until_settled(firm, MONDAY, "12.90", account_in_need())
    await firm.until("margin.calls", ends_with("called"))
    await day_until_settled(firm, TUESDAY, "14.50")
    await firm.until("margin.calls", ends_with("called", "expired"))
    await phase(firm, WEDNESDAY, "pre_open", "09:00")
    await phase(firm, WEDNESDAY, "continuous", "09:30")
    calls = await firm.until("margin.calls", ends_with("called", "expired", "liquidating"))
    assert calls[-1]["ts"] >= at(WEDNESDAY, "09:00")


async def test_e17_preset_a_cured_by_the_price_and_preset_c_disposed_of_the_same_day(firm: Firm) -> None:
    firm.start_worker()
    poor = opening(name="C3", held={BANK: 100_000}, owes=[financed("1183400")], preset="C")
    await day_until_settled(firm, MONDAY, "12.90", account_in_need(), poor)
    await firm.until("margin.calls", lambda seen: ends_with("immediate", account="C3")(seen))
    await firm.until("margin.calls", ends_with("called"))
    await day_until_settled(firm, TUESDAY, "15.00")
    await firm.until("margin.calls", ends_with("called", "cured"))
