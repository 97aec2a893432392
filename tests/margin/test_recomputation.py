"""The state kept event by event equals a full recomputation, bit for bit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.books.audit import discrepancies
from agents.kernels.interest import interest_of
from agents.kernels.layout import HOT_WIDTH, LONG
from agents.margin.shard import MarginShard, ShardConfig
from agents.rules.interest import interest_milli
from tests.margin.histories import Author, Teller


@pytest.mark.parametrize("liquidation", ["propose", "simulate"])
@pytest.mark.parametrize("seed", range(6))
def test_books_stay_sound_over_a_long_random_history(seed: int, liquidation: str) -> None:
    teller = Teller(MarginShard(ShardConfig(liquidation=liquidation)))
    for number, step in enumerate(Author(seed, accounts=15).write(days=9, steps_a_day=45)):
        teller.tell(step)
        if number % 5 == 0:
            assert discrepancies(teller.shard.desk.books) == [], (number, step)
    assert discrepancies(teller.shard.desk.books) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_books_stay_sound_after_every_step_of_any_short_history(seed: int) -> None:
    teller = Teller(MarginShard(ShardConfig(liquidation="simulate")))
    for step in Author(seed, accounts=4).write(days=3, steps_a_day=12):
        teller.tell(step)
        assert discrepancies(teller.shard.desk.books) == [], step


def test_a_planted_error_is_found() -> None:
    teller = Teller(MarginShard())
    for step in Author(1, accounts=3).write(days=1, steps_a_day=6):
        teller.tell(step)
    books = teller.shard.desk.books
    books.accounts.hot[HOT_WIDTH + LONG] += 1
    assert len(discrepancies(books)) == 1


def test_compaction_moves_rows_and_changes_nothing() -> None:
    teller = Teller(MarginShard())
    for step in Author(5, accounts=15).write(days=3, steps_a_day=60):
        teller.tell(step)
    books = teller.shard.desk.books
    before = list(teller.shard.state_rows())
    for account in range(books.accounts.rows):
        books.positions.reserve(account, 4000)
    assert books.positions.compact()
    assert books.positions.rows.rows == len(books.positions.living())
    assert discrepancies(books) == []
    assert list(teller.shard.state_rows()) == before


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**14 * 20_000), st.integers(0, 10**7 + 180_000), st.integers(0, 360_000_000 - 1))
def test_interest_of_the_kernel_is_the_rules_interest(principal_days: int, rate: int, remainder: int) -> None:
    found = interest_of(principal_days, rate, remainder)
    assert found == interest_milli(principal_days, rate, remainder)
