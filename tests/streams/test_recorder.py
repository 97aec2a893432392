"""What was published on a day can be recorded, and read again as the same events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas import decode
from streams import Publisher
from streams.days.reader import RecordedDay
from streams.days.rowjson import json_rows
from streams.errors import UsageError, UserError
from streams.recorder import belongs, record
from streams.topics import create_topics
from tests.brokers import Broker
from tests.plain_client import send

TS = 1_743_987_600_000
YESTERDAY = TS - 3 * 86_400_000
EVENTS: dict[str, list[dict[str, Any]]] = {
    "market.trades": [
        {"security": "600519.SH", "ts": TS + 1, "price": 1499.5, "qty": 100, "side": "B", "seq": 7},
        {"security": "600519.SH", "ts": TS, "price": "1499.501", "qty": 200},
    ],
    "market.quotes": [
        {
            "security": "000001.SZ",
            "ts": TS,
            "last": "10.1",
            "prev_close": 10,
            "volume": 5,
            "halted": False,
            "bid": [["10.09", 300]],
            "ask": [],
        }
    ],
    "market.session": [{"ts": TS, "date": "2025-04-07", "market": "ALL", "phase": "continuous"}],
    "reference.securities": [
        {
            "security": "600519.SH",
            "date": "2025-04-07",
            "kind": "stock",
            "board": "main",
            "st": True,
            "haircut": "0.65",
        }
    ],
    "account.events": [
        {
            "account": "A1",
            "ts": TS,
            "id": "o1",
            "kind": "opening",
            "cash": "10.01",
            "positions": [{"security": "600519.SH", "qty": 100, "sellable": 50}],
            "contracts": [
                {
                    "contract": "c1",
                    "type": "financing",
                    "security": "600519.SH",
                    "opened": "2024-03-01",
                    "qty": 10,
                    "price": "1500.5",
                    "rate": "0.0835",
                }
            ],
        },
        {"account": "A1", "ts": TS + 5, "id": "d1", "kind": "cash", "amount": "-1.5", "reason": "withdrawal"},
    ],
    "commands": [{"id": "k1", "ts": TS, "by": "lin", "command": "hold", "account": "A1"}],
}


@pytest.mark.parametrize("frames", [False, True])
async def test_a_recorded_day_holds_the_same_events(broker: Broker, tmp_path: Path, frames: bool) -> None:
    await create_topics(broker.settings)
    async with Publisher(broker.settings, frames=frames) as publisher:
        for topic, events in EVENTS.items():
            await publisher.publish_many(topic, events)
    done = await record(broker.settings, tmp_path)
    assert done.rows == {topic: len(events) for topic, events in EVENTS.items()}
    day = RecordedDay(tmp_path / "date=2025-04-07")
    for topic, events in EVENTS.items():
        recorded = [decode(topic, value) for value in json_rows(day.table(topic))]
        published = [decode(topic, orjson.dumps(event)) for event in events]
        assert sorted(recorded, key=repr) == sorted(published, key=repr)
    assert day.table("market.trades").column("ts").to_pylist() == [TS, TS + 1]
    assert set(day.table("account.events").column("key").to_pylist()) == {"A1"}


async def test_other_days_and_clocks_are_left_out_and_bad_records_are_counted(
    broker: Broker, tmp_path: Path
) -> None:
    await create_topics(broker.settings)
    trade = EVENTS["market.trades"][0]
    clock = {"ts": TS, "date": "2025-04-07", "market": "ALL", "phase": "clock"}
    async with Publisher(broker.settings) as publisher:
        await publisher.publish_many("market.session", [*EVENTS["market.session"], clock])
        await publisher.publish_many("market.trades", [trade, {**trade, "ts": YESTERDAY}])
    unfit = b'{"security":"600519.SH","ts":%d,"price":"1.2345","qty":1}' % TS
    await send(broker, "market.trades", [(None, b"{"), (None, b"[]"), (None, unfit)])
    done = await record(broker.settings, tmp_path)
    assert done.rows == {"market.trades": 1, "market.session": 1}
    assert done.unreadable == 3
    with pytest.raises(UsageError, match="holds a recorded day already"):
        await record(broker.settings, tmp_path)
    earlier = await record(broker.settings, tmp_path, ["market.trades"], "2025-04-04")
    assert earlier.rows == {"market.trades": 1}


async def test_what_cannot_be_recorded_is_one_clear_message(broker: Broker, tmp_path: Path) -> None:
    await create_topics(broker.settings)
    with pytest.raises(UserError, match="no session record tells the date"):
        await record(broker.settings, tmp_path)
    with pytest.raises(UserError, match="holds nothing of 2025-04-07"):
        await record(broker.settings, tmp_path, date="2025-04-07")
    with pytest.raises(UsageError, match="the date must be a date such as"):
        await record(broker.settings, tmp_path, date="7 April")
    with pytest.raises(UsageError, match=r"there is no topic shard\.log to record"):
        await record(broker.settings, tmp_path, ["shard.log"])


def test_a_record_belongs_to_its_date_or_else_its_time_or_else_to_every_day() -> None:
    day = 20_185
    assert belongs("reference.securities", {"date": "2025-04-07"}, day)
    assert not belongs("reference.securities", {"date": "2025-04-04"}, day)
    assert belongs("market.trades", {"ts": TS}, day)
    assert not belongs("market.trades", {"ts": YESTERDAY}, day)
    assert belongs("reference.rules", {"preset": "C"}, day)
