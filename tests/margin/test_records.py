"""What a shard publishes keeps to the contract: schema, ids, order."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise

import orjson
import pytest

from agents.core import Output
from agents.margin.shard import MarginShard, ShardConfig
from schemas import decode
from tests.margin.histories import Author, tell_all


@cache
def told(seed: int) -> list[Output]:
    shard = MarginShard(ShardConfig(liquidation="simulate"))
    return tell_all(shard, Author(seed, accounts=15).write(days=7, steps_a_day=45))


@pytest.mark.parametrize("seed", range(5))
def test_every_record_decodes_as_its_topics_schema_says(seed: int) -> None:
    published = [output for output in told(seed) if output.topic != "shard.totals"]
    assert {"margin.ratios", "margin.calls", "system.events"} <= {output.topic for output in published}
    for output in published:
        decode(output.topic, orjson.dumps(output.value))


@pytest.mark.parametrize("seed", range(5))
def test_ids_are_unique_and_steps_of_an_episode_count_from_one(seed: int) -> None:
    alerts = ("margin.calls", "liquidation.orders")
    outputs = [output.value for output in told(seed) if output.topic in alerts]
    assert set(Counter(value["id"] for value in outputs).values()) == {1}
    steps: dict[str, list[int]] = {}
    for value in outputs:
        if "step" in value:
            steps.setdefault(value["episode"], []).append(value["step"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in steps.values())


@pytest.mark.parametrize("seed", range(5))
def test_an_episode_ends_once_and_an_account_has_at_most_one_open(seed: int) -> None:
    ends = {"recovered", "cured", "closed", "shortfall"}
    open_now: dict[str, str] = {}
    for output in told(seed):
        if output.topic != "margin.calls":
            continue
        account, episode = output.value["account"], output.value["episode"]
        assert open_now.setdefault(account, episode) == episode
        if output.value["event"] in ends:
            del open_now[account]


def test_records_of_one_evaluation_come_in_the_order_of_account_names() -> None:
    shard = MarginShard()
    outputs = tell_all(shard, Author(3, accounts=15).write(days=4, steps_a_day=30))
    ratios = [output.value for output in outputs if output.topic == "margin.ratios"]
    settled = [record["account"] for record in ratios if record["settled"]]
    falls = sum(later < earlier for earlier, later in pairwise(settled))
    assert falls <= 8  # once for each settled, first or second
    assert len(settled) > 30
