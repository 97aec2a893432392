"""Over random histories the core and the oracle agree after every step: books, states, calls, totals."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.oracle.histories import History, histories, play

slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@settings(max_examples=250, deadline=None, suppress_health_check=slow)
@given(histories(1, 60))
def test_core_and_oracle_agree(history: History) -> None:
    play(history)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(24))
@settings(max_examples=500, deadline=None, suppress_health_check=slow, database=None)
@given(history=histories(20, 200))
def test_core_and_oracle_agree_over_long_histories(part: int, history: History) -> None:
    """12,000 in all, in parts, because what was tried is remembered as long as one part runs."""
    play(history)
