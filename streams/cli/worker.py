"""`liangrong worker`: the processor."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from streams.brokers import EmbeddedBroker, announce, announced_address, checkpoints_of, latest_announcement
from streams.cli.options import with_settings
from streams.errors import UsageError, UserError, expected
from streams.settings import DEFAULT_CHECKPOINTS, KafkaSettings, Settings
from streams.topics import create_topics

if TYPE_CHECKING:
    from streams.worker.serve import WorkerOptions

_SHOWN = (
    "LIANGRONG_PARTITIONS",
    "LIANGRONG_CHECKPOINTS",
    "LIANGRONG_SCOPE",
    "LIANGRONG_LIQUIDATION",
    "LIANGRONG_RULES",
    "LIANGRONG_WEB",
)


def parse_partitions(text: str, count: int) -> frozenset[int]:
    """`0-3,6` as numbers below `count`; UsageError for anything else."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"--partitions {text} is not a list such as 0-3,6")
        low, high = int(first), int(last if dash else first)
        if high < low:
            raise UsageError(f"--partitions {text}: {part.strip()} ends before it begins")
        if high >= count:
            raise UsageError(f"--partitions {text}: this instance has partitions 0 to {count - 1}")
        found.update(range(low, high + 1))
    return frozenset(found)


@click.command()
@click.option("--partitions", "-p", help="Hold exactly these account partitions, as 0-3,6 (default: all).")
@click.option(
    "--group",
    is_flag=False,
    flag_value="liangrong",
    help="Share the partitions with the other workers of this consumer group (default name: liangrong).",
)
@click.option("--name", default="", help="Name of this worker (default: host and process id).")
@click.option(
    "--checkpoint-every",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="Seconds between checkpoints of a partition.",
)
@click.option(
    "--trim-log",
    is_flag=True,
    help="Delete records of shard.log that no kept checkpoint needs (Apache Kafka).",
)
@click.option("--quiet", "-q", is_flag=True, help="Say only what is wrong.")
@with_settings(shown=_SHOWN, own=("LIANGRONG_PARTITIONS",))
def command(
    partitions: str | None,
    group: str | None,
    name: str,
    checkpoint_every: float,
    trim_log: bool,
    quiet: bool,
    settings: Settings,
) -> None:
    """Run a worker until Ctrl-C: intake, market, margin and financing agents.

    Missing topics are created. Without KAFKA_BOOTSTRAP it joins the embedded broker of a running
    `liangrong broker` or `liangrong demo`, or starts one that ends with it.
    """
    from streams.worker.serve import WorkerOptions

    if group is not None and partitions is not None:
        raise UsageError("--group and --partitions exclude each other")
    count = settings.partitions
    held = parse_partitions(partitions or f"0-{count - 1}", count) if group is None else frozenset()
    logging.getLogger("streams.worker").setLevel(logging.WARNING if quiet else logging.INFO)
    # A fresh Kafka has no group coordinator for a moment; the client asks again.
    logging.getLogger("aiokafka.consumer.group_coordinator").setLevel(logging.CRITICAL)
    logging.getLogger("streams.worker.readers").setLevel(logging.WARNING)  # that they start and stop
    options = WorkerOptions(held, group, name, checkpoint_every, trim_log)
    with _broker(settings) as broker:
        asyncio.run(_serve(_with_folder(settings), options, broker))


def _broker(settings: Settings) -> AbstractContextManager[EmbeddedBroker | None]:
    if settings.kafka.bootstrap is not None or announced_address() is not None:
        return nullcontext()
    return _own_broker(settings)


def _with_folder(settings: Settings) -> Settings:
    """An in-memory broker has a folder of its own for checkpoints, unless another was chosen."""
    found = latest_announcement()
    chosen = settings.kafka.bootstrap is not None or settings.checkpoints != DEFAULT_CHECKPOINTS
    if chosen or found is None:
        return settings
    return replace(settings, checkpoints=str(checkpoints_of(found[1])))


@contextmanager
def _own_broker(settings: Settings) -> Iterator[EmbeddedBroker]:
    """An embedded broker for the time of the block. It has its topics before other commands can find it."""
    with EmbeddedBroker() as broker:
        asyncio.run(create_topics(replace(settings, kafka=KafkaSettings(broker.bootstrap))))
        with announce(broker.bootstrap):
            click.echo(f"KAFKA_BOOTSTRAP={broker.bootstrap}", err=True)
            yield broker


async def _serve(settings: Settings, options: WorkerOptions, broker: EmbeddedBroker | None) -> None:
    from streams.worker.serve import running_worker

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with running_worker(settings, options) as worker:
        if broker is not None:
            broker.on_loss(worker.fail)
        ends: list[asyncio.Future[Any]] = [asyncio.ensure_future(stopped.wait()), worker.failed]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if worker.failed.done() and (error := worker.failed.exception()) is not None:
            _crash(error)


def _crash(error: BaseException) -> None:
    """End at once: nothing that is under way may look finished. State is in the log and the checkpoints."""
    said = expected(error)
    if said is not None:
        click.echo(f"liangrong: {said}", err=True)
    else:
        traceback.print_exception(error)
    if not isinstance(error, UserError):
        click.echo("liangrong: the worker ends here; its next start goes on where it was", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(said.exit_code if said is not None else 1)
