"""The picture of the day: one column a stretch of trading time, bands stacked by severity."""

from __future__ import annotations

import pytest

from streams.view.picture import COLOURS, MINUTES, columns, picture, trading_minute


@pytest.mark.parametrize(
    ("minute", "passed"),
    [
        (9 * 60, 0),
        (9 * 60 + 15, 0),
        (10 * 60, 45),
        (11 * 60 + 30, 135),
        (12 * 60, 135),
        (13 * 60, 135),
        (15 * 60, MINUTES),
        (16 * 60, MINUTES),
    ],
)
def test_the_noon_break_takes_no_room(minute: int, passed: int) -> None:
    assert trading_minute(minute) == passed


def test_a_stretch_without_counts_keeps_the_ones_before_and_the_future_is_empty() -> None:
    day = columns({565: (1, 0, 0), 690: (3, 2, 1)}, MINUTES)
    assert day[10] == day[60] == (1, 0, 0)
    assert day[135] == (3, 2, 1)
    assert day[136] is None


def test_the_most_severe_band_lies_at_the_bottom() -> None:
    lines = picture({565: (2, 2, 4)}, 30, 4)
    first = [(line.plain[8], line.spans[1].style) for line in lines[:4]]
    assert first == [
        ("█", COLOURS["warn"]),
        ("█", COLOURS["below_min"]),
        ("█", COLOURS["immediate"]),
        ("█", COLOURS["immediate"]),
    ]


def test_an_empty_history_is_drawn_without_a_column() -> None:
    lines = picture({}, 40, 3)
    assert all(not set(line.plain) & {"█", "▀", "▄"} for line in lines)
    assert "09:30" in lines[-1].plain


def test_no_line_is_wider_than_asked_for() -> None:
    for width in (20, 79, 140):
        history = {minute: (minute, minute // 2, 3) for minute in range(565, 900)}
        assert all(line.cell_len <= width for line in picture(history, width, 5))
