"""Moments are typed as people think of them: in Shanghai."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streams.errors import UsageError
from streams.moments import parse_moment, shanghai_time

NOW = datetime(2025, 4, 7, 3, 0, tzinfo=UTC)
MORNING = 1_743_993_000_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2025-04-07T10:30", MORNING),
        ("2025-04-07 10:30:00", MORNING),
        ("2025-04-07T02:30:00+00:00", MORNING),
        ("10:30", MORNING),
        ("30m", MORNING),
        ("1743993000000", MORNING),
        ("2025-04-07", MORNING - 10 * 3_600_000 - 30 * 60_000),
    ],
)
def test_every_way_to_name_a_moment(text: str, ms: int) -> None:
    assert parse_moment(text, NOW) == ms


def test_what_is_no_moment_is_refused_with_examples() -> None:
    with pytest.raises(UsageError, match="yesterday is no moment") as refused:
        parse_moment("yesterday", NOW)
    assert "15m" in refused.value.advice


def test_moments_are_shown_in_shanghai() -> None:
    assert shanghai_time(MORNING + 7) == "2025-04-07 10:30:00.007"
