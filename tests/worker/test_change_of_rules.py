"""Another rules file: after an orderly stop it holds, after a crash it is refused, beside another it is not
served."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.shardlog.fold import OtherRulesError
from streams.worker.group import OtherMembersError
from streams.worker.serve import WorkerOptions, running_worker
from tests.brokers import Broker
from tests.worker.test_holding_partitions import BOTH, PATIENCE, active, cash, deposit, open_account, until

OPTIONS = WorkerOptions(BOTH, checkpoint_seconds=1_000)
GROUP = WorkerOptions(frozenset(), "one", checkpoint_seconds=1_000)


@pytest.fixture
def before(broker: Broker, tmp_path: Path) -> Settings:
    """Two shards on the broker of the test, the built-in rules."""
    return broker.settings_with(
        LIANGRONG_PARTITIONS="2", LIANGRONG_CHECKPOINTS=str(tmp_path / "kept"), LIANGRONG_WEB="127.0.0.1:0"
    )


@pytest.fixture
def after(before: Settings, tmp_path: Path) -> Settings:
    """The same with a broker's file."""
    ours = tmp_path / "ours.yaml"
    ours.write_text("schema: 1\nboundary: {call_below: inclusive}\n")
    return replace(before, rules=ours)


@pytest.mark.parametrize("broker", ["embedded"], indirect=True)
async def test_other_rules_hold_after_an_orderly_stop_amid_traffic_and_are_refused_after_a_crash(
    before: Settings, after: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_worker(before, OPTIONS) as worker:
        await until(lambda: active(worker), worker)
        await open_account(before)
        traffic = asyncio.ensure_future(asyncio.gather(*(deposit(before, number) for number in range(20))))
        await until(lambda: cash(worker) not in (None, "100.00"), worker)
    async with running_worker(after, OPTIONS) as changed:
        await traffic
        await deposit(after, 20)
        await until(lambda: cash(changed) == "121.00", changed)
        changed.fail(RuntimeError("the power is gone"))
    with pytest.raises(OtherRulesError, match="what was in force: rules") as error:
        async with running_worker(before, OPTIONS) as back:
            await asyncio.wait_for(back.failed, PATIENCE)
    assert error.value.exit_code == 2
    assert "OtherRulesError" not in caplog.text, "a traceback of an agent"


@pytest.mark.parametrize("broker", [pytest.param("kafka", marks=pytest.mark.broker)], indirect=True)
async def test_a_group_takes_no_member_with_other_rules(before: Settings, after: Settings) -> None:
    async with running_worker(before, GROUP) as first:
        await until(lambda: first.desks and active(first), first)
        with pytest.raises(OtherMembersError, match="the workers of group one have other rules"):
            async with running_worker(after, GROUP) as second:
                await asyncio.wait_for(second.failed, PATIENCE)
        await open_account(before)
        await until(lambda: cash(first) == "100.00", first)
