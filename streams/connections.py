"""Kafka clients with the settings of an instance, and connection problems as messages a person can act on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from streams.brokers import bootstrap_address
from streams.errors import BrokerError
from streams.settings import Settings

_STOP_SECONDS = 0.5


def client_options(settings: Settings, bootstrap: str | None = None) -> dict[str, Any]:
    """Keyword arguments for any aiokafka client: for the given, configured or announced broker."""
    return settings.kafka.client_options(bootstrap or bootstrap_address(settings))


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client; BrokerError when the broker cannot be reached."""
    options = client_options(settings)
    client = AIOKafkaAdminClient(**options, request_timeout_ms=20_000)
    await start(client, options)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def reader(settings: Settings, **more: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer without a group, never resetting offsets by itself unless `more` says so."""
    options = client_options(settings)
    defaults: dict[str, Any] = {
        "auto_offset_reset": "none",
        "enable_auto_commit": False,
        "check_crcs": True,
        "fetch_max_wait_ms": 50,
    }
    consumer = AIOKafkaConsumer(**options, **(defaults | more))
    await start(consumer, options)
    try:
        yield consumer
    finally:
        await stop_consumer(consumer)


def assign_held(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> None:
    """Assign partitions that deliver nothing yet, so that the client learns of all their topics at once.

    An assigned partition without a position is none for a consumer that never resets offsets: aiokafka
    finds that out in the background and raises NoOffsetForPartitionError from a later `getmany()`, now and
    then even after the partition has been assigned anew with a position.
    """
    held = list(partitions)
    consumer.assign(held)
    for partition in held:
        consumer.seek(partition, 0)
    consumer.pause(*held)


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """`consumer.stop()` that always ends.

    aiokafka 0.14 can lose the cancellation of its fetching task when partitions were assigned a moment
    before, and then waits for it for ever; and while the broker is away the cancellation of a fetch escapes
    from `stop()`, which leaves its connections open.
    """
    stopping = asyncio.ensure_future(consumer.stop())
    while not stopping.done():
        await asyncio.wait([stopping], timeout=_STOP_SECONDS)
        if not stopping.done():
            consumer._fetcher._fetch_task.cancel()  # noqa: SLF001 - there is no public way to ask again
    if stopping.cancelled():
        await consumer._client.close()  # noqa: SLF001 - what `stop()` did not come to
    else:
        stopping.result()


def producer(settings: Settings, **more: Any) -> AIOKafkaProducer:
    """A producer, not started, that waits for all replicas.

    The embedded broker has no idempotent producer, so repeats after a lost acknowledgement are possible;
    identifiers in the events make them harmless.
    """
    return AIOKafkaProducer(**client_options(settings), acks="all", **more)


async def start(client: Any, options: dict[str, Any]) -> None:
    """`client.start()`, with a BrokerError that names the address instead of a library's exception."""
    logger = logging.getLogger("aiokafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # the message below says it once; aiokafka would log it several times
    try:
        await client.start()
    except (KafkaError, OSError, ValueError) as error:
        close = getattr(client, "stop", None) or client.close
        await close()
        raise BrokerError(
            f"no Kafka broker answers at {options['bootstrap_servers']}: {error}",
            advice="Check KAFKA_BOOTSTRAP and the security settings; `liangrong doctor` looks closer.",
        ) from error
    finally:
        logger.setLevel(level)
