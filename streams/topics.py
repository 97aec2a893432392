"""The registry of topics applied to a broker: create, list, describe, check.

Topics are always created explicitly. Brokers that create them on first use choose another number of
partitions, and the embedded one does so even when it is only asked about a name; so nothing here names a
topic to a broker before the full list has shown that it exists.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import TopicPartition

from schemas.topics import TOPICS, Topic
from streams.connections import admin, reader
from streams.ends import end_offsets
from streams.errors import TopicError, UsageError
from streams.settings import Settings

LOG_RECORD_BYTES = 8 * 1024 * 1024
"""Largest record of `shard.log`: a frame of many events."""
MARKET_PARTITION_BYTES = 8 * 1024**3
"""Market data is kept by size: a replay's records have old times, which retention by time would delete."""

_ALREADY_EXISTS = 36
_SETTLE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic of the registry on a broker; `partitions` 0 means that it is not there."""

    topic: Topic
    full_name: str
    expected: int
    partitions: int
    created: bool = False

    @property
    def right(self) -> bool:
        """Whether the broker has it with the partitions that the settings ask for."""
        return self.partitions == self.expected


@dataclass(frozen=True, slots=True)
class PartitionRange:
    """The records of a partition: offsets `first` to `end - 1`."""

    partition: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """Everything `liangrong topics describe` tells."""

    state: TopicState
    ranges: tuple[PartitionRange, ...]
    configs: Mapping[str, str]


def expected_partitions(settings: Settings, name: str) -> int:
    """Partitions of a topic of the registry under these settings."""
    return _topic(name).partition_count(settings.partitions, settings.market_partitions)


def topic_configs(topic: Topic) -> dict[str, str]:
    """Kafka's topic settings.

    Nothing expires by time: the log of a shard is deleted explicitly up to the oldest checkpoint, and account
    events, reference data and alerts are the record of what happened.
    """
    configs = {"retention.ms": "-1", "cleanup.policy": "compact" if topic.compacted else "delete"}
    if topic.partitions == "market":
        configs["retention.bytes"] = str(MARKET_PARTITION_BYTES)
    if topic.partitions == "log":
        configs["max.message.bytes"] = str(LOG_RECORD_BYTES)
    return configs


async def list_topics(settings: Settings) -> list[TopicState]:
    """Every topic of the registry and how the broker has it."""
    async with admin(settings) as client:
        return _states(settings, await _partition_counts(client))


async def create_topics(settings: Settings) -> list[TopicState]:
    """Create what is missing; TopicError, and nothing created, when one has another count."""
    async with admin(settings) as client:
        states = _states(settings, await _partition_counts(client))
        _refuse_other_counts(state for state in states if state.partitions)
        missing = [state for state in states if not state.partitions]
        if missing:
            await _create(client, missing)
        names = {state.full_name for state in missing}
        counts = await _settled_counts(client, names)
        now = [
            TopicState(s.topic, s.full_name, s.expected, counts[s.full_name], s.full_name in names)
            for s in states
        ]
        _refuse_other_counts(now)
        return now


async def check_topics(settings: Settings, names: Iterable[str] | None = None) -> dict[str, int]:
    """Partition counts by logical name; TopicError when one of `names` (all) is missing or different."""
    wanted = set(TOPICS if names is None else names)
    for name in wanted:
        _topic(name)
    states = [state for state in await list_topics(settings) if state.topic.name in wanted]
    missing = [state.full_name for state in states if not state.partitions]
    if missing:
        raise TopicError(
            f"the broker has no topic {', '.join(missing)}",
            advice="Create them with `liangrong topics create`, or check LIANGRONG_TOPIC_PREFIX.",
        )
    _refuse_other_counts(states)
    return {state.topic.name: state.partitions for state in states}


async def describe_topic(settings: Settings, name: str) -> TopicDescription:
    """Partitions, offsets and configuration of one topic (its logical name); TopicError without it."""
    topic = _topic(name)
    async with admin(settings) as client:
        states = _states(settings, await _partition_counts(client))
        state = next(state for state in states if state.topic is topic)
        if not state.partitions:
            raise TopicError(
                f"the broker has no topic {state.full_name}",
                advice="Create it with `liangrong topics create`, or check LIANGRONG_TOPIC_PREFIX.",
            )
        configs = await _configs(client, state)
    return TopicDescription(state, await partition_ranges(settings, state), configs)


async def partition_ranges(settings: Settings, state: TopicState) -> tuple[PartitionRange, ...]:
    """First and end offsets of each partition of an existing topic."""
    partitions = [TopicPartition(state.full_name, number) for number in range(state.partitions)]
    async with reader(settings) as consumer:
        first = await consumer.beginning_offsets(partitions)
        end = await end_offsets(consumer, partitions)
    return tuple(PartitionRange(p.partition, first[p], end[p]) for p in partitions)


def _topic(name: str) -> Topic:
    if name not in TOPICS:
        raise UsageError(f"there is no topic {name}", advice=f"Topics: {', '.join(TOPICS)}")
    return TOPICS[name]


def _states(settings: Settings, counts: Mapping[str, int]) -> list[TopicState]:
    states = []
    for topic in TOPICS.values():
        full_name = settings.topic(topic.name)
        expected = expected_partitions(settings, topic.name)
        states.append(TopicState(topic, full_name, expected, counts.get(full_name, 0)))
    return states


def _refuse_other_counts(states: Iterable[TopicState]) -> None:
    for state in states:
        if not state.right:
            raise TopicError(
                f"topic {state.full_name} has {state.partitions} partitions, settings say {state.expected}",
                advice="The number is fixed when topics are created: set LIANGRONG_PARTITIONS (or "
                "LIANGRONG_MARKET_PARTITIONS) to what the broker has, or use another LIANGRONG_TOPIC_PREFIX.",
            )


async def _partition_counts(client: AIOKafkaAdminClient) -> dict[str, int]:
    """Partitions of every topic on the broker; asks for no topic by name."""
    described = await client.describe_topics(None)
    return {entry["topic"]: len(entry["partitions"]) for entry in described}


async def _create(client: AIOKafkaAdminClient, states: list[TopicState]) -> None:
    brokers = len((await client.describe_cluster())["brokers"])
    new = [
        NewTopic(s.full_name, s.expected, min(3, brokers), topic_configs=topic_configs(s.topic))
        for s in states
    ]
    response = await client.create_topics(new, timeout_ms=20_000)
    for full_name, code, message in response.topic_errors:
        if code not in (0, _ALREADY_EXISTS):  # somebody else may create the same topics right now
            raise TopicError(f"the broker did not create topic {full_name}: {message or f'error {code}'}")


async def _settled_counts(client: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    """Partition counts once all `names` are in the broker's metadata, which follows creation with a delay."""
    deadline = asyncio.get_running_loop().time() + _SETTLE_SECONDS
    while True:
        counts = await _partition_counts(client)
        absent = [name for name in names if not counts.get(name)]
        if not absent:
            return counts
        if asyncio.get_running_loop().time() > deadline:
            raise TopicError(f"the broker created {', '.join(absent)} but does not show them")
        await asyncio.sleep(0.05)


async def _configs(client: AIOKafkaAdminClient, state: TopicState) -> dict[str, str]:
    """The settings of ours that the broker reports; brokers may leave some out."""
    resource = ConfigResource(ConfigResourceType.TOPIC, state.full_name)
    wanted = topic_configs(state.topic)
    found = {}
    for response in await client.describe_configs([resource]):
        for _, _, _, _, entries in response.resources:
            found.update({entry[0]: entry[1] for entry in entries if entry[0] in wanted})
    return found
