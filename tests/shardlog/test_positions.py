"""Which sources a log has, and cuts by name."""

from __future__ import annotations

import pytest

from schemas.topics import TOPICS
from streams.shardlog.positions import Role, Sources, format_cut, parse_cut

SOURCES = Sources(3, 2)


def test_a_shard_reads_its_own_accounts_and_everything_shared() -> None:
    sources = SOURCES.of_shard(2).sources
    assert ("account.events", 2) in sources
    assert ("account.events", 1) not in sources
    assert {("account.orders", 2), ("reference.custody", 2), ("firm.totals", 0)} <= set(sources)
    assert {("commands", 0), ("security.signals", 0), ("market.session", 0)} <= set(sources)
    assert {(topic, p) for topic in ("market.trades", "market.quotes") for p in range(2)} <= set(sources)


def test_the_firm_log_reads_the_totals_of_every_shard_and_no_accounts() -> None:
    layout = SOURCES.of(3)
    totals = [
        source for source, role in zip(layout.sources, layout.roles, strict=True) if role is Role.ARRIVAL
    ]
    assert totals == [("shard.totals", p) for p in range(3)]
    assert not any(topic.startswith("account.") or topic == "commands" for topic, _ in layout.sources)


@pytest.mark.parametrize("partition", range(4))
def test_reference_topics_come_in_the_registrys_order_custody_for_the_accounts_of_a_shard(
    partition: int,
) -> None:
    layout = SOURCES.of(partition)
    names = [layout.sources[slot][0] for slot in layout.with_role(Role.REFERENCE)]
    of_all = [n for n in TOPICS if n.startswith("reference.") and n != "reference.custody"]
    assert names == (of_all if partition == 3 else [*of_all, "reference.custody"])


@pytest.mark.parametrize("partition", range(4))
def test_every_source_is_a_partition_that_its_topic_has(partition: int) -> None:
    for topic, number in SOURCES.of(partition).sources:
        assert number < TOPICS[topic].partition_count(3, 2)


def test_positions_follow_the_layout_and_begin_at_zero() -> None:
    layout = SOURCES.of_shard(0)
    vector = layout.vector({("commands", 0): 7, ("account.events", 2): 9})
    assert sum(vector) == 7
    assert layout.named(vector)[("commands", 0)] == 7
    assert layout.slot(("account.events", 2)) is None
    assert layout.sources[layout.session] == ("market.session", 0)


def test_a_cut_names_topics_and_partitions() -> None:
    cut = {("market.trades", 3): 17, ("commands", 0): 0}
    assert parse_cut(format_cut(cut)) == cut


@pytest.mark.parametrize("name", ["market.trades", "market.trades-", "market.trades-x", "-", ""])
def test_a_cut_with_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="partition"):
        parse_cut({name: 1})
