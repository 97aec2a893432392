"""A subscriber sees each alert once, and of a key's states only newer ones, whatever was sent again."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from aiokafka.consumer.fetcher import Fetcher

from streams import Publisher, Subscriber
from streams.brokers import EmbeddedBroker
from streams.errors import BrokerError, TopicError, UsageError
from streams.repeats import Repeats
from streams.settings import load
from streams.subscriber import Alert
from streams.topics import create_topics, describe_topic
from tests.brokers import Broker
from tests.plain_client import send

TS = 1_743_987_600_000


def call(account: str, step: int, ts: int = TS) -> tuple[bytes, bytes]:
    value = {"id": f"{account}:2025-04-07:1:{step}", "account": account, "step": step, "ts": ts}
    return account.encode(), orjson.dumps(value)


def ratio(account: str, text: str) -> tuple[bytes, bytes]:
    return account.encode(), orjson.dumps({"account": account, "ts": TS, "ratio": text})


async def held(broker: Broker, *topics: str, **options: Any) -> list[Alert]:
    """What the broker holds, from the beginning."""
    options = {"from_beginning": True, "follow": False, **options}
    async with Subscriber(*topics, settings=broker.settings, **options) as subscriber:
        return [alert async for alert in subscriber]


async def test_an_alert_published_twice_is_seen_once(broker: Broker) -> None:
    await create_topics(broker.settings)
    await send(
        broker, "margin.calls", [call("A1", 1), call("A2", 1), call("A1", 2), call("A1", 1), call("A1", 2)]
    )
    seen = [(alert.key, alert.value["step"]) for alert in await held(broker, "margin.calls")]
    assert sorted(seen) == [("A1", 1), ("A1", 2), ("A2", 1)]
    assert [step for key, step in seen if key == "A1"] == [1, 2]


async def test_an_older_state_that_comes_last_is_dropped(broker: Broker) -> None:
    await create_topics(broker.settings)
    for place, text in ((b"10", "1.50"), (b"12", "1.20"), (b"12", "1.21"), (b"10", "1.50"), (b"12", "1.20")):
        await send(broker, "margin.ratios", [ratio("A1", text)], [("log-offset", place)])
    assert [alert.value["ratio"] for alert in await held(broker, "margin.ratios")] == ["1.50", "1.20", "1.21"]


async def test_only_new_alerts_come_without_a_starting_point(broker: Broker) -> None:
    await create_topics(broker.settings)
    await send(broker, "margin.calls", [call("A1", 1)])
    async with Subscriber("margin.calls", settings=broker.settings) as subscriber:
        await send(broker, "margin.calls", [call("A1", 2)])
        async for alert in subscriber:
            assert alert.value["step"] == 2
            assert (alert.topic, alert.key) == ("margin.calls", "A1")
            break


async def test_no_partition_is_left_without_a_position_while_the_starting_points_are_sought(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiokafka would make it an error of the first poll, if its fetching task is late."""
    errors: list[Exception] = []
    monkeypatch.setattr(Fetcher, "_set_error", lambda _self, _place, error: errors.append(error))
    await create_topics(broker.settings)
    async with Subscriber(settings=broker.settings):
        await asyncio.sleep(0.3)
    assert errors == []


async def test_since_takes_alerts_by_their_market_time(broker: Broker) -> None:
    await create_topics(broker.settings)
    await send(broker, "margin.calls", [call("A1", step, TS + step * 1000) for step in range(1, 5)])
    seen = await held(broker, "margin.calls", from_beginning=False, since=TS + 3000)
    assert [alert.value["step"] for alert in seen] == [3, 4]


async def test_accounts_can_be_singled_out_on_any_topic(broker: Broker) -> None:
    await create_topics(broker.settings)
    await send(broker, "margin.calls", [call("A1", 1), call("A2", 1)])
    event = {"id": "e1", "kind": "hold", "ts": TS, "account": "A2", "text": "held"}
    await send(broker, "system.events", [(b"hold", orjson.dumps(event))])
    seen = await held(broker, "margin.calls", "system.events", accounts=["A2"])
    assert {alert.topic for alert in seen} == {"margin.calls", "system.events"}
    assert len(seen) == 2


async def test_without_topics_all_alert_topics_are_followed(broker: Broker) -> None:
    await create_topics(broker.settings)
    await send(broker, "margin.calls", [call("A1", 1)])
    await send(broker, "security.signals", [(b"600519.SH", b'{"id":"s1","security":"600519.SH"}')])
    assert {alert.topic for alert in await held(broker)} == {"margin.calls", "security.signals"}


async def test_what_is_no_json_object_is_counted_and_passed_over(broker: Broker) -> None:
    await create_topics(broker.settings)
    await send(broker, "margin.calls", [(b"A1", b"{"), (b"A1", b"[1]"), call("A1", 1)])
    async with Subscriber(
        "margin.calls", settings=broker.settings, from_beginning=True, follow=False
    ) as found:
        assert [alert.value["step"] async for alert in found] == [1]
        assert found.unreadable == 2


async def test_a_topic_that_is_missing_or_unknown_is_one_clear_message(broker: Broker) -> None:
    with pytest.raises(TopicError, match="liangrong topics create"):
        await held(broker, "margin.calls")
    with pytest.raises(UsageError, match=r"there is no topic margin\.call"):
        Subscriber("margin.call", settings=broker.settings)


async def test_a_following_subscriber_can_be_stopped_at_any_time(broker: Broker) -> None:
    await create_topics(broker.settings)

    async def follow() -> None:
        async with Subscriber(settings=broker.settings) as subscriber:
            async for _ in subscriber:
                pass

    task = asyncio.create_task(follow())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_forgotten_ids_are_the_oldest() -> None:
    repeats = Repeats(remembered=2)
    first_round = [repeats.seen("margin.calls", "A1", {"id": name}, b"", None) for name in "abc"]
    assert first_round == [False, False, False]
    assert repeats.seen("margin.calls", "A1", {"id": "c"}, b"", None)
    assert not repeats.seen("margin.calls", "A1", {"id": "a"}, b"", None)
    assert not repeats.seen("order.decisions", "A1", {"id": "a"}, b"", None)


async def test_a_broker_that_goes_away_is_an_error_and_not_a_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.subscriber._SILENCE_SECONDS", 0.1)
    monkeypatch.setattr("streams.subscriber._GONE_SECONDS", 0.3)
    with EmbeddedBroker() as node:
        settings = load(env={"KAFKA_BOOTSTRAP": node.bootstrap})
        await create_topics(settings)
        async with Subscriber("margin.calls", settings=settings) as subscriber:
            node.stop()
            with pytest.raises(BrokerError, match="the broker has gone away"):
                async for _ in subscriber:
                    pass


async def test_what_was_published_in_one_large_batch_before_is_not_new(broker: Broker) -> None:
    await create_topics(broker.settings)
    command = {"ts": TS, "by": "lin", "command": "hold"}
    async with Publisher(broker.settings) as publisher:
        await publisher.publish_many("commands", [{**command, "id": f"c{n}"} for n in range(100)])
    assert (await describe_topic(broker.settings, "commands")).ranges[0].end == 100
    assert len(await held(broker, "commands")) == 100
    async with Subscriber("commands", settings=broker.settings) as subscriber:
        async with Publisher(broker.settings) as publisher:
            await publisher.publish("commands", {**command, "id": "new"})
        async for alert in subscriber:
            assert alert.value["id"] == "new"
            break
