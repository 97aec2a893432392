"""A recorded day gives the alerts and the state of an offline run at 60-fold speed with three workers as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.firm import PATIENCE, Firm
from tests.acceptance.recorded import write_day
from tests.acceptance.test_crashes import replayed, the_end, undisturbed


@pytest.mark.parametrize("broker", [pytest.param("kafka", marks=pytest.mark.broker)], indirect=True)
async def test_sixty_fold_with_three_workers_that_share_the_partitions(firm: Firm, tmp_path: Path) -> None:
    day = write_day(tmp_path / "recorded")
    workers = [firm.start_worker("--group", "three") for _ in range(3)]
    replay = replayed(firm, day, speed="60")
    assert await the_end(firm) == undisturbed(day)
    assert replay.wait(timeout=PATIENCE) == 0
    assert [worker.stop() for worker in workers] == [0, 0, 0]
