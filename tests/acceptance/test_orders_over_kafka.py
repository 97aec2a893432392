"""E5, E6, E7, E9, E11, E12 and E15 as requests published and decisions received (rulebook 17).

Everything is published at once, as a replayer does: records carry the header `window`, every session record
the cut that it stands for. So each request sees exactly the day, the prices and the books before it, and
nothing has to be waited for. One worker serves all the days, from 2015 to 2026.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schemas.routing import home_partition
from tests.acceptance.example_days import Example
from tests.acceptance.firm import Firm, Record
from tests.acceptance.orders_of_examples import EXAMPLES
from tests.oracle.moments import at

WINDOW = [("window", b"0")]


@dataclass
class Recorded:
    """A recorded market on its way to the topics, and what its requests must be told."""

    firm: Firm
    ends: dict[str, int] = field(default_factory=dict)
    expected: dict[str, Record] = field(default_factory=dict)
    under_way: list[tuple[str, asyncio.Future[Any]]] = field(default_factory=list)

    async def publish(self, topic: str, key: str, record: Record) -> None:
        more: dict[str, Any] = {}
        if topic.startswith("account."):
            more["partition"] = home_partition(key, int(self.firm.settings["LIANGRONG_PARTITIONS"]))
        body = json.dumps(record).encode()
        name = self.firm.broker.prefix + topic
        sent = await self.firm.producer.send(name, body, key=key.encode(), headers=WINDOW, **more)
        self.under_way.append((topic, sent))

    async def cut(self, phase: str, day: date, clock: str) -> None:
        """A session record after everything that was published before it, and before everything later."""
        for topic, sent in self.under_way:
            placed = await sent
            self.ends[f"{topic}-{placed.partition}"] = placed.offset + 1
        self.under_way = []
        await self.firm.session(phase, at(day, clock), day.isoformat(), cut=dict(self.ends))

    async def ask(self, request: Record, ts: int, expected: Record) -> None:
        name = f"r{len(self.expected)}"
        await self.publish("account.orders", request["account"], {"id": name, "ts": ts, **request})
        self.expected[name] = expected

    async def day(self, example: Example) -> None:
        """Reference data, books, then rounds of prices and events and of the requests that see them."""
        day = date.fromisoformat(example.day)
        for topic, key, record in example.reference:
            await self.publish(topic, key, record)
        await self.cut("pre_open", day, "09:00")
        opening = {"ts": at(day, "09:10"), "kind": "opening", "id": f"o{example.day}"}
        for book in example.books:
            await self.publish("account.events", book["account"], opening | book)
        for minute, round_ in enumerate(example.rounds, start=30):
            ts = at(day, f"09:{minute}")
            for security, price in round_.prices.items():
                trade = {"security": security, "ts": ts, "price": price, "qty": 100}
                await self.publish("market.trades", security, trade)
            for event in round_.events:
                await self.publish("account.events", event["account"], {"ts": ts} | event)
            await self.cut(round_.phase, day, f"09:{minute}")
            for request, expected in round_.requests:
                await self.ask(request, ts + 1000, expected)
            await self.cut("clock", day, f"09:{minute}:30")


def differences(expected: dict[str, Record], decisions: list[Record]) -> list[str]:
    """What decisions say that was not expected of them."""
    found = {record["order"]: record for record in decisions}
    return [
        f"{key} should be {value!r}: {found[name]}"
        for name, answer in expected.items()
        for key, value in answer.items()
        if not says(key, value, found[name].get(key))
    ]


def says(key: str, value: Any, got: Any) -> bool:
    """A rule is named with its date."""
    return bool(got == value) or (key == "rule" and str(got).startswith(f"{value}@"))


async def test_every_request_gets_the_one_decision_of_the_rulebook(firm: Firm) -> None:
    recorded = Recorded(firm)
    for example in EXAMPLES:
        await recorded.day(example)
    firm.start_worker()
    asked = len(recorded.expected)
    decisions = await firm.until("order.decisions", lambda seen: len(seen) >= asked)
    assert sorted(record["order"] for record in decisions) == sorted(recorded.expected)
    wrong = differences(recorded.expected, decisions)
    assert not wrong, "\n".join(wrong)
    assert {record["id"] for record in await firm.now_on("dead.letters")} == set()


def test_the_examples_come_in_the_order_of_their_days() -> None:
    days = [example.day for example in EXAMPLES]
    assert days == sorted(set(days))
