"""A real day through Kafka and through `run`: the same alerts by value, the same state."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from streams.books import BooksShape
from streams.days.reader import RecordedDay
from streams.days.windows import parse_window
from streams.run import OfflineRun, RunOptions
from streams.state_hash import combine
from tests.acceptance.firm import PATIENCE, Firm, Record, firm_on
from tests.brokers import Broker
from tests.recorded.comparison import add_books
from tests.recorded.days import recorded_day
from tests.recorded.extracts import QUOTES

ALERTS = ("margin.calls", "liquidation.orders", "security.signals", "financing.balances", "dead.letters")
IN_NEED = BooksShape(tail=0.4, called=0.1, sunk=0.05, lending=0.3)
"""Half of the accounts are near a line or below it."""
PARTITIONS, MARKET_PARTITIONS, WINDOW = "2", "2", "3m"


async def test_a_replay_flat_out_gives_the_alerts_the_settled_books_and_the_state_hash_of_a_run(
    broker: Broker, tmp_path: Path
) -> None:
    day = recorded_day(QUOTES, tmp_path)
    add_books(day, shape=IN_NEED)
    alerts, state = ran(day)
    settings = {
        "LIANGRONG_PARTITIONS": PARTITIONS,
        "LIANGRONG_MARKET_PARTITIONS": MARKET_PARTITIONS,
        "LIANGRONG_LIQUIDATION": "simulate",
    }
    assert len(alerts["margin.calls"]) > 50
    outcomes = {"warned", "below_min", "called", "immediate", "liquidating", "closed", "shortfall"}
    assert outcomes <= {record["event"] for record in alerts["margin.calls"]}
    assert alerts["financing.balances"]
    assert not alerts["dead.letters"]
    async with firm_on(broker, tmp_path, **settings) as firm:
        worker = firm.start_worker()
        replay = await asyncio.to_thread(firm.liangrong, "replay", str(day), "--window", WINDOW, "--quiet")
        assert replay.returncode == 0, replay.stderr
        await firm.until("system.events", lambda seen: any(r["kind"] == "day_final" for r in seen))
        for topic in ALERTS:
            assert await published(firm, topic, len(alerts[topic])) == in_order(alerts[topic]), topic
        ratios = await published(firm, "margin.ratios", len(alerts["margin.ratios"]))
        assert settled(ratios) == settled(alerts["margin.ratios"])
        assert await state_of(firm, state) == state
        assert await asyncio.to_thread(worker.stop) == 0, worker.said()


def ran(day: Path) -> tuple[dict[str, list[Record]], str]:
    """What `liangrong run` publishes, by topic, and its state hash."""
    run = OfflineRun(RunOptions(parse_window(WINDOW), int(PARTITIONS), int(MARKET_PARTITIONS), "simulate"))
    alerts: dict[str, list[Record]] = {topic: [] for topic in (*ALERTS, "margin.ratios")}
    for output in run.day(RecordedDay(day)):
        alerts.setdefault(output.topic, []).append(json.loads(json.dumps(output.value)))
    return alerts, run.state_hash()


async def state_of(firm: Firm, expected: str) -> str:
    """The state hash of the one worker; what is still on its way to it is waited for."""
    claims = await firm.until("system.events", lambda seen: any(r["kind"] == "claimed" for r in seen))
    web = next(claim["figures"]["web"] for claim in claims if claim["kind"] == "claimed")
    deadline = time.monotonic() + PATIENCE
    while True:
        parts = (await asyncio.to_thread(page, f"http://{web}/state"))["partitions"].values()
        found = combine(part["rows"] for part in parts)
        if found == expected or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.2)


def page(address: str) -> dict[str, Any]:
    with urlopen(address, timeout=10) as answer:
        return dict(json.load(answer))


async def published(firm: Firm, topic: str, count: int) -> list[Record]:
    """What lies on the topic, once it is as much as expected."""
    if not count:
        return in_order(await firm.now_on(topic))
    return in_order(await firm.until(topic, lambda seen: len(seen) >= count, what=f"{count} records"))


def in_order(records: list[Record]) -> list[Record]:
    """Partitions hold an order of their own: by time, then by what the record is about."""
    return sorted(records, key=lambda record: json.dumps([record.get("ts", 0), record], sort_keys=True))


def settled(ratios: list[Record]) -> dict[str, Record]:
    return {record["account"]: record for record in ratios if record["settled"]}
