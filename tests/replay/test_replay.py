"""A replay through a broker: windows, cuts, going on after a stop or a kill, refusing what is there
already."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord, TopicPartition

from schemas.topics import TOPICS
from streams.connections import reader
from streams.days.progress import Progress
from streams.days.reader import open_days
from streams.errors import TopicError
from streams.headers import header
from streams.replaying import Replay, ReplayOptions
from streams.sending import Sender
from streams.settings import Settings
from streams.topics import create_topics
from tests.brokers import Broker
from tests.replay.small_days import FIRST, two_days, write_day

OPTIONS = ReplayOptions(window_ms=60_000)
Published = dict[tuple[str, int], list[ConsumerRecord[bytes, bytes]]]


def settings_of(broker: Broker, prefix: str = "") -> Settings:
    return broker.settings_with(LIANGRONG_PARTITIONS="2", LIANGRONG_TOPIC_PREFIX=broker.prefix + prefix)


async def published(settings: Settings) -> Published:
    """All that lies in the input topics, by logical topic and partition."""
    found: Published = {}
    async with reader(settings) as consumer:
        for topic in (name for name, t in TOPICS.items() if t.direction == "in"):
            count = TOPICS[topic].partition_count(settings.partitions, settings.market_partitions)
            places = {TopicPartition(settings.topic(topic), p): p for p in range(count)}
            ends = await consumer.end_offsets(list(places))
            for place, partition in places.items():
                records = found.setdefault((topic, partition), [])
                consumer.assign([place])
                await consumer.seek_to_beginning(place)
                while len(records) < ends[place]:
                    records += (await consumer.getmany(place, timeout_ms=500)).get(place, [])
    return found


def content(everything: Published) -> dict[tuple[str, int], list[tuple[Any, ...]]]:
    return {
        place: [(record.key, record.value, header(record.headers, "window")) for record in records]
        for place, records in everything.items()
    }


async def test_every_record_names_its_window_and_every_cut_is_where_the_partitions_stood(
    broker: Broker, tmp_path: Path
) -> None:
    settings = settings_of(broker)
    await create_topics(settings)
    days = open_days(two_days(tmp_path)[:1])
    report = await Replay(days, settings, OPTIONS).run()
    everything = await published(settings)
    assert report.finished
    assert report.events == 12 + 8 + 2
    sessions = everything["market.session", 0]
    assert report.windows == len(sessions)
    for record in sessions:
        number = int(header(record.headers, "window") or b"-1")
        cut = orjson.loads(record.value)["cut"]
        for (topic, partition), records in everything.items():
            windows = [int(header(r.headers, "window") or b"-1") for r in records]
            assert windows == sorted(windows)
            if topic != "market.session":
                assert cut[f"{topic}-{partition}"] == sum(window <= number for window in windows)
        assert cut["security.signals-0"] == 0


async def test_accounts_lie_in_their_home_partition(broker: Broker, tmp_path: Path) -> None:
    from schemas.routing import home_partition

    settings = settings_of(broker)
    await create_topics(settings)
    await Replay(open_days(two_days(tmp_path)[:1]), settings, OPTIONS).run()
    everything = await published(settings)
    for partition in range(2):
        for record in everything["account.events", partition]:
            assert home_partition(record.key.decode(), 2) == partition


async def test_a_date_that_is_there_already_is_refused_but_not_under_another_prefix(
    broker: Broker, tmp_path: Path
) -> None:
    settings, other = settings_of(broker), settings_of(broker, "other.")
    await create_topics(settings)
    await create_topics(other)
    days = open_days(two_days(tmp_path)[:1])
    await Replay(days, settings, OPTIONS).run()
    with pytest.raises(TopicError, match="already hold all of 2025-04-03") as refused:
        await Replay(days, settings, OPTIONS).run()
    assert "LIANGRONG_TOPIC_PREFIX" in refused.value.advice
    with pytest.raises(TopicError, match="already hold 2025-04-03"):
        await Replay(days, settings, ReplayOptions(window_ms=1000)).run()
    earlier = open_days([write_day(tmp_path / "earlier", FIRST - 1, ["9.00"])])
    with pytest.raises(TopicError, match="which is after 2025-04-02"):
        await Replay(earlier, settings, OPTIONS).run()
    assert (await Replay(days, other, OPTIONS).run()).finished


async def test_a_stopped_replay_goes_on_where_it_stopped(broker: Broker, tmp_path: Path) -> None:
    settings, undisturbed = settings_of(broker), settings_of(broker, "whole.")
    for each in (settings, undisturbed):
        await create_topics(each)
    days = open_days(two_days(tmp_path)[:1])
    seen: list[Progress] = []

    def stop_at_the_fourth(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 4:
            first.stop()

    first = Replay(days, settings, OPTIONS, stop_at_the_fourth)
    report = await first.run()
    assert (report.finished, report.windows) == (False, 4)
    rest = await Replay(days, settings, OPTIONS).run()
    whole = await Replay(days, undisturbed, OPTIONS).run()
    assert rest.finished
    assert rest.windows + 4 == whole.windows
    assert content(await published(settings)) == content(await published(undisturbed))


@pytest.mark.parametrize("killed_in", [0, 5])
async def test_a_replay_killed_inside_a_window_publishes_the_rest_of_it(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_in: int
) -> None:
    settings, undisturbed = settings_of(broker), settings_of(broker, "whole.")
    for each in (settings, undisturbed):
        await create_topics(each)
    days = open_days(two_days(tmp_path)[:1])
    send = Sender.send
    count = 0

    async def dies(self: Sender, topic: str, *rest: Any) -> None:
        nonlocal count
        window = int(header(rest[3], "window") or b"-1")
        if window == killed_in:
            count += 1
            if count > 1:
                await self.flush()
                raise ConnectionError("killed")
        await send(self, topic, *rest)

    monkeypatch.setattr(Sender, "send", dies)
    with pytest.raises(ConnectionError):
        await Replay(days, settings, OPTIONS).run()
    monkeypatch.setattr(Sender, "send", send)
    assert (await Replay(days, settings, OPTIONS).run()).finished
    await Replay(days, undisturbed, OPTIONS).run()
    assert content(await published(settings)) == content(await published(undisturbed))


async def test_the_next_day_waits_until_the_one_before_is_final(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.replaying.WAITING_SECONDS", 0.4)
    settings = settings_of(broker)
    await create_topics(settings)
    waiting = asyncio.Event()
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        waiting.set()

    replay = Replay(open_days(two_days(tmp_path)), settings, OPTIONS, note=note)
    running = asyncio.create_task(replay.run())
    await asyncio.wait_for(waiting.wait(), 30)
    assert notes[0] == "waiting for day_final of 2025-04-03: is a worker running?"
    held = await published(settings)
    assert {orjson.loads(r.value)["date"] for r in held["market.session", 0]} == {"2025-04-03"}
    signal = {"id": "s", "security": "600000.SH"}
    final = {"id": "f", "ts": 1743667200000, "kind": "day_final", "date": "2025-04-03", "text": "final"}
    async with Sender(settings) as sender:
        await sender.send("security.signals", 0, b"600000.SH", orjson.dumps(signal))
        await sender.flush()
        await sender.send("system.events", 0, b"day_final", orjson.dumps(final))
    report = await asyncio.wait_for(running, 30)
    assert report.finished
    sessions = [orjson.loads(r.value) for r in (await published(settings))["market.session", 0]]
    pre_open = next(s for s in sessions if s["date"] == "2025-04-07")
    assert (pre_open["phase"], pre_open["cut"]["security.signals-0"]) == ("pre_open", 1)


async def test_from_and_to_bound_what_is_paced_and_published(broker: Broker, tmp_path: Path) -> None:
    settings = settings_of(broker)
    await create_topics(settings)
    days = open_days(two_days(tmp_path)[:1])
    report = await Replay(
        days, settings, ReplayOptions(window_ms=60_000, speed=1, start=9 * 60 + 31, end=9 * 60 + 31)
    ).run()
    assert not report.finished
    sessions = (await published(settings))["market.session", 0]
    assert orjson.loads(sessions[-1].value)["ts"] == 1743643860000  # 09:31:00
