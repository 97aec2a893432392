"""Price limits of a day: those of the dated rules, security by security."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.units import parse_day
from streams.importers.limits import limits_of_day

BANK, CHINEXT, STAR, BEIJING, FUND, INDEX = (
    "600000.SH", "300001.SZ", "688001.SH", "830799.BJ", "510300.SH", "000001.SH",
)  # fmt: skip


@pytest.mark.parametrize(
    ("date", "security", "prev_close", "up", "down"),
    [
        ("2015-07-08", BANK, 10_030, 11_030, 9_030),
        ("2020-08-21", CHINEXT, 10_000, 11_000, 9_000),
        ("2020-08-24", CHINEXT, 10_000, 12_000, 8_000),
        ("2025-04-07", STAR, 50_000, 60_000, 40_000),
        ("2025-04-07", BEIJING, 10_000, 13_000, 7_000),
        ("2025-04-07", FUND, 4_005, 4_406, 3_605),
        ("2025-04-07", INDEX, 3_342_000, -1, -1),
        ("2025-04-07", BANK, -1, -1, -1),
        ("2019-01-02", STAR, 50_000, -1, -1),
    ],
)
def test_limits_follow_board_kind_and_date(
    date: str, security: str, prev_close: int, up: int, down: int
) -> None:
    found = limits_of_day(parse_day(date), [security], np.array([prev_close]), np.array([False]))
    assert [side.tolist() for side in found] == [[up], [down]]


def test_a_risk_warning_halves_the_limit_of_the_main_board_and_not_of_chinext() -> None:
    day = parse_day("2025-04-07")
    up, down = limits_of_day(day, [BANK, CHINEXT], np.array([1_700, 10_000]), np.array([True, True]))
    assert up.tolist() == [1_790, 12_000]
    assert down.tolist() == [1_620, 8_000]
