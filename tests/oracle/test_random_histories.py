"""Over random histories the core and the oracle agree after every step, on everything that comes out.

Accounts with evidence and available margin, states, calls and what is due whatever the ratio, decisions and
their limits, plans counted again, totals, custody, top-ups; 2006 to 2026, across every change of rules.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.oracle.account_operations import ACCOUNT
from tests.oracle.histories import FREQUENT, History, begin, beginnings, do, histories, play
from tests.oracle.market_operations import MARKET
from tests.oracle.request_operations import REQUESTS

slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
accounts, securities, amounts = st.integers(0, 2), st.integers(0, 5), st.integers(0, 1000)
PARTS, PER_PART = 24, 500


@settings(max_examples=300, deadline=None, suppress_health_check=slow)
@given(histories(1, 60))
def test_core_and_oracle_agree(history: History) -> None:
    play(history)


class Firm(RuleBasedStateMachine):
    """A firm, its market and its operators, one step after the other."""

    @initialize(history=beginnings())
    def opens(self, history: History) -> None:
        self.story = begin(history)

    @rule(
        kind=st.sampled_from([*MARKET, *(kind for kind in FREQUENT if kind in MARKET)]),
        s=securities,
        a=amounts,
    )
    def market(self, kind: str, s: int, a: int) -> None:
        do(self.story, (kind, 0, s, a))

    @rule(kind=st.sampled_from([*ACCOUNT]), n=accounts, s=securities, a=amounts)
    def account(self, kind: str, n: int, s: int, a: int) -> None:
        do(self.story, (kind, n, s, a))

    @rule(kind=st.sampled_from([*REQUESTS]), n=accounts, s=securities, a=amounts)
    def request(self, kind: str, n: int, s: int, a: int) -> None:
        do(self.story, (kind, n, s, a))


TestFirm: Any = Firm.TestCase
TestFirm.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None, suppress_health_check=slow
)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
@settings(max_examples=PER_PART, deadline=None, suppress_health_check=slow, database=None)
@given(history=histories(20, 120))
def test_core_and_oracle_agree_over_long_histories(part: int, history: History) -> None:
    """12,000 in all, in parts, because what was tried is remembered as long as one part runs.

    `python -m tests.oracle` runs the parts beside each other.
    """
    play(history)
