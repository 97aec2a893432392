"""What `liangrong doctor` looks at: each check ends in a finding, and what is wrong comes with what to do."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from schemas.topics import TOPICS
from streams.brokers import announced_address
from streams.checkpoints import CheckpointStore
from streams.connections import admin, reader
from streams.ends import end_offsets
from streams.errors import SettingsError, UserError
from streams.moments import shanghai_time
from streams.rules_file import in_force, load_rules
from streams.settings import DEFAULT_CHECKPOINTS, Settings
from streams.tails import log_tails, newest_positions
from streams.topics import TopicState, list_topics

Verdict = Literal["ok", "warning", "failed"]

FREE_BYTES = 1024**3
LAG_RECORDS = 10_000
CLOCK_AHEAD_MS = 5_000
_LOOK_BACK = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """Outcome of one check; `advice` is empty when there is nothing to do."""

    check: str
    verdict: Verdict
    text: str
    advice: str = ""


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """All findings, in the order in which one problem explains the next."""
    yield check_settings(settings)
    yield check_rules(settings)
    yield check_time_zone()
    yield check_checkpoints(settings)
    try:
        async with admin(settings) as client:
            brokers = (await client.describe_cluster())["brokers"]
    except UserError as error:
        yield Finding("broker", "failed", error.message, error.advice)
        return
    yield _broker_finding(settings, len(brokers))
    states = await list_topics(settings)
    finding = check_topic_counts(states)
    yield finding
    if finding.verdict != "ok":
        return
    async with reader(settings) as consumer:
        yield await check_clock(settings, consumer)
        async for lag in check_lag(settings, consumer):
            yield lag


def check_settings(settings: Settings) -> Finding:
    """Values in force, without secrets."""
    kafka = settings.kafka
    text = (
        f"prefix {settings.topic_prefix or 'none'}, {settings.partitions} account and "
        f"{settings.market_partitions} market partitions, scope {settings.scope}, "
        f"liquidation {settings.liquidation}"
    )
    if kafka.bootstrap and kafka.security_protocol in {"PLAINTEXT", "SASL_PLAINTEXT"}:
        hosts = {address.strip().rpartition(":")[0] for address in kafka.bootstrap.split(",")}
        if not hosts <= {"127.0.0.1", "localhost", "[::1]"}:
            return Finding(
                "settings",
                "warning",
                f"{text}; the connection to {', '.join(sorted(hosts))} is not encrypted",
                "Set KAFKA_SECURITY_PROTOCOL=SASL_SSL where accounts travel over a network.",
            )
    return Finding("settings", "ok", text)


def check_rules(settings: Settings) -> Finding:
    """The dated rules of this instance can be read, and what they and the settings put in force is what the
    newest checkpoints were taken by.
    """
    try:
        own = in_force(settings, load_rules(settings))
    except UserError as error:
        return Finding("rules", "failed", error.message, error.advice)
    text = f"{'built in' if settings.rules is None else f'{settings.rules} over the built-in ones'}: {own}"
    other = {p: rules for p, rules in _rules_of_checkpoints(settings).items() if rules != own}
    if not other:
        return Finding("rules", "ok", text)
    partition, rules = min(other.items())
    return Finding(
        "rules",
        "warning",
        f"{text}; partition {partition} of shard.log was last kept by: {rules}",
        "Every worker needs the same file and settings. They can be changed after an orderly stop of all.",
    )


def _rules_of_checkpoints(settings: Settings) -> dict[int, str]:
    """What was in force at the newest checkpoint of each partition of the log, if checkpoints are files and
    not those that a worker on the embedded broker puts aside for it.
    """
    aside = settings.kafka.bootstrap is None and settings.checkpoints == DEFAULT_CHECKPOINTS
    if aside or urlsplit(settings.checkpoints).scheme not in {"", "file"}:
        return {}
    store = CheckpointStore(settings.checkpoints)
    found = {partition: store.rules(partition) for partition in range(settings.partitions + 1)}
    return {partition: rules for partition, rules in found.items() if rules is not None}


def check_time_zone() -> Finding:
    """Days and sessions are in Asia/Shanghai."""
    try:
        ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return Finding("time zone", "failed", "Asia/Shanghai is unknown here", "Install the package tzdata.")
    return Finding("time zone", "ok", f"in Shanghai it is {shanghai_time(time.time_ns() // 1_000_000)[:16]}")


def check_checkpoints(settings: Settings) -> Finding:
    """Whether checkpoints can be written, and where."""
    url = urlsplit(settings.checkpoints)
    if url.scheme not in {"", "file"}:
        try:
            CheckpointStore(settings.checkpoints)
        except SettingsError as error:
            return Finding("checkpoints", "failed", error.message, "Install it, or use a folder.")
        return Finding("checkpoints", "ok", f"{settings.checkpoints} (an object store; not looked into)")
    folder = Path(url.path if url.scheme else settings.checkpoints).absolute()
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not nearest.is_dir() or not _writable(nearest):
        return Finding(
            "checkpoints",
            "failed",
            f"{folder} cannot be written",
            "Set LIANGRONG_CHECKPOINTS to a folder of your own.",
        )
    free = shutil.disk_usage(nearest).free
    text = f"{folder}, {free / 1024**3:.1f} GiB free"
    if free < FREE_BYTES:
        return Finding("checkpoints", "warning", text, "Make room: two million accounts take about 1 GiB.")
    return Finding("checkpoints", "ok", text)


def check_topic_counts(states: Iterable[TopicState]) -> Finding:
    """All topics there, with the partitions of the settings."""
    missing = [state.full_name for state in states if not state.partitions]
    wrong = [state for state in states if state.partitions and not state.right]
    if wrong:
        state = wrong[0]
        return Finding(
            "topics",
            "failed",
            f"{state.full_name} has {state.partitions} partitions, settings say {state.expected}",
            "Set LIANGRONG_PARTITIONS or LIANGRONG_MARKET_PARTITIONS to what the broker has, or use another "
            "LIANGRONG_TOPIC_PREFIX.",
        )
    if missing:
        return Finding(
            "topics",
            "failed",
            f"{len(missing)} are missing, such as {missing[0]}",
            "Run `liangrong topics create`.",
        )
    return Finding("topics", "ok", f"all {len(TOPICS)} are there")


async def check_clock(settings: Settings, consumer: AIOKafkaConsumer) -> Finding:
    """This machine's clock beside the newest record of the shard logs, which workers wrote by theirs."""
    now = time.time_ns() // 1_000_000
    newest = 0
    async for _, records in log_tails(settings, consumer, _all_logs(settings), 1):
        newest = max([newest, *(timestamp for timestamp, _ in records)])
    if newest > now + CLOCK_AHEAD_MS:
        return Finding(
            "clock",
            "failed",
            f"the newest record was written {(newest - now) / 1000:.1f} s in the future of this clock",
            "Synchronise the clocks of the machines (chrony, ntpd).",
        )
    return Finding("clock", "ok", "not behind the newest record" if newest else "no records to compare with")


async def check_lag(settings: Settings, consumer: AIOKafkaConsumer) -> AsyncIterator[Finding]:
    """How far each log is behind its sources: positions of the newest frame beside the ends of the topics."""
    worst: tuple[int, int] = (0, -1)
    unclaimed = []
    async for partition, records in log_tails(settings, consumer, _all_logs(settings), _LOOK_BACK):
        positions = newest_positions([value for _, value in records])
        if positions is None:
            unclaimed.append(partition)
            continue
        sources = [TopicPartition(settings.topic(topic), number) for topic, number in positions]
        ends = await end_offsets(consumer, sources)
        behind = sum(ends[s] - at for s, at in zip(sources, positions.values(), strict=True))
        worst = max(worst, (behind, partition))
    if unclaimed:
        names = ", ".join(map(str, unclaimed))
        yield Finding(
            "lag",
            "warning",
            f"no worker has written to shard.log, partition {names}",
            "Start `liangrong worker`.",
        )
    if worst[1] < 0:
        return
    text = f"at most {worst[0]} records between publishers and shards (shard.log, partition {worst[1]})"
    if worst[0] > LAG_RECORDS:
        yield Finding("lag", "warning", text, "See that a worker runs; start more to share the partitions.")
    else:
        yield Finding("lag", "ok", text)


def _all_logs(settings: Settings) -> range:
    return range(settings.partitions + 1)


def _broker_finding(settings: Settings, brokers: int) -> Finding:
    if settings.kafka.bootstrap is None:
        return Finding("broker", "ok", f"embedded, at {announced_address()}; its records are in memory only")
    return Finding("broker", "ok", f"{settings.kafka.bootstrap}, {brokers} node{'s' if brokers > 1 else ''}")


def _writable(folder: Path) -> bool:
    probe = folder / f".liangrong-{time.time_ns()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True
