"""At 60-fold speed and with three workers a recorded day gives the alerts and the state of an offline run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.acceptance.firm import Firm
from tests.acceptance.recorded import write_day
from tests.acceptance.test_crashes import replayed, the_end, undisturbed

REPLAY_SECONDS = 180
"""The day has an hour of trading; what lies idle around it passes quickly."""


@pytest.mark.parametrize("broker", [pytest.param("kafka", marks=pytest.mark.broker)], indirect=True)
async def test_sixty_fold_with_three_workers_that_share_the_partitions(firm: Firm, tmp_path: Path) -> None:
    day = write_day(tmp_path / "recorded")
    workers = [firm.start_worker("--group", "three") for _ in range(3)]
    replay = replayed(firm, day, "--speed", "60")
    assert await asyncio.to_thread(replay.wait, REPLAY_SECONDS) == 0
    assert await the_end(firm) == undisturbed(day)
    assert [worker.stop() for worker in workers] == [0, 0, 0]
