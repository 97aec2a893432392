"""Whatever a shard says over random histories, its explanation re-adds."""

from __future__ import annotations

import pytest

from agents.explain import EXPLAINED, explain
from agents.margin.shard import MarginShard, ShardConfig
from tests.explain.test_every_figure import recomputed
from tests.margin.histories import Author, tell_all

SIMULATE = ShardConfig(liquidation="simulate")


@pytest.mark.parametrize("seed", range(3))
def test_every_call_plan_and_order_of_a_random_history_adds_up(seed: int) -> None:
    author = Author(seed, accounts=10)
    outputs = tell_all(MarginShard(SIMULATE), author.write(days=5, steps_a_day=40))
    said = [(output.topic, output.value) for output in outputs if output.topic in EXPLAINED]
    of: dict[str, list[tuple[str, dict[str, object]]]] = {}
    for topic, value in said:
        of.setdefault(value["account"], [("reference.rules", author.preset())]).append((topic, value))
    complaints = []
    for topic, value in said:
        told = explain(topic, value, of[value["account"]])
        recomputed(told)
        complaints += [(told.id, *told.problems)] if told.problems else []
    assert complaints == []
    assert len(said) > 30
