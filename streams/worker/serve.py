"""A worker from start to end: topics, app, readers, partitions; then until somebody stops it, or it fails."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from tempfile import TemporaryDirectory

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from agents.adapters import attach
from agents.core import Source
from schemas.topics import SHARD_LOG
from streams.brokers import bootstrap_address
from streams.connections import client_options, producer, reader, start
from streams.ends import end_offsets
from streams.errors import UserError
from streams.routes import Routes
from streams.sending import Sender
from streams.settings import Settings
from streams.shardlog.positions import Sources
from streams.tails import log_tails, newest_positions
from streams.topics import LOG_RECORD_BYTES, create_topics
from streams.worker.app import build_app
from streams.worker.commands import note_command
from streams.worker.desk import Log
from streams.worker.group import Membership
from streams.worker.opening import Opener
from streams.worker.outgoing import Outgoing
from streams.worker.readers import Reader
from streams.worker.single_flight import SingleFlight
from streams.worker.strays import Tails
from streams.worker.trimming import trim_log
from streams.worker.warm import compile_kernels, spare_collector
from streams.worker.web import add_pages
from streams.worker.worker import Readers, Worker

logger = logging.getLogger(__name__)

INPUT_BATCH = 4_000
MARKET_BATCH = 40_000
LOG_BATCH = 200
OUTPUT_LINGER_SECONDS = 0.002
STOP_SECONDS = 10.0
PROBE_WAIT_MS = 10
TAIL_RECORDS = 20
"""Enough of a log's end to find a frame in: claims come one at a time."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How one worker of an instance runs: it holds `partitions`, or what the consumer group `group` gives
    it."""

    partitions: frozenset[int]
    group: str | None = None
    name: str = ""
    checkpoint_seconds: float = 10.0
    trim_log: bool = False

    def worker_name(self) -> str:
        """The given name, or one that no other live worker has."""
        return self.name or f"{socket.gethostname()}-{os.getpid()}"


@asynccontextmanager
async def running_worker(settings: Settings, options: WorkerOptions) -> AsyncIterator[Worker]:
    """A started worker. Unless it failed, it leaves its partitions with a checkpoint at the end of the
    block."""
    settings = replace(settings, web=_web_address(settings))
    states = await create_topics(settings)  # first: publishers need not wait for the rest
    logger.info("compiling the kernels: the first start takes half a minute, later ones a second")
    compile_kernels()
    spare_collector()
    routes = Routes({state.topic.name: state.partitions for state in states})
    async with AsyncExitStack() as stack:
        sender = await stack.enter_async_context(Sender(settings, linger=OUTPUT_LINGER_SECONDS))
        appender = producer(settings, linger_ms=0, max_request_size=LOG_RECORD_BYTES)
        await start(appender, client_options(settings))
        stack.push_async_callback(appender.stop)

        async def append(partition: int, data: bytes) -> int:
            kept = await appender.send_and_wait(settings.topic(SHARD_LOG), data, partition=partition)
            return int(kept.offset)

        probe = await stack.enter_async_context(reader(settings, fetch_max_wait_ms=PROBE_WAIT_MS))
        log_probe = await stack.enter_async_context(reader(settings, fetch_max_wait_ms=PROBE_WAIT_MS))

        async def tails(partitions: frozenset[int]) -> Mapping[Source, int]:
            found: dict[Source, int] = {}
            async for _, records in log_tails(settings, log_probe, sorted(partitions), TAIL_RECORDS):
                found |= newest_positions([value for _, value in records]) or {}
            return found

        folder = stack.enter_context(TemporaryDirectory(prefix="liangrong-"))
        worker = _build(settings, options, append, probe, tails, Outgoing(sender, routes), folder)
        membership = None
        if options.group is not None:
            membership = Membership(settings, options.group, worker, worker.opener.in_force)
        try:
            await worker.app.start()
            if membership is not None:
                await membership.start()
            else:
                await worker.hold(options.partitions)
            yield worker
        finally:
            if membership is not None:
                await membership.stop()
            await worker.stop()
            await asyncio.wait_for(worker.app.stop(), STOP_SECONDS)


def _web_address(settings: Settings) -> tuple[str, int]:
    """Host and port of the web server, port 0 replaced by a free one; UserError if it is taken."""
    host, port = settings.web
    try:
        with socket.create_server((host, port)) as server:
            return host, server.getsockname()[1]
    except OSError as error:
        raise UserError(
            f"the web server cannot listen on {host}:{port}: {error.strerror or error}",
            advice="Set LIANGRONG_WEB to another host:port; with port 0 any free one is taken.",
        ) from error


def _build(
    settings: Settings,
    options: WorkerOptions,
    append: Log,
    probe: AIOKafkaConsumer,
    tails: Tails,
    outgoing: Outgoing,
    folder: str,
) -> Worker:
    """Faust app, readers, agents, pages and the worker, connected but not started."""
    sources = Sources(settings.partitions, settings.market_partitions)
    name = options.worker_name()
    app, channels, commands = build_app(settings, name, bootstrap_address(settings), folder)
    readers = Readers(
        Reader("inputs", settings, channels.inputs, INPUT_BATCH),
        Reader("market", settings, channels.market, MARKET_BATCH),
        Reader("log", settings, channels.log, LOG_BATCH),
    )
    inputs = {
        TopicPartition(settings.topic(source[0]), source[1]): source
        for p in range(sources.partitions + 1)
        for source in sources.of(p).sources
    }

    async def ask() -> Mapping[Source, int]:
        return {inputs[partition]: end for partition, end in (await end_offsets(probe, inputs)).items()}

    ends = SingleFlight(ask)
    trim = partial(trim_log, settings) if options.trim_log else None
    opener = Opener(settings, sources, name, append, ends.fresh, trim)
    worker = Worker(
        app, opener, readers, outgoing, tails, options.checkpoint_seconds, in_group=options.group is not None
    )
    attach(app, "market", channels.market, worker.take_inputs, worker.fail)
    attach(app, "intake", channels.inputs, worker.take_inputs, worker.fail)
    attach(app, "margin", channels.log, worker.take_log, worker.fail)
    attach(app, "commands", commands, note_command, worker.fail)
    add_pages(app, worker, name)
    return worker
