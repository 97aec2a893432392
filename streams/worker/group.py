"""Which partitions are this worker's: Kafka's consumer group over the account events, with the range
assignor.

The group is used for the assignment only. What is read, and from where, is the folds' business; the
member's own consumer stays paused.

All members judge by the same rules and settings: the name of the protocol by which a member wants partitions
assigned carries them, and Kafka lets nobody into a group with whom it has no protocol in common. So rules
cannot be changed worker by worker, only for all of them together (see `streams.shardlog.fold`).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import InconsistentGroupProtocolError
from aiokafka.structs import TopicPartition

from schemas.topics import ACCOUNT_EVENTS
from streams.connections import client_options, start, stop_consumer
from streams.errors import BrokerError, UsageError
from streams.settings import Settings

logger = logging.getLogger(__name__)

SESSION_TIMEOUT_MS = 6_000
POLL_MS = 500


class OtherMembersError(UsageError):
    """The group's members judge by other rules or settings than this worker."""

    def __init__(self, group: str, own: str) -> None:
        super().__init__(
            f"the workers of group {group} have other rules or settings than this one, which has: {own}",
            advice="Give all of them the same LIANGRONG_RULES, _SCOPE, _LIQUIDATION and _CEILING_*; to "
            "change them, stop all in an orderly way first (one that was killed counts for "
            f"{SESSION_TIMEOUT_MS // 1000} s more).",
        )


class Holder(Protocol):
    """Who holds the partitions."""

    async def hold(self, partitions: Iterable[int]) -> None:
        """Hold exactly these account partitions from now on."""
        ...

    def fail(self, error: BaseException) -> None:
        """End because of this exception."""
        ...


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """A member of the group; calls `hold` with the partitions assigned, whenever they change.

    Revocation alone changes nothing: the range assignor takes everything from everybody at each rebalance
    and gives most of it back. What went to somebody else is let go when the new assignment is known; claims
    in the log keep order.
    """

    def __init__(self, settings: Settings, name: str, holder: Holder, in_force: str) -> None:
        self._settings = settings
        self._name = name
        self._holder = holder
        self._in_force = in_force
        self._consumer: AIOKafkaConsumer = None
        self._task: asyncio.Task[None] | None = None
        self._assigned: set[int] | None = None
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Join the group; the first assignment is held once the group has balanced.

        Raises OtherMembersError if its members have other rules.
        """
        options = client_options(self._settings)
        self._consumer = AIOKafkaConsumer(
            **options,
            group_id=self._settings.topic_prefix + self._name,
            partition_assignment_strategy=(_assignor(self._in_force),),
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            rebalance_timeout_ms=SESSION_TIMEOUT_MS * 2,
            enable_auto_commit=False,
            auto_offset_reset="latest",
        )
        self._consumer.subscribe([self._settings.topic(ACCOUNT_EVENTS)], listener=self)
        try:
            await start(self._consumer, options)
        except BrokerError as error:
            if isinstance(error.__cause__, InconsistentGroupProtocolError):
                raise self._other_members() from error
            raise
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(), name="membership")

    async def stop(self) -> None:
        """Leave the group."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await stop_consumer(self._consumer)

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Wait for what comes next."""

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Hold what the group gives us."""
        self._consumer.pause(*assigned)
        self._assigned = {partition.partition for partition in assigned}
        self._changed.set()

    async def _run(self) -> None:
        poll = asyncio.get_running_loop().create_task(self._poll())
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                partitions = sorted(self._assigned or ())
                logger.info("the group assigns partitions %s", partitions)
                await self._holder.hold(partitions)
        except Exception as error:
            self._holder.fail(error)
            raise
        finally:
            poll.cancel()

    async def _poll(self) -> None:
        """The group sees a member alive only while it polls."""
        while True:
            try:
                await self._consumer.getmany(timeout_ms=POLL_MS)
            except InconsistentGroupProtocolError:
                self._holder.fail(self._other_members())
                return

    def _other_members(self) -> OtherMembersError:
        return OtherMembersError(self._name, self._in_force)


def _assignor(in_force: str) -> type[RangePartitionAssignor]:
    """The range assignor under a name that only workers with the same rules and settings have."""
    mark = hashlib.sha256(in_force.encode()).hexdigest()[:12]
    return type("SameRules", (RangePartitionAssignor,), {"name": f"range-{mark}"})
