"""Days of the plain client: phases, trades and the books of accounts in need."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

from tests.acceptance.firm import Firm, Record
from tests.oracle.moments import at
from tests.worked_examples.records import BANK, financed, opening

LIVE_PAUSE = 1.0
"""A live `settled` covers what was published before it; a client publishes it a second later (contract)."""


def account_in_need(name: str = "A1", preset: str = "A", **more: Any) -> Record:
    """100,000 shares against a debt of one million: a price of 12.50 is a ratio of 1.25."""
    return opening(held={BANK: 100_000}, owes=[financed("1000000")], preset=preset, name=name, **more)


async def trade(firm: Firm, day: date, clock: str, price: str, security: str = BANK) -> None:
    record = {"security": security, "ts": at(day, clock), "price": price, "qty": 100}
    await firm.publish("market.trades", security, record)


async def known(firm: Firm, *records: tuple[str, str, Record]) -> None:
    """Reference data (topic, key, record) that a running worker has taken before books name it."""
    await firm.ready()
    for topic, key, record in records:
        await firm.publish(topic, key, record)
    await asyncio.sleep(LIVE_PAUSE)


async def phase(firm: Firm, day: date, name: str, clock: str) -> None:
    await firm.session(name, at(day, clock), day.isoformat())


async def day_until_settled(firm: Firm, day: date, price: str, *events: Record) -> None:
    """A day on which BANK trades once, then these events arrive, then the day is settled."""
    await phase(firm, day, "pre_open", "09:00")
    await phase(firm, day, "continuous", "09:30")
    await trade(firm, day, "09:31", price)
    await firm.account_events(*events)
    await asyncio.sleep(LIVE_PAUSE)
    await phase(firm, day, "close", "15:00")
    await phase(firm, day, "settled", "16:00")


def events_of(calls: list[Record], account: str = "A1") -> list[str]:
    """What became of an account's calls, in order of their steps."""
    mine = [call for call in calls if call["account"] == account]
    return [call["event"] for call in sorted(mine, key=lambda call: (call["episode"], call["step"]))]
