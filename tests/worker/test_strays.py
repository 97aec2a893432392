"""A live `settled` waits until what strayed is home: in one's own logs, and in those of other workers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

import pytest

from agents.core import Source
from schemas.topics import ACCOUNT_ORDERS
from streams.shardlog.fold import Fold
from streams.worker import strays
from streams.worker.desk import Desk
from streams.worker.strays import Strays
from tests.shardlog.made import ACCOUNTS, SOURCES, Recording

ELSEWHERE: Source = (ACCOUNT_ORDERS, 1)


class Instance:
    """Two shards: the first one's desk is here, the other's log somewhere else; both still to read on."""

    def __init__(self) -> None:
        self.fold = Fold(Recording(), SOURCES.of_shard(0))
        self.elsewhere: dict[Source, int] = {}
        self.asked: list[frozenset[int]] = []
        desk = cast("Desk", SimpleNamespace(unit=SimpleNamespace(fold=self.fold)))
        self.strays = Strays(2, {0: desk}, self.ends, self.tails)

    async def ends(self) -> Mapping[Source, int]:
        return {ACCOUNTS: 3, ELSEWHERE: 2, ("market.trades", 0): 9}

    async def tails(self, partitions: frozenset[int]) -> Mapping[Source, int]:
        self.asked.append(partitions)
        return self.elsewhere

    def reaches(self, end: int) -> None:
        """The log of the own desk has passed the account events before `end`."""
        self.fold.positions = list(self.fold.layout.vector({ACCOUNTS: end}))


async def turns() -> None:
    """Time for what waits to look again."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays, "POLL_SECONDS", 0)


@pytest.mark.usefixtures("at_once")
async def test_all_logs_must_pass_the_ends_and_others_are_asked_last() -> None:
    instance = Instance()
    home = asyncio.ensure_future(instance.strays.home())
    await turns()
    instance.reaches(2)
    await turns()
    assert (home.done(), instance.asked) == (False, [])
    instance.reaches(3)
    await turns()
    assert not home.done()
    assert set(instance.asked) == {frozenset({1})}
    instance.elsewhere[ELSEWHERE] = 2
    await home


@pytest.mark.usefixtures("at_once")
async def test_a_shard_that_nobody_holds_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(strays, "PATIENCE_SECONDS", -1)
    instance = Instance()
    instance.reaches(3)
    with caplog.at_level(logging.WARNING):
        await instance.strays.home()
    assert "partitions [1] of shard.log have not read all" in caplog.text
