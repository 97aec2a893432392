"""Rulebook 17.1, items 7 to 9, through the real cores over random histories."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.histories import FORCED, History, histories_of, play
from tests.worked_examples.test_suspension_hysteresis import FLOAT_VALUE, Exchange

slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@settings(max_examples=60, deadline=None, suppress_health_check=slow)
@given(histories_of(FORCED, 10, 50))
def test_7_and_8_no_forced_order_is_illegal_and_its_quantity_passes_and_a_lot_less_fails(
    history: History,
) -> None:
    """The oracle counts every plan again (tests.oracle.plan_checks)."""
    play(history)


figures = st.lists(st.integers(1_500, 3_000), min_size=2, max_size=8)
"""Financing balances in hundredths of a percent of the float, day by day."""


def told(first: date, published: list[int]) -> list[list[str]]:
    exchange = Exchange("stock", first)
    return [exchange.day_with(hundredths * FLOAT_VALUE // 10_000) for hundredths in published]


@settings(max_examples=25, deadline=None)
@given(figures, st.integers(1_500, 3_000))
def test_9_suspension_flips_only_on_figures_published_for_an_earlier_session(
    published: list[int], tomorrow: int
) -> None:
    """What a day's figures are changes nothing that was told before; 25.00 halts and 20.00 resumes."""
    said = told(date(2025, 4, 7), [*published, tomorrow])
    assert said[:-1] == told(date(2025, 4, 7), published)
    halted = False
    for hundredths, signals in zip([*published, tomorrow], said, strict=True):
        assert ("halt" in signals) == (not halted and hundredths >= 2_500)
        assert ("resume" in signals) == (halted and hundredths <= 2_000)
        halted = (halted or hundredths >= 2_500) and hundredths > 2_000
