"""Books that waited for a worker are read after the rules they name, and settled with the day wherever they
were put."""

from __future__ import annotations

import pytest

from tests.acceptance.days import account_in_need, day_until_settled, phase, trade
from tests.acceptance.firm import Firm
from tests.worked_examples.records import MONDAY, PRESET


async def test_books_that_waited_for_the_worker_are_read_after_the_rules_they_name(firm: Firm) -> None:
    await firm.publish("reference.rules", "X", {**PRESET, "target": "1.60"})
    await day_until_settled(firm, MONDAY, "12.50", *[account_in_need(f"B{n}", "X") for n in range(8)])
    firm.start_worker()
    await firm.until("system.events", lambda seen: any(r["kind"] == "day_final" for r in seen))
    assert await firm.now_on("dead.letters") == []


@pytest.mark.parametrize("broker", ["embedded"], indirect=True)
async def test_books_in_other_partitions_than_their_own_are_settled_with_the_day(firm: Firm) -> None:
    """They waited for the workers together with the day's `settled`, and still have to be forwarded."""
    await phase(firm, MONDAY, "pre_open", "09:00")
    await trade(firm, MONDAY, "09:31", "12.50")
    for number in range(40):
        book = account_in_need(f"K{number}")
        await firm.publish("account.events", book["account"], book, partition=number % 4)
    await phase(firm, MONDAY, "settled", "16:00")
    for partitions in ("0-1", "2-3"):
        firm.start_worker("--partitions", partitions)
    calls = await firm.until(
        "margin.calls", lambda seen: len({c["account"] for c in seen if c["event"] == "called"}) == 40
    )
    assert [call["account"] for call in calls if "late" in call.get("flags", [])] == []
