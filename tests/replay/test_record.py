"""Recording: what was replayed comes back as a day that gives the same alerts and the same state."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from agents.core import Output
from schemas.frames import encode_trades
from streams.days.reader import open_days
from streams.days.tickbatches import trade_batch
from streams.errors import UserError
from streams.headers import CONTENT_TYPE
from streams.record import record_topics
from streams.replaying import Replay, ReplayOptions
from streams.run import RunOptions, run_days
from streams.sending import Sender
from streams.topics import create_topics
from tests.brokers import Broker
from tests.replay.small_days import two_days

OPTIONS = RunOptions(window_ms=60_000, liquidation="simulate")


def alerts(path: Path) -> tuple[str, list[str]]:
    outputs: list[Output] = []
    report = run_days(open_days([path]), OPTIONS, lambda _, output: outputs.append(output))
    return report["state_hash"], sorted(str(o.value) for o in outputs if o.topic == "margin.calls")


async def test_a_recording_of_a_replay_is_the_day_again(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings_with(LIANGRONG_PARTITIONS="2")
    await create_topics(settings)
    (day, _) = two_days(tmp_path)
    await Replay(open_days([day]), settings, ReplayOptions(window_ms=60_000)).run()
    (copy,), recording = await record_topics(tmp_path / "copy", settings)
    assert copy.name == day.name
    assert recording.refused == 0
    assert alerts(copy) == alerts(day)


async def test_frames_are_recorded_row_by_row_and_bad_records_left_out(
    broker: Broker, tmp_path: Path
) -> None:
    settings = broker.settings_with(LIANGRONG_PARTITIONS="2")
    await create_topics(settings)
    (source, _) = two_days(tmp_path)
    (day,) = open_days([source])
    session = {"ts": 1743642000000, "date": "2025-04-03", "market": "ALL", "phase": "pre_open"}
    from schemas.batch_decoding import decode_trades

    batch = decode_trades(day.json_topic("market.trades").values, None).batch
    async with Sender(settings) as sender:
        await sender.send("market.session", 0, b"ALL", orjson.dumps(session))
        await sender.send(
            "market.trades",
            0,
            None,
            encode_trades(batch),
            [(CONTENT_TYPE, b"application/vnd.liangrong.frame")],
        )
        await sender.send("market.trades", 1, b"600000.SH", b'{"security":"600000.SH"}')
    (copy,), recording = await record_topics(tmp_path / "copy", settings)
    assert recording.refused == 1
    assert trade_batch(open_days([copy])[0]) == batch


async def test_without_session_records_there_is_no_day_to_record(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings_with(LIANGRONG_PARTITIONS="2")
    await create_topics(settings)
    with pytest.raises(UserError, match="there is no session record"):
        await record_topics(tmp_path, settings)
