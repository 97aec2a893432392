"""Live market data is handed on at most once a moment; nothing else waits, and nothing overtakes."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from aiokafka import ConsumerRecord

from streams.worker.intake import Run, Taken, take_in
from streams.worker.pace import BULK_ROWS, MOMENT_SECONDS, Pace

TICK = orjson.dumps({"security": "600000.SH", "ts": 1_743_989_400_000, "price": 10, "qty": 100})
CLOCK = orjson.dumps({"ts": 1_743_989_400_000, "date": "2025-04-07", "market": "ALL", "phase": "clock"})


def run(topic: str, values: list[bytes], headers: tuple[tuple[str, bytes], ...] = ()) -> Run:
    records = [
        ConsumerRecord(topic, 0, offset, 1, 0, None, value, None, 0, len(value), headers)
        for offset, value in enumerate(values)
    ]
    return Run((topic, 0), 0, len(values), records)


class Desks:
    """Notes what is handed on."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.pace = Pace(self.deliver, self.fail)
        self.failed: BaseException | None = None

    def deliver(self, what: Run, taken: Taken) -> None:
        self.got.append(f"{what.source[0]} {len(taken.input)}")

    def fail(self, error: BaseException) -> None:
        self.failed = error

    def put(self, what: Run) -> None:
        self.pace.put(what, take_in(what, 8))


async def test_a_tick_waits_for_a_moment_and_no_longer() -> None:
    desks = Desks()
    desks.put(run("market.trades", [TICK]))
    desks.put(run("market.trades", [TICK, TICK]))
    assert desks.got == []
    await asyncio.sleep(3 * MOMENT_SECONDS)
    assert desks.got == ["market.trades 1", "market.trades 2"]


async def test_what_is_no_market_data_is_handed_on_at_once_after_what_came_before_it() -> None:
    desks = Desks()
    desks.put(run("market.trades", [TICK]))
    desks.put(run("market.session", [CLOCK]))
    assert desks.got == ["market.trades 1", "market.session 1"]


@pytest.mark.parametrize(
    ("values", "headers"), [([TICK] * BULK_ROWS, ()), ([TICK], (("window", b"1"),))], ids=["bulk", "window"]
)
async def test_bulk_and_windows_of_a_replay_do_not_wait(
    values: list[bytes], headers: tuple[tuple[str, bytes], ...]
) -> None:
    desks = Desks()
    desks.put(run("market.trades", values, headers))
    assert desks.got == [f"market.trades {len(values)}"]


async def test_what_goes_wrong_in_time_ends_the_worker_too() -> None:
    desks = Desks()

    def broken(_run: Run, _taken: Taken) -> None:
        raise RuntimeError("planted")

    desks.pace = Pace(broken, desks.fail)
    desks.put(run("market.trades", [TICK]))
    await asyncio.sleep(3 * MOMENT_SECONDS)
    assert str(desks.failed) == "planted"
