"""Holding partitions of `shard.log`: takeover, checkpoints of the right log only, trimming, the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka.structs import TopicPartition

from streams.connections import reader
from streams.errors import UserError
from streams.publisher import Publisher
from streams.settings import Settings
from streams.shardlog.unit import Phase
from streams.topics import create_topics
from streams.worker.desk import Desk
from streams.worker.intake import Run, Taken, take_in
from streams.worker.opening import LogError
from streams.worker.serve import WorkerOptions, running_worker
from streams.worker.worker import DisplacedError, Worker
from tests.brokers import Broker

MORNING = 1_743_989_400_000
BOTH = frozenset({0, 1})
PATIENCE = 120.0
BACKLOG = 6_000


@pytest.fixture
def settings(broker: Broker, tmp_path: Path) -> Settings:
    """Two shards on the broker of the test, checkpoints in a folder of its own."""
    return broker.settings_with(
        LIANGRONG_PARTITIONS="2", LIANGRONG_CHECKPOINTS=str(tmp_path / "kept"), LIANGRONG_WEB="127.0.0.1:0"
    )


async def until(true: Callable[[], Any], worker: Worker | None = None) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            if worker is not None and worker.failed.done():
                worker.failed.result()
            await asyncio.sleep(0.02)


def active(worker: Worker) -> bool:
    return all(desk.phase is Phase.ACTIVE for desk in worker.desks.values())


def cash(worker: Worker) -> str | None:
    """Cash of account A1 at the worker, None before it is opened."""
    for desk in worker.desks.values():
        try:
            return str(desk.core.account("A1")["evidence"]["cash"])  # type: ignore[attr-defined]
        except (AttributeError, KeyError):
            continue
    return None


async def open_account(settings: Settings) -> None:
    event = {
        "account": "A1",
        "ts": MORNING,
        "id": "o",
        "kind": "opening",
        "cash": 100,
        "positions": [],
        "contracts": [],
    }
    async with Publisher(settings) as publisher:
        await publisher.publish("account.events", event)


async def deposit(settings: Settings, number: int) -> None:
    event = {
        "account": "A1",
        "ts": MORNING,
        "id": f"d{number}",
        "kind": "cash",
        "amount": 1,
        "reason": "deposit",
    }
    async with Publisher(settings) as publisher:
        await publisher.publish("account.events", event)


async def test_who_starts_later_takes_the_partitions_and_the_earlier_one_ends(settings: Settings) -> None:
    async with running_worker(settings, WorkerOptions(BOTH, name="earlier")) as earlier:
        await until(lambda: active(earlier), earlier)
        async with running_worker(settings, WorkerOptions(BOTH, name="later")) as later:
            await until(lambda: active(later), later)
            await open_account(settings)
            await until(lambda: cash(later) == "100.00", later)
            with pytest.raises(DisplacedError, match="another worker has claimed partition"):
                await asyncio.wait_for(earlier.failed, PATIENCE)
            assert cash(earlier) is None


async def test_a_checkpoint_of_another_log_is_refused_with_what_to_do(settings: Settings) -> None:
    async with running_worker(settings, WorkerOptions(BOTH)) as worker:
        await until(lambda: active(worker), worker)
        await open_account(settings)
        await until(lambda: cash(worker), worker)
    other = replace(settings, topic_prefix=settings.topic_prefix + "other.")
    with pytest.raises(UserError, match="LIANGRONG_TOPIC_PREFIX"):
        async with running_worker(other, WorkerOptions(BOTH)):
            pytest.fail("it started")


async def test_other_partition_counts_are_refused(settings: Settings) -> None:
    async with running_worker(settings, WorkerOptions(BOTH)) as worker:
        await until(lambda: active(worker), worker)
    with pytest.raises(UserError, match="has 2 partitions, settings say 3"):
        async with running_worker(replace(settings, partitions=3), WorkerOptions(frozenset(range(3)))):
            pytest.fail("it started")


async def test_a_taken_web_port_is_said(settings: Settings) -> None:
    async with running_worker(settings, WorkerOptions(frozenset({1}))) as worker:
        host, _, port = worker.desks[1].unit.claim.web.rpartition(":")
        with pytest.raises(UserError, match="LIANGRONG_WEB"):
            async with running_worker(
                replace(settings, web=(host, int(port))), WorkerOptions(frozenset({0}))
            ):
                pytest.fail("it started")


async def test_the_pages_show_an_account_and_what_is_held(settings: Settings) -> None:
    async with running_worker(settings, WorkerOptions(BOTH)) as worker:
        await until(lambda: active(worker), worker)
        await open_account(settings)
        await until(lambda: cash(worker), worker)
        base = f"http://{worker.desks[0].unit.claim.web}"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{base}/accounts/A1") as answer:
                assert (await answer.json())["evidence"]["cash"] == "100.00"
            async with session.get(f"{base}/accounts/nobody") as answer:
                assert (answer.status, await answer.json()) == (404, {"error": "there is no account nobody"})
            async with session.get(f"{base}/accounts/{{G7}}A1") as answer:
                assert await answer.json() == {"error": "there is no account {G7}A1"}
            async with session.get(f"{base}/worker") as answer:
                assert [row["phase"] for row in (await answer.json())["partitions"]] == ["active"] * 3


@pytest.mark.parametrize("broker", [pytest.param("kafka", marks=pytest.mark.broker)], indirect=True)
async def test_the_log_is_trimmed_behind_the_kept_checkpoints(settings: Settings) -> None:
    options = WorkerOptions(BOTH, checkpoint_seconds=0.2, trim_log=True)
    async with running_worker(settings, options) as worker:
        await until(lambda: active(worker), worker)
        await open_account(settings)
        begins: dict[TopicPartition, int] = {}
        for number in range(40):
            await deposit(settings, number)
            begins = await log_begins(settings)
            if max(begins.values()) > 0:
                break
        assert max(begins.values()) > 0
        await until(lambda: cash(worker) == f"{101 + number}.00", worker)
    async with running_worker(settings, options) as again:
        await until(lambda: active(again), again)
        assert cash(again) == f"{101 + number}.00"
    with pytest.raises(LogError, match="there is no checkpoint"):
        async with running_worker(replace(settings, checkpoints=settings.checkpoints + "-lost"), options):
            pytest.fail("it started")


async def log_begins(settings: Settings) -> dict[TopicPartition, int]:
    async with reader(settings) as consumer:
        places = [TopicPartition(settings.topic("shard.log"), partition) for partition in range(3)]
        return dict(await consumer.beginning_offsets(places))


async def test_a_backlog_is_read_once_for_all_partitions_that_are_claimed_together(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(settings, partitions=4)
    await create_topics(settings)
    trade = {"security": "600519.SH", "ts": MORNING, "price": 10, "qty": 100}
    async with Publisher(settings) as publisher:
        await publisher.publish_many("market.trades", [trade] * BACKLOG)
    seen: list[int] = []

    def counted(run: Run, partitions: int) -> Taken:
        seen.append(len(run.records) if run.source[0] == "market.trades" else 0)
        return take_in(run, partitions)

    monkeypatch.setattr("streams.worker.worker.take_in", counted)
    async with running_worker(settings, WorkerOptions(frozenset(range(4)))) as worker:
        await until(
            lambda: all(_passed(desk, "market.trades") == BACKLOG for desk in worker.desks.values()), worker
        )
    assert sum(seen) == BACKLOG


def _passed(desk: Desk, topic: str) -> int:
    """How many records of a topic the log has been given."""
    fold = desk.unit.fold
    return sum(n for (name, _), n in fold.layout.named(fold.positions).items() if name == topic)
