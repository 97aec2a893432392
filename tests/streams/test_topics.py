"""The registry is applied to a broker explicitly, and a broker that differs from it is refused."""

from __future__ import annotations

import pytest

from schemas.topics import TOPICS
from streams.errors import BrokerError, TopicError, UsageError
from streams.settings import load
from streams.topics import check_topics, create_topics, describe_topic, list_topics
from tests.brokers import Broker


async def test_every_topic_is_created_with_its_partitions_once(broker: Broker) -> None:
    settings = broker.settings_with(LIANGRONG_PARTITIONS="3", LIANGRONG_MARKET_PARTITIONS="2")
    created = await create_topics(settings)
    assert [state.topic.name for state in created if state.created] == list(TOPICS)
    again = await create_topics(settings)
    assert not any(state.created for state in again)
    counts = await check_topics(settings)
    assert counts["account.events"] == counts["margin.calls"] == counts["shard.totals"] == 3
    assert counts["market.trades"] == counts["market.quotes"] == 2
    assert counts["market.session"] == counts["commands"] == counts["dead.letters"] == 1
    assert counts["shard.log"] == 4


async def test_looking_creates_nothing(broker: Broker) -> None:
    states = await list_topics(broker.settings)
    assert {state.partitions for state in states} == {0}
    with pytest.raises(TopicError, match="liangrong topics create"):
        await check_topics(broker.settings, ["margin.calls"])
    with pytest.raises(TopicError, match="liangrong topics create"):
        await describe_topic(broker.settings, "margin.calls")
    assert await list_topics(broker.settings) == states


async def test_another_partition_count_is_refused_with_what_to_do(broker: Broker) -> None:
    await create_topics(broker.settings_with(LIANGRONG_PARTITIONS="2"))
    other = broker.settings_with(LIANGRONG_PARTITIONS="4")
    for attempt in (create_topics, check_topics):
        with pytest.raises(TopicError, match="reference.custody has 2 partitions, settings say 4") as refused:
            await attempt(other)
        assert "LIANGRONG_PARTITIONS" in refused.value.advice


async def test_instances_with_other_prefixes_do_not_see_each_other(broker: Broker) -> None:
    await create_topics(broker.settings)
    other = broker.settings_with(LIANGRONG_TOPIC_PREFIX=broker.prefix + "b.")
    assert {state.partitions for state in await list_topics(other)} == {0}


async def test_a_description_has_offsets_and_the_settings_that_matter(broker: Broker) -> None:
    await create_topics(broker.settings)
    log = await describe_topic(broker.settings, "shard.log")
    assert [(r.partition, r.first, r.end) for r in log.ranges] == [(k, 0, 0) for k in range(9)]
    assert log.configs["retention.ms"] == "-1"
    ratios = await describe_topic(broker.settings, "margin.ratios")
    assert ratios.configs["cleanup.policy"] == "compact"
    with pytest.raises(UsageError, match=r"there is no topic margin\.call"):
        await describe_topic(broker.settings, "margin.call")


async def test_a_broker_that_does_not_answer_is_named() -> None:
    with pytest.raises(BrokerError, match="no Kafka broker answers at 127.0.0.1:1"):
        await check_topics(load(env={"KAFKA_BOOTSTRAP": "127.0.0.1:1"}))
