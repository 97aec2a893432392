"""The real margin and financing cores in the same faulty world: calls and balances as if undisturbed."""

from __future__ import annotations

from collections import Counter

import pytest

from agents.core import Core
from agents.financing.core import FinancingConfig, FinancingCore
from agents.margin.shard import MarginShard, ShardConfig
from tests.simulation import planted
from tests.simulation.checks import faults_of
from tests.simulation.days import generate_days
from tests.simulation.simulator import Simulation

SEEDS = 10


def real_core(partition: int, shards: int) -> Core:
    """The financing core for the firm log, else the margin core of a shard, which fills its own orders."""
    if partition == shards:
        return FinancingCore(FinancingConfig(shards=shards))
    return MarginShard(ShardConfig(liquidation="simulate", shard=partition))


def history(seed: int, replay: bool) -> Simulation:
    """One history of the real cores."""
    return Simulation(seed, replay, real_core, generate_days).run()


def histories(first: int, count: int, replay: bool) -> None:
    for seed in range(first, first + count):
        found = faults_of(history(seed, replay))
        assert not found, f"seed {seed}, replay {replay}: {found}"


@pytest.mark.parametrize("replay", [False, True])
@pytest.mark.parametrize("first", range(0, 20, SEEDS))
def test_calls_and_balances_survive_whatever_crashes(first: int, replay: bool) -> None:
    histories(first, SEEDS, replay)


def test_these_days_have_calls_liquidations_and_final_balances() -> None:
    seen: Counter[str] = Counter()
    for seed in range(6):
        for log in history(seed, replay=True).broker.published:
            seen.update(outgoing.output.topic for outgoing in log)
            seen.update(str(outgoing.output.value.get("event")) for outgoing in log)
            seen.update(str(outgoing.output.value.get("decision")) for outgoing in log)
    wanted = {"margin.calls", "financing.balances", "liquidation.orders", "called", "expired", "closed"}
    wanted |= {"order.decisions", "accept", "reject"}
    assert wanted <= set(seen), seen


@pytest.mark.parametrize("name", ["windows_on_arrival", "windows_evaluate"])
def test_a_planted_fault_shows_in_the_real_cores_as_well(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        planted.REPLAY[name](patch)
        assert any(faults_of(history(seed, replay=True)) for seed in range(40))


@pytest.mark.soak
@pytest.mark.parametrize("replay", [False, True])
@pytest.mark.parametrize("first", range(10_000, 14_000, 500))
def test_thousands_of_histories_of_the_real_cores(first: int, replay: bool) -> None:
    histories(first, 500, replay)
