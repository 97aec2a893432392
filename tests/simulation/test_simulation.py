"""The protocol of a shard's log holds in random histories full of faults, and planted faults are noticed."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation import planted
from tests.simulation.checks import faults_of
from tests.simulation.simulator import Simulation

SEEDS = 30
"""Histories of one test item."""
ENOUGH = 150
"""Within so many histories a planted fault must show."""
FROM = {"fenced_worker_goes_on": 100, "nothing_skipped": 30, "windows_evaluate": 20}
"""Where to begin with faults that show only in rare histories; saves time."""


def histories(first: int, count: int, replay: bool) -> Counter[str]:
    """Run histories and return what happened in them; fails with the seed of the first broken promise."""
    happened: Counter[str] = Counter()
    for seed in range(first, first + count):
        sim = Simulation(seed, replay).run()
        found = faults_of(sim)
        assert not found, f"seed {seed}, replay {replay}: {found}"
        happened.update(sim.stats)
    return happened


@pytest.mark.parametrize("first", range(0, 120, SEEDS))
def test_live_every_event_counts_once_whatever_crashes(first: int) -> None:
    histories(first, SEEDS, replay=False)


@pytest.mark.parametrize("first", range(0, 120, SEEDS))
def test_a_replay_ends_like_the_undisturbed_run_whatever_crashes(first: int) -> None:
    histories(first, SEEDS, replay=True)


def test_the_faults_meant_to_happen_do_happen() -> None:
    happened = histories(1_000, 60, replay=False)
    kinds = {"crashed", "paused", "regained", "reclaimed", "given up", "forgotten", "repeated", "ignored"}
    assert all(happened[kind] > 0 for kind in kinds), happened


def _found(name: str, plant: planted.Plant, replay: bool) -> bool:
    first = FROM.get(name, 0)
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        return any(faults_of(Simulation(seed, replay).run()) for seed in range(first, first + ENOUGH))


@pytest.mark.parametrize("name", planted.LIVE)
def test_a_fault_planted_live_is_noticed(name: str) -> None:
    assert _found(name, planted.LIVE[name], replay=False)


@pytest.mark.parametrize("name", planted.REPLAY)
def test_a_fault_planted_in_a_replay_is_noticed(name: str) -> None:
    assert _found(name, planted.REPLAY[name], replay=True)


@pytest.mark.soak
@pytest.mark.parametrize("replay", [False, True])
@pytest.mark.parametrize("first", range(10_000, 30_000, 1_000))
def test_thousands_of_histories(first: int, replay: bool) -> None:
    histories(first, 1_000, replay)
