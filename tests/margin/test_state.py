"""A shard's state: saved and restored whole, the same however accounts are spread, the same when told
again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.core import Output
from agents.margin.shard import MarginShard, ShardConfig
from tests.margin.histories import Author, Step, Teller, only_for, tell_all

SIMULATE = ShardConfig(liquidation="simulate")


def same_snapshot(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Same keys, same dtypes, same bytes."""
    return ours.keys() == theirs.keys() and all(as_bytes(ours[key]) == as_bytes(theirs[key]) for key in ours)


def as_bytes(value: Any) -> tuple[str, bytes]:
    return ("", value) if isinstance(value, bytes) else (str(value.dtype), value.tobytes())


def by_value(outputs: list[Output]) -> list[tuple[str, str, str]]:
    """As two runs are compared: by value, whoever said it; totals, letters and shard numbers are a shard's
    own.
    """
    return sorted(
        (output.topic, output.key, repr(sorted(output.value.items())))
        for output in outputs
        if output.topic.startswith(("margin.", "liquidation.")) or output.value.get("kind") == "evidence"
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_restored_shard_goes_on_as_if_nothing_had_happened(seed: int) -> None:
    steps = Author(seed, accounts=10).write(days=5, steps_a_day=40)
    undisturbed = Teller(MarginShard(SIMULATE))
    restored = Teller(MarginShard(SIMULATE))
    for number, step in enumerate(steps):
        if number % 7 == 3:
            snapshot = restored.shard.snapshot()
            restored.shard = MarginShard(SIMULATE)
            restored.shard.restore(snapshot)
            assert same_snapshot(restored.shard.snapshot(), snapshot)
        assert restored.tell(step) == undisturbed.tell(step)
    assert same_snapshot(restored.shard.snapshot(), undisturbed.shard.snapshot())
    assert list(restored.shard.state_rows()) == list(undisturbed.shard.state_rows())


def test_a_snapshot_is_not_changed_by_what_comes_later() -> None:
    steps = Author(2, accounts=6).write(days=2, steps_a_day=30)
    shard = MarginShard(SIMULATE)
    tell_all(shard, steps[:30])
    snapshot = shard.snapshot()
    copy = {key: value if isinstance(value, bytes) else value.copy() for key, value in snapshot.items()}
    tell_all(shard, steps[30:])
    assert same_snapshot(snapshot, copy)


def test_a_snapshot_holds_arrays_and_bytes_only() -> None:
    shard = MarginShard()
    tell_all(shard, Author(1, accounts=3).write(days=1, steps_a_day=9))
    assert {type(value) for value in shard.snapshot().values()} == {bytes, np.ndarray}
    assert all(v.dtype != object for v in shard.snapshot().values() if isinstance(v, np.ndarray))


@pytest.mark.parametrize("seed", range(3))
def test_alerts_and_state_do_not_depend_on_how_accounts_are_spread(seed: int) -> None:
    author = Author(seed, accounts=12)
    steps = [step for step in author.write(days=5, steps_a_day=40) if step.topic != "commands"]
    halves = [set(author.accounts[::2]), set(author.accounts[1::2])]
    whole = MarginShard(SIMULATE)
    alerts = tell_all(whole, steps)
    parts, apart = [MarginShard(SIMULATE), MarginShard(SIMULATE)], []
    for shard, accounts in zip(parts, halves, strict=True):
        apart += tell_all(shard, [only_for(step, accounts) for step in steps])
    assert by_value(apart) == by_value(alerts)
    assert sorted({row for part in parts for row in part.state_rows()}) == sorted(whole.state_rows())


@pytest.mark.parametrize("seed", range(3))
def test_account_events_told_twice_change_nothing(seed: int) -> None:
    steps = [s for s in Author(seed, accounts=8).write(days=3, steps_a_day=30) if s.topic != "commands"]
    once, twice = MarginShard(SIMULATE), MarginShard(SIMULATE)
    said = tell_all(once, steps)
    again = [copy for step in steps for copy in doubled(step)]
    assert by_value(tell_all(twice, again)) == by_value(said)
    assert list(twice.state_rows()) == list(once.state_rows())


def doubled(step: Step) -> list[Step]:
    return [step, step] if step.topic == "account.events" else [step]


def test_a_batch_or_its_events_one_by_one_are_the_same() -> None:
    steps = Author(4, accounts=8).write(days=3, steps_a_day=40)
    single = [
        Step(step.topic, (record,), step.evaluate) if step.topic == "account.events" else step
        for step in steps
        for record in (step.records if step.topic == "account.events" else step.records[:1])
    ]
    batched, one_by_one = MarginShard(SIMULATE), MarginShard(SIMULATE)
    said = by_value(tell_all(batched, steps))
    assert by_value(tell_all(one_by_one, single)) == said
    assert list(one_by_one.state_rows()) == list(batched.state_rows())
