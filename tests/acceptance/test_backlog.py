"""Books that waited for a worker are read after the rules they name, which were published before them."""

from __future__ import annotations

from tests.acceptance.days import account_in_need, day_until_settled
from tests.acceptance.firm import Firm
from tests.worked_examples.records import MONDAY, PRESET


async def test_books_that_waited_for_the_worker_are_read_after_the_rules_they_name(firm: Firm) -> None:
    await firm.publish("reference.rules", "X", {**PRESET, "target": "1.60"})
    await day_until_settled(firm, MONDAY, "12.50", *[account_in_need(f"B{n}", "X") for n in range(8)])
    firm.start_worker()
    await firm.until("system.events", lambda seen: any(r["kind"] == "day_final" for r in seen))
    assert await firm.now_on("dead.letters") == []
