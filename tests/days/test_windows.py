"""Windows of market time: every event in exactly one window, cuts at every session record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.units import day_start, parse_day
from streams.days.windows import parse_window, plan_windows
from streams.errors import UsageError

DAY = parse_day("2025-04-07")
OPEN = day_start(DAY) + 9 * 3_600_000


def at(seconds: float, phase: str) -> dict[str, Any]:
    return {"ts": OPEN + round(seconds * 1000), "date": "2025-04-07", "market": "ALL", "phase": phase}


def lane(*seconds: float) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([-1 if s < 0 else OPEN + round(s * 1000) for s in seconds], dtype=np.int64)


def shown(windows: list[Any]) -> list[tuple[float, str, int]]:
    return [((window.ts - OPEN) / 1000, window.phase, window.events) for window in windows]


def test_a_window_without_events_is_not_made() -> None:
    assert shown(plan_windows(DAY, [lane(0.5, 7.2)], [], 1000)) == [(1, "clock", 1), (8, "clock", 1)]


def test_an_event_at_the_end_of_a_window_belongs_to_it() -> None:
    assert shown(plan_windows(DAY, [lane(1.0, 1.001)], [], 1000)) == [(1, "clock", 1), (2, "clock", 1)]


def test_a_session_record_follows_a_clock_that_evaluates_what_came_before_it() -> None:
    windows = plan_windows(DAY, [lane(1.2, 1.4, 1.7)], [at(0, "pre_open"), at(1.5, "continuous")], 1000)
    assert shown(windows) == [(0, "pre_open", 0), (1.5, "clock", 2), (1.5, "continuous", 0), (2, "clock", 1)]


def test_everything_before_the_first_pre_open_lies_in_its_own_window() -> None:
    windows = plan_windows(DAY, [lane(-1, -1), lane(0.1, 3.0, 5.5)], [at(5, "pre_open")], 1000)
    assert shown(windows) == [(5, "pre_open", 4), (6, "clock", 1)]


def test_what_has_the_time_of_a_session_record_comes_before_it() -> None:
    windows = plan_windows(DAY, [lane(9)], [at(0, "pre_open"), at(9, "settled")], 60_000)
    assert shown(windows) == [(0, "pre_open", 0), (9, "clock", 1), (9, "settled", 0)]


def test_a_recorded_clock_takes_the_place_of_our_own() -> None:
    windows = plan_windows(DAY, [lane(0.5)], [at(0, "pre_open"), at(1, "clock")], 1000)
    assert shown(windows) == [(0, "pre_open", 0), (1, "clock", 1)]


def test_a_day_without_anything_is_refused() -> None:
    with pytest.raises(UsageError, match="neither session records nor events"):
        plan_windows(DAY, [lane()], [], 1000)


TIMES = st.lists(st.integers(0, 30_000_000), max_size=40).map(sorted)
SESSIONS = st.lists(st.integers(1, 30_000_000), max_size=6).map(sorted)


@given(st.lists(TIMES, min_size=1, max_size=4), SESSIONS, st.integers(1, 2_000_000))
def test_windows_partition_the_events_in_order(
    lanes: list[list[int]], sessions: list[int], window_ms: int
) -> None:
    columns = [np.array([OPEN + ms for ms in times], dtype=np.int64) for times in lanes]
    records = [at(0, "pre_open"), *(at(ms / 1000, "continuous") for ms in sessions)]
    windows = plan_windows(DAY, columns, records, window_ms)
    assert [window.session for window in windows if window.phase != "clock"] == records
    assert [window.ts for window in windows] == sorted(window.ts for window in windows)
    before = (0,) * len(columns)
    last = -1
    for window in windows:
        assert window.starts == before
        for column, start, stop in zip(columns, window.starts, window.stops, strict=True):
            assert ((column[start:stop] > last) & (column[start:stop] <= window.ts)).all()
        before = window.stops
        last = window.ts
    assert before == tuple(len(column) for column in columns)


@pytest.mark.parametrize(
    ("text", "ms"), [("1s", 1000), ("500ms", 500), ("15m", 900_000), ("2", 2000), ("0.5s", 500)]
)
def test_a_window_is_written_with_its_unit(text: str, ms: int) -> None:
    assert parse_window(text) == ms


@pytest.mark.parametrize("text", ["", "s", "-1s", "0", "0.1ms", "1h", "one"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no window"):
        parse_window(text)
