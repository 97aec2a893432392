"""Where an account lives, and the registry of topics."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import murmur2 as kafka_murmur2
from hypothesis import given
from hypothesis import strategies as st

from schemas.routing import account_tag, home_partition, home_partitions, murmur2
from schemas.topics import PUBLIC_TOPICS, TOPICS


@given(st.binary(max_size=70))
def test_the_hash_is_that_of_kafka_clients(key: bytes) -> None:
    assert murmur2(key) == kafka_murmur2(key) & 0x7FFFFFFF


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_has_the_values_of_kafkas_own_test(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed & 0x7FFFFFFF


def test_accounts_of_one_tag_live_together() -> None:
    assert account_tag("{G7}A1") == b"G7"
    assert {home_partition(f"{{G7}}A{i}", 8) for i in range(50)} == {home_partition("G7", 8)}


@pytest.mark.parametrize("name", ["A1", "{}A1", "{G7A1", "A{G7}1"])
def test_a_name_without_a_tag_in_front_is_hashed_whole(name: str) -> None:
    assert account_tag(name) == name.encode()


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=70)),
    st.integers(1, 64),
)
def test_many_accounts_at_once_live_where_each_of_them_lives(names: list[str], partitions: int) -> None:
    names += ["{G7}A1", "{账户}1", "{}A1"]
    expected = [home_partition(name, partitions) for name in names]
    assert home_partitions(names, partitions).tolist() == expected


def test_accounts_spread_over_all_partitions() -> None:
    homes = [home_partition(f"A{i:06d}", 8) for i in range(8000)]
    assert all(800 < homes.count(k) < 1200 for k in range(8))


def test_the_registry_knows_how_many_partitions_a_topic_has() -> None:
    counts = {name: topic.partition_count(8, 4) for name, topic in TOPICS.items()}
    assert counts["account.events"] == counts["margin.calls"] == counts["shard.totals"] == 8
    assert counts["account.orders"] == counts["reference.custody"] == 8
    assert counts["market.trades"] == counts["market.quotes"] == 4
    assert counts["shard.log"] == 9
    ones = ("market.session", "commands", "security.signals", "reference.securities", "firm.totals")
    assert {counts[name] for name in ones} == {1}


def test_compacted_topics_are_those_of_the_contract() -> None:
    assert {name for name, topic in TOPICS.items() if topic.compacted} == {
        "margin.ratios",
        "financing.balances",
    }
    assert "shard.log" not in PUBLIC_TOPICS
