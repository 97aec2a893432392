"""Market time against the clock on the wall."""

from __future__ import annotations

import pytest

from streams.errors import UsageError
from streams.pacing import Pace, parse_speed


class Wall:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_sixty_fold_a_minute_takes_a_second() -> None:
    wall = Wall()
    pace = Pace(60, wall)
    assert pace.wait(0, same_day=True) == 0
    assert pace.wait(60_000, same_day=True) == pytest.approx(1)


def test_who_is_late_does_not_wait_until_he_has_caught_up() -> None:
    wall = Wall()
    pace = Pace(1, wall)
    pace.wait(0, same_day=True)
    wall.now += 5
    assert pace.wait(3_000, same_day=True) == 0
    assert pace.wait(7_000, same_day=True) == pytest.approx(2)


def test_the_noon_break_passes_quickly_except_at_the_markets_own_speed() -> None:
    fast, own = Pace(60, Wall()), Pace(1, Wall())
    for pace in (fast, own):
        pace.wait(0, same_day=True)
    assert fast.wait(90 * 60_000, same_day=True) == pytest.approx(1)
    assert own.wait(90 * 60_000, same_day=True) == pytest.approx(5400)
    assert own.wait(24 * 3_600_000, same_day=False) == pytest.approx(5400 + 60)


def test_flat_out_never_waits() -> None:
    pace = Pace(None, Wall())
    pace.wait(0, same_day=True)
    assert pace.wait(10**9, same_day=True) == 0


@pytest.mark.parametrize(("text", "speed"), [("max", None), ("60", 60.0), ("60x", 60.0), ("0.5", 0.5)])
def test_a_speed_is_a_number_or_max(text: str, speed: float | None) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "fast"])
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no speed"):
        parse_speed(text)


def test_replay_is_a_function_of_the_package_however_often_it_is_imported() -> None:
    from streams import replay

    assert callable(replay)
    from streams import replay as again

    assert again is replay
