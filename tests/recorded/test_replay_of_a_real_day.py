"""A real day through Kafka and through `run`: the same alerts by value, the same state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streams.books import BooksShape
from streams.days.reader import RecordedDay
from streams.replaying import Replay, ReplayOptions
from streams.run import OfflineRun, RunOptions
from streams.settings import Settings
from streams.state_hash import state_hash
from streams.subscriber import ALERT_TOPICS, Subscriber
from streams.topics import create_topics
from streams.worker.serve import WorkerOptions, running_worker
from tests.brokers import Broker
from tests.recorded.comparison import add_books
from tests.recorded.days import recorded_day
from tests.recorded.extracts import QUOTES

PARTITIONS, WINDOW = 2, 180_000
IN_NEED = BooksShape(tail=0.4, called=0.1, sunk=0.05, lending=0.3)
"""Half of the accounts are near a line or below it."""
LATEST_ONLY = "margin.ratios"
"""Compacted, and every record replaces the one before: only the last of an account is compared."""
PATIENCE = 120.0
Record = dict[str, Any]


async def test_a_replay_flat_out_gives_the_alerts_the_last_ratios_and_the_state_hash_of_a_run(
    broker: Broker, tmp_path: Path
) -> None:
    expected, state = ran(day := day_in_need(tmp_path))
    settings = settings_on(broker, tmp_path)
    await create_topics(settings)
    async with running_worker(settings, WorkerOptions(frozenset(range(PARTITIONS)))) as worker:
        replay = Replay([day], settings, ReplayOptions(WINDOW, wait_last=True))
        assert (await asyncio.wait_for(replay.run(), PATIENCE)).finished
        assert await published(settings, expected) == expected
        assert state_hash(desk.core for desk in worker.desks.values()) == state


def test_the_day_replayed_shows_every_outcome_of_a_call_but_those_of_a_second_day(tmp_path: Path) -> None:
    alerts = [json.loads(value) for value in ran(day_in_need(tmp_path))[0].values()]
    events = {alert.get("event") for alert in alerts}
    assert {"warned", "below_min", "called", "immediate", "liquidating", "closed", "shortfall"} <= events
    assert any(alert.get("business") == "sell_to_repay" for alert in alerts)
    assert any("financing_balance" in alert for alert in alerts)


def day_in_need(folder: Path) -> RecordedDay:
    day = recorded_day(QUOTES, folder)
    add_books(day, shape=IN_NEED)
    return RecordedDay(day)


def settings_on(broker: Broker, folder: Path) -> Settings:
    return broker.settings_with(
        LIANGRONG_PARTITIONS=str(PARTITIONS),
        LIANGRONG_MARKET_PARTITIONS=str(PARTITIONS),
        LIANGRONG_LIQUIDATION="simulate",
        LIANGRONG_CHECKPOINTS=str(folder / "checkpoints"),
        LIANGRONG_WEB="127.0.0.1:0",
    )


def ran(day: RecordedDay) -> tuple[dict[str, str], str]:
    """What `liangrong run` publishes, by what it is about, and its state hash."""
    run = OfflineRun(RunOptions(WINDOW, PARTITIONS, PARTITIONS, "simulate"))
    outputs = [output for output in run.day(day) if output.topic in ALERT_TOPICS]
    return {about(o.topic, o.key, o.value): text(o.value) for o in outputs}, run.state_hash()


async def published(settings: Settings, expected: Mapping[str, str]) -> dict[str, str]:
    """What subscribers get, asked again while something expected is still on its way."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        found: dict[str, str] = {}
        async with Subscriber(settings=settings, from_beginning=True, follow=False) as alerts:
            async for alert in alerts:
                if alert.value.get("kind") != "claimed":
                    found[about(alert.topic, alert.key, alert.value)] = text(alert.value)
        if found == expected or asyncio.get_running_loop().time() > deadline:
            return found


def about(topic: str, key: str, value: Record) -> str:
    return f"{topic} {key if topic == LATEST_ONLY else value.get('id', key)}"


def text(value: Record) -> str:
    return json.dumps(value, sort_keys=True)
