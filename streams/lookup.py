"""Finding published records again: those of one account, and which worker owns it.

An account's records are all in its home partition (contract, routing), so nothing else is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import urlopen

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.structs import TopicPartition

from schemas.routing import home_partition
from schemas.topics import ACCOUNT_ORDERS, REFERENCE_RULES
from streams.connections import reader
from streams.ends import end_offsets
from streams.errors import UserError
from streams.settings import Settings
from streams.topics import check_topics

Value = dict[str, Any]
ACCOUNT_ALERTS = ("margin.calls", "liquidation.orders", "order.decisions")
_POLL_MS = 500
_ANSWER_SECONDS = 10.0
_NO_WORKER = (
    "Start one with `liangrong worker`, or wait until the one that starts has claimed its partitions."
)


class NotFoundError(UserError):
    """What was asked for is not there."""


async def account_alerts(settings: Settings, account: str) -> list[tuple[str, Value]]:
    """(topic, value) of every call, liquidation record and decision of an account, each once, topic by topic.

    After them its requests, and every record of `reference.rules`: the presets the calls may name.
    """
    counts = await check_topics(settings, (*ACCOUNT_ALERTS, ACCOUNT_ORDERS, REFERENCE_RULES))
    key = account.encode()
    found: list[tuple[str, Value]] = []
    async with reader(settings) as consumer:
        for topic in ACCOUNT_ALERTS:
            home = home_partition(account, counts[topic])
            values = await _read(consumer, settings, topic, home, lambda record: record.key == key)
            found += [(topic, value) for value in _once(values)]
        for home in range(counts[ACCOUNT_ORDERS]):  # a client may have put them anywhere
            values = await _read(consumer, settings, ACCOUNT_ORDERS, home, lambda record: record.key == key)
            found += [(ACCOUNT_ORDERS, value) for value in values]
        rules = await _read(consumer, settings, REFERENCE_RULES, 0, lambda _: True)
    return found + [(REFERENCE_RULES, value) for value in rules]


async def signals(settings: Settings, security: str) -> list[tuple[str, Value]]:
    """(topic, value) of every halt, resume and remind signal of a security."""
    await check_topics(settings, ("security.signals",))
    key = security.encode()
    async with reader(settings) as consumer:
        values = await _read(consumer, settings, "security.signals", 0, lambda record: record.key == key)
    return [("security.signals", value) for value in _once(values)]


async def owners(settings: Settings) -> Mapping[int, str]:
    """Web address (host:port) of the worker that last claimed each account partition."""
    await check_topics(settings, ("system.events",))
    async with reader(settings) as consumer:
        events = await _read(consumer, settings, "system.events", 0, lambda record: record.key == b"claimed")
    claims: dict[int, tuple[int, str]] = {}
    for event in events:
        shard, figures = event.get("shard"), event.get("figures") or {}
        if isinstance(shard, int) and isinstance(figures.get("web"), str):
            epoch = int(figures.get("epoch", 0))
            # A claim may be announced again after a crash: the highest place in the log is the owner's.
            if shard not in claims or epoch >= claims[shard][0]:
                claims[shard] = (epoch, figures["web"])
    return {shard: web for shard, (_, web) in claims.items()}


async def ask_account(settings: Settings, account: str) -> Value:
    """The account as its worker sees it now; UserError when nobody owns it or nobody knows it."""
    counts = await check_topics(settings, ("account.events",))
    home = home_partition(account, counts["account.events"])
    web = (await owners(settings)).get(home)
    if web is None:
        raise NotFoundError(
            f"no worker has claimed partition {home}, where {account} lives", advice=_NO_WORKER
        )
    return await asyncio.to_thread(_ask, web, account)


def _ask(web: str, account: str) -> Value:
    try:
        with urlopen(f"http://{web}/accounts/{quote(account, safe='')}", timeout=_ANSWER_SECONDS) as answer:
            body = answer.read()
    except HTTPError as error:
        raise NotFoundError(_complaint(error.read(), f"the worker at {web} answered {error.code}")) from error
    except (URLError, OSError) as error:
        raise NotFoundError(f"the worker at {web} does not answer: {error}", advice=_NO_WORKER) from error
    return dict(orjson.loads(body))


def _complaint(body: bytes, otherwise: str) -> str:
    try:
        return str(orjson.loads(body)["error"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return otherwise


async def _read(
    consumer: AIOKafkaConsumer,
    settings: Settings,
    topic: str,
    partition: int,
    wanted: Callable[[ConsumerRecord[bytes, bytes]], bool],
) -> list[Value]:
    """JSON values of the wanted records of one partition, from its beginning to its end now."""
    place = TopicPartition(settings.topic(topic), partition)
    end = (await end_offsets(consumer, [place]))[place]
    first = (await consumer.beginning_offsets([place]))[place]
    consumer.assign([place])
    consumer.seek(place, first)
    values: list[Value] = []
    while end > first and await consumer.position(place) < end:
        fetched = await consumer.getmany(place, timeout_ms=_POLL_MS)
        records = [record for record in fetched.get(place, ()) if record.offset < end and wanted(record)]
        values += [orjson.loads(record.value or b"{}") for record in records]
    return values


def _once(values: list[Value]) -> list[Value]:
    """After a crash a record may come again, with the same id."""
    return list({value.get("id"): value for value in values}.values())
