"""A published record is valid, keyed, in its partition and acknowledged; a bad one is named and not sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from schemas.account_decoding import decode_account_events
from schemas.batch_decoding import decode_trades
from schemas.routing import home_partition, murmur2
from streams import Publisher
from streams.errors import BrokerError, PublishError, TopicError, UsageError
from streams.publisher import FRAME_ROWS
from streams.settings import load
from streams.topics import create_topics
from tests.brokers import Broker
from tests.plain_client import read_all

TS = 1_743_987_600_000


def trade(security: str = "600519.SH", price: object = "1499.5", qty: int = 100) -> dict[str, Any]:
    return {"security": security, "ts": TS, "price": price, "qty": qty}


def deposit(account: str, number: int) -> dict[str, Any]:
    return {
        "account": account,
        "ts": TS,
        "id": f"d{number}",
        "kind": "cash",
        "amount": "100.01",
        "reason": "deposit",
    }


@pytest.mark.parametrize("frames", [False, True])
async def test_account_events_go_to_the_home_of_their_account(broker: Broker, frames: bool) -> None:
    await create_topics(broker.settings)
    names = ["A1", "A2", "{G7}A1", "{G7}B9", "0600123456"]
    async with Publisher(broker.settings, frames=frames) as publisher:
        for number in range(3):
            await publisher.publish_many("account.events", [deposit(name, number) for name in names])
    homes: dict[str, list[tuple[int, str]]] = {name: [] for name in names}
    for record in await read_all(broker, "account.events"):
        types = [dict(record.headers).get("content-type")]
        batch = decode_account_events([record.value], types).batch
        for row in range(len(batch)):
            homes[batch.pool[batch.account[row]]].append((record.partition, batch.pool[batch.id[row]]))
            assert frames or record.key == batch.pool[batch.account[row]].encode()
    for name in names:
        assert homes[name] == [(home_partition(name, 8), f"d{number}") for number in range(3)]
    assert homes["{G7}A1"][0][0] == homes["{G7}B9"][0][0]


async def test_market_events_go_by_security_and_the_rest_to_the_only_partition(broker: Broker) -> None:
    await create_topics(broker.settings)
    async with Publisher(broker.settings) as publisher:
        await publisher.publish_many("market.trades", [trade("600519.SH"), trade("000001.SZ")])
        session = {"ts": TS, "date": "2025-04-07", "market": "ALL", "phase": "continuous"}
        await publisher.publish("market.session", session)
        await publisher.publish("commands", {"id": "c1", "ts": TS, "by": "lin", "command": "hold"})
        await publisher.flush()
        assert publisher.acknowledged[("market.session", 0)] == 1
    for record in await read_all(broker, "market.trades"):
        assert record.partition == murmur2(record.key) % 4
        assert record.key.decode() == orjson.loads(record.value)["security"]
    assert [r.key for r in await read_all(broker, "market.session")] == [b"ALL"]
    assert [r.key for r in await read_all(broker, "commands")] == [b"*"]


async def test_a_frame_holds_many_events_in_order_and_says_that_it_is_one(broker: Broker) -> None:
    await create_topics(broker.settings)
    count = FRAME_ROWS * 2 + 1
    async with Publisher(broker.settings, frames=True) as publisher:
        trades = [trade(qty=number + 1) for number in range(count)]
        await publisher.publish_many("market.trades", trades, headers=[("window", b"1")])
    records = await read_all(broker, "market.trades")
    assert len(records) == 3
    assert all(dict(record.headers)["window"] == b"1" for record in records)
    types = [dict(record.headers)["content-type"] for record in records]
    decoded = decode_trades([record.value for record in records], types)
    assert decoded.bad == []
    assert decoded.batch.qty.tolist() == list(range(1, count + 1))


async def test_every_form_of_an_event_means_the_same(broker: Broker) -> None:
    from schemas import decode

    await create_topics(broker.settings)
    text = orjson.dumps(trade())
    forms = [trade(), trade(price=Decimal("1499.5")), text, text.decode(), decode("market.trades", text)]
    async with Publisher(broker.settings) as publisher:
        await publisher.publish_many("market.trades", forms)
    events = [decode("market.trades", record.value) for record in await read_all(broker, "market.trades")]
    assert events == [decode("market.trades", text)] * len(forms)


@pytest.mark.parametrize(
    ("topic", "good", "bad", "names"),
    [
        ("market.trades", trade(), trade(price="1499.5001"), "price"),
        ("account.events", deposit("A1", 1), {**deposit("A1", 2), "amount": 10**12}, "amount"),
        ("reference.notices", None, {"security": "600519.SH", "effective": "2018-03-02"}, "business"),
        ("market.session", None, b"{not json", "JSON"),
    ],
)
async def test_a_bad_record_is_named_and_what_comes_before_it_is_published(
    broker: Broker, topic: str, good: dict[str, Any] | None, bad: Any, names: str
) -> None:
    await create_topics(broker.settings)
    before = [good, good] if good else []
    async with Publisher(broker.settings) as publisher:
        with pytest.raises(PublishError, match=rf"line {len(before) + 1}: .*{names}"):
            await publisher.publish_many(topic, [*before, bad, *before])
        with pytest.raises(PublishError, match=f"line {len(before) + 101}: "):
            await publisher.publish_many(topic, [*before, bad], numbers=range(101, 104))
    assert len(await read_all(broker, topic)) == 2 * len(before)


async def test_without_validation_anything_is_sent_on(broker: Broker) -> None:
    await create_topics(broker.settings)
    values = [b"{not json", b"[1]", b'{"account":7}', b'{"account":"A1","qty":-1}', b""]
    async with Publisher(broker.settings, validate=False) as publisher:
        await publisher.publish_many("account.events", values)
    records = await read_all(broker, "account.events")
    assert sorted(record.value or b"" for record in records) == sorted(values)
    assert [r.partition for r in records if r.key == b"A1"] == [home_partition("A1", 8)]


async def test_topics_that_are_ours_to_write_are_refused(broker: Broker) -> None:
    await create_topics(broker.settings)
    async with Publisher(broker.settings) as publisher:
        for topic in ("margin.calls", "shard.log", "market.trade"):
            with pytest.raises(UsageError, match="is not a topic that people publish to"):
                await publisher.publish(topic, trade())


async def test_a_missing_topic_or_broker_is_one_clear_message(broker: Broker) -> None:
    with pytest.raises(TopicError, match="liangrong topics create"):
        async with Publisher(broker.settings):
            pass
    with pytest.raises(BrokerError, match="no Kafka broker answers"):
        async with Publisher(load(env={"KAFKA_BOOTSTRAP": "127.0.0.1:1"})):
            pass
