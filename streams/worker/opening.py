"""Opening a partition of `shard.log`: what is in the log, the newest checkpoint that belongs to it, a core
and its desk."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass

from aiokafka.structs import TopicPartition

from agents.core import Core
from agents.financing.core import FinancingConfig, FinancingCore
from agents.margin.shard import MarginShard, ShardConfig
from schemas.topics import SHARD_LOG
from streams.checkpoints import CheckpointStore, check_log
from streams.connections import reader
from streams.ends import end_offsets
from streams.errors import UserError
from streams.rules_file import in_force, load_rules
from streams.settings import Settings
from streams.shardlog.checkpoint import Checkpoint
from streams.shardlog.encoding import decode_record
from streams.shardlog.fold import ForeignLogError
from streams.shardlog.positions import Sources
from streams.shardlog.records import Claim, Genesis
from streams.shardlog.unit import Unit
from streams.worker.desk import Desk, Ends, Log, Trim

logger = logging.getLogger(__name__)

FIRST_RECORD_MS = 10_000
PROBE_WAIT_MS = 10


class LogError(UserError):
    """A checkpoint and a log do not belong together, or the log belongs to another instance."""


@dataclass(frozen=True, slots=True)
class _Log:
    """A partition of the log as the broker has it: offsets of the first record and after the last, and its
    genesis."""

    first: int
    end: int
    genesis: Genesis | None


class Opener:
    """Makes desks for one worker."""

    def __init__(
        self, settings: Settings, sources: Sources, name: str, append: Log, ends: Ends, trim: Trim | None
    ) -> None:
        self._settings = settings
        self._rules = load_rules(settings)
        self.in_force = in_force(settings, self._rules)
        self.sources = sources
        self._name = name
        self._append = append
        self.ends = ends
        self._trim = trim
        self._store = CheckpointStore(settings.checkpoints)

    def now(self) -> int:
        """The worker's clock, ms since the epoch: only for what is said about the worker itself."""
        return time.time_ns() // 1_000_000

    def nonce(self) -> str:
        """A name that no other claim has."""
        return uuid.uuid4().hex

    async def open(self, partition: int) -> Desk:
        """A desk whose unit is about to claim; LogError when checkpoint, log and settings do not fit
        together."""
        log = await self._look(partition)
        checkpoint = await self._checkpoint(partition, log)
        own = Genesis(
            uuid.uuid4().hex,
            self.sources.partitions,
            self.sources.market_partitions,
            self._settings.topic_prefix,
        )
        host, port = self._settings.web
        claim = Claim(self.nonce(), self._name, f"{host}:{port}", self.in_force)
        core = self.core(partition)
        try:
            unit = Unit(
                core,
                self.sources.of(partition),
                own,
                claim,
                checkpoint=checkpoint,
                log_is_empty=log.end == 0,
            )
        except ForeignLogError as error:
            raise LogError(str(error), advice=_OTHER_INSTANCE) from error
        logger.info("partition %d of the log: %d records to read", partition, log.end - unit.log_position)
        return Desk(unit, core, self._append, self.ends, self._store, self._trim, log.end)

    def core(self, partition: int) -> Core:
        """An empty state machine for a partition of the log."""
        if partition == self.sources.firm_partition:
            return FinancingCore(FinancingConfig(self.sources.partitions, self._settings.scope, self._rules))
        config = ShardConfig(
            liquidation=self._settings.liquidation,
            ceiling_accounts=self._settings.ceiling_accounts,
            ceiling_yuan=self._settings.ceiling_yuan,
            shard=partition,
            rules=self._rules,
        )
        return MarginShard(config)

    async def _checkpoint(self, partition: int, log: _Log) -> Checkpoint | None:
        """The newest checkpoint of the partition, if there is one and it belongs to the log."""
        found = await asyncio.to_thread(self._store.newest, partition)
        for message in found.messages:
            logger.warning("%s", message)
        if found.checkpoint is not None:
            check_log(found.checkpoint, log.genesis, log.first, log.end)
        elif log.first > 0:
            raise LogError(
                f"shard.log-{partition} begins at record {log.first}, and there is no checkpoint",
                advice="Set LIANGRONG_CHECKPOINTS to where this instance keeps them "
                f"(now {self._settings.checkpoints}).",
            )
        return found.checkpoint

    async def _look(self, partition: int) -> _Log:
        place = TopicPartition(self._settings.topic(SHARD_LOG), partition)
        async with reader(self._settings, fetch_max_wait_ms=PROBE_WAIT_MS) as consumer:
            first = (await consumer.beginning_offsets([place]))[place]
            end = (await end_offsets(consumer, [place]))[place]
            if first == end:
                return _Log(first, end, None)
            consumer.assign([place])
            consumer.seek(place, first)
            records = (await consumer.getmany(timeout_ms=FIRST_RECORD_MS, max_records=1)).get(place)
            if not records:
                raise LogError(
                    f"the broker does not show the first record of {place.topic}-{partition}",
                    advice="Look at the broker; `liangrong doctor` says what it answers.",
                )
            record = decode_record(records[0].value)
            return _Log(first, end, record if isinstance(record, Genesis) else None)


_OTHER_INSTANCE = (
    "Use the settings the instance was begun with, or another LIANGRONG_TOPIC_PREFIX to begin afresh."
)
