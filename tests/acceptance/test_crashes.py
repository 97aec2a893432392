"""Whatever is killed, deduplicated alerts and books are those of an undisturbed run; nothing is lost."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from streams.days.reader import RecordedDay
from streams.run import OfflineRun, RunOptions
from streams.state_hash import combine
from tests.acceptance.days import LIVE_PAUSE, account_in_need, day_until_settled, events_of, phase, trade
from tests.acceptance.firm import PATIENCE, Firm, MissingError, Record, Worker
from tests.acceptance.recorded import ACCOUNTS, write_day
from tests.oracle.moments import at
from tests.worked_examples.records import BANK, MONDAY

ALERTS = ("margin.calls", "liquidation.orders", "financing.balances")
PARTITIONS = 4
WINDOW_MS = 60_000


def undisturbed(day: Path) -> dict[str, Any]:
    """Alerts, last ratios and state hash of `liangrong run`, which knows no broker and no crash."""
    run = OfflineRun(RunOptions(WINDOW_MS, PARTITIONS, PARTITIONS, "propose"))
    said: dict[str, list[Record]] = {}
    for output in run.day(RecordedDay(day)):
        said.setdefault(output.topic, []).append(output.value)
    return {
        **{topic: in_order(said.get(topic, [])) for topic in ALERTS},
        "books": last_settled(said["margin.ratios"]),
        "state hash": run.state_hash(),
    }


def in_order(records: list[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (record["ts"], record.get("id") or record["security"]))


def last_settled(ratios: list[Record]) -> dict[str, Record]:
    return {record["account"]: record for record in ratios if record["settled"]}


async def the_end(firm: Firm) -> dict[str, Any]:
    """The same, asked of the broker and the living workers once the day is final."""
    await firm.until("system.events", lambda seen: any(r["kind"] == "day_final" for r in seen))
    settled = await firm.until(
        "margin.ratios", lambda seen: set(last_settled(seen)) == set(ACCOUNTS), what="every account settled"
    )
    alerts = {topic: in_order(await firm.now_on(topic)) for topic in ALERTS}
    state_hash = await state_hash_of_workers(firm)
    return {**alerts, "books": last_settled(settled), "state hash": state_hash}


async def state_hash_of_workers(firm: Firm) -> str:
    """From the web pages of the workers; after a takeover, once every partition is held again."""
    for _ in range(int(PATIENCE)):
        claims = [e for e in await firm.now_on("system.events") if e["kind"] == "claimed"]
        pages = {claim["figures"]["web"] for claim in claims}
        held: dict[str, Any] = {}
        for address in pages:
            held |= await asyncio.to_thread(partitions_held, address)
        if len(held) == PARTITIONS + 1:
            return combine(held.values())
        await asyncio.sleep(1)
    raise MissingError(f"only partitions {sorted(held)} are held")


def partitions_held(address: str) -> dict[str, Any]:
    """State rows by partition of the worker at this address; none if it lives no more."""
    try:
        with urlopen(f"http://{address}/state", timeout=PATIENCE) as page:
            return {name: held["rows"] for name, held in json.load(page)["partitions"].items()}
    except URLError:
        return {}


def replayed(firm: Firm, day: Path, *options: str) -> subprocess.Popen[bytes]:
    """Publishes the day from where an earlier replay ended; flat out and to its end without options."""
    with (firm.home / "replay.log").open("ab") as out:
        command = firm.command("replay", str(day), "--window", "60s", *options)
        return subprocess.Popen(command, env=firm.environment(), stdout=out, stderr=subprocess.STDOUT)


async def progress(firm: Firm) -> int:
    """Records in shard.log: how far the workers have come."""
    async with firm._reader("shard.log") as consumer:
        return sum((await consumer.end_offsets(consumer.assignment())).values())


async def killed_after(firm: Firm, worker: Worker, records: int) -> None:
    """SIGKILL once the log has grown by this many records."""
    reached = await progress(firm) + records
    deadline = time.monotonic() + PATIENCE
    while await progress(firm) < reached:
        assert time.monotonic() < deadline, worker.said()
        await asyncio.sleep(0.02)
    worker.kill()


async def test_a_worker_killed_five_times_in_the_middle_of_a_day(firm: Firm, tmp_path: Path) -> None:
    """However fast the worker is: what a kill leaves to do is published only after it."""
    day = write_day(tmp_path / "recorded")
    worker = firm.start_worker("--checkpoint-every", "0.2")
    for minute in range(10, 60, 10):
        replay = replayed(firm, day, "--to", f"10:{minute}")
        await killed_after(firm, worker, 30)
        assert replay.wait(timeout=PATIENCE) == 0
        worker = firm.start_worker("--checkpoint-every", "0.2")
    rest = replayed(firm, day)
    assert await the_end(firm) == undisturbed(day)
    assert rest.wait(timeout=PATIENCE) == 0
    assert worker.stop() == 0, worker.said()


async def test_one_of_two_workers_is_killed(firm: Firm, tmp_path: Path) -> None:
    day = write_day(tmp_path / "recorded")
    first, second = firm.start_worker("--group", "pair"), firm.start_worker("--group", "pair")
    replay = replayed(firm, day, "--to", "10:30")
    await killed_after(firm, first, 60)
    assert replay.wait(timeout=PATIENCE) == 0
    rest = replayed(firm, day)
    assert await the_end(firm) == undisturbed(day)
    assert rest.wait(timeout=PATIENCE) == 0
    assert second.stop() == 0, second.said()


def test_the_recorded_day_shows_calls_of_every_kind(tmp_path: Path) -> None:
    events = {call["event"] for call in undisturbed(write_day(tmp_path))["margin.calls"]}
    assert {"warned", "below_min", "called", "immediate", "liquidating", "recovered"} <= events


PLANTED = """
import sys
import agents.margin.shard as shard
fold = shard.MarginShard.apply_events
def planted(self, segment):
    if any(b"trip wire" in segment.raw(row) for row in range(len(segment))):
        raise RuntimeError("planted exception")
    return fold(self, segment)
shard.MarginShard.apply_events = planted
from streams.cli import main
sys.exit(main(["worker"]))
"""


async def test_a_planted_exception_ends_the_worker_and_the_next_start_loses_nothing(firm: Firm) -> None:
    """Faust would restart the agent and go on with the next item; here the process ends instead."""
    script = firm.home / "planted.py"
    script.write_text(PLANTED)
    broken = firm.start_process([sys.executable, str(script)])
    await phase(firm, MONDAY, "pre_open", "09:00")
    await phase(firm, MONDAY, "continuous", "09:30")
    await trade(firm, MONDAY, "09:31", "12.50")
    trip_wire = {**account_in_need("B2"), "branch": "trip wire"}
    await firm.account_events(account_in_need("A1"), trip_wire, account_in_need("C3"))
    code = await asyncio.to_thread(broken.process.wait, PATIENCE)
    assert code not in (0, None)
    assert "planted exception" in broken.said()
    firm.start_worker()
    await asyncio.sleep(LIVE_PAUSE)
    await phase(firm, MONDAY, "settled", "16:00")
    calls = await firm.until("margin.calls", lambda seen: sum(c["event"] == "called" for c in seen) == 3)
    assert {call["account"] for call in calls} == {"A1", "B2", "C3"}


@pytest.mark.parametrize("between", ["pre_open", "settled"])
async def test_a_call_survives_the_death_of_the_worker(firm: Firm, between: str) -> None:
    worker = firm.start_worker()
    await day_until_settled(firm, MONDAY, "12.50", account_in_need())
    await firm.until("margin.calls", lambda seen: events_of(seen)[-1:] == ["called"])
    tuesday = MONDAY.replace(day=8)
    if between == "pre_open":
        worker.kill()
        firm.start_worker()
    await phase(firm, tuesday, "pre_open", "09:00")
    record = {"security": BANK, "ts": at(tuesday, "09:31"), "price": "15.00", "qty": 100}
    await firm.publish("market.trades", BANK, record)
    if between == "settled":
        worker.kill()
        firm.start_worker()
    await asyncio.sleep(LIVE_PAUSE)
    await phase(firm, tuesday, "settled", "16:00")
    calls = await firm.until("margin.calls", lambda seen: events_of(seen)[-1:] == ["cured"])
    assert [call["id"] for call in calls] == [f"A1:2025-04-07:1:{step}" for step in range(1, len(calls) + 1)]
