"""Over random histories the core and the oracle agree after every step: books, ratios, levels and calls."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.histories import ACCOUNT, MARKET, WITH_SHORTFALL, Operation, Play
from tests.worked_examples.records import PRESET

FREQUENT = ["phase_ends"] * 8 + ["trade"] * 8 + ["evaluate"] * 3 + ["exact_deposit", "orders_filled"] * 2
operations: st.SearchStrategy[Operation] = st.tuples(
    st.sampled_from([*FREQUENT, *MARKET, *ACCOUNT]),
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(0, 1000),
)
histories = st.lists(operations, min_size=1, max_size=60)
books = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 700), st.integers(0, 60)), min_size=1, max_size=3
)


@st.composite
def presets(draw: st.DrawFn) -> dict[str, Any]:
    """Custom contract lines: immediate <= min <= warn, min <= target."""
    lowest, least, warn, target = sorted(draw(st.lists(st.integers(105, 180), min_size=4, max_size=4)))
    if draw(st.booleans()):
        warn, target = target, warn
    cure_by = draw(st.integers(1, 3))
    return {
        **PRESET,
        "warn": f"{warn / 100:.2f}",
        "min": f"{least / 100:.2f}",
        "immediate": draw(st.sampled_from([None, f"{lowest / 100:.2f}"])),
        "immediate_mode": draw(st.sampled_from(["realtime", "by_settled"])),
        "target": f"{target / 100:.2f}",
        "cure_by": cure_by,
        "liquidate_from": cure_by + draw(st.integers(1, 2)),
        "cure_at": draw(st.sampled_from(["settled", "intraday"])),
        "rearm": draw(st.sampled_from(["0.01", "0.05"])),
    }


def play(preset: dict[str, Any], openings: list[tuple[int, int, int]], history: list[Operation]) -> None:
    story = Play(preset, openings)
    same(story)
    for operation in history:
        story.do(operation)
        same(story)


def same(story: Play) -> None:
    """Assets, debt, ratio, level and open episode of every account, and every step of every call so far."""
    for name, account in story.oracle.accounts.items():
        if account.closed:
            continue
        ours, theirs = story.oracle.view(name), story.driver.account(name)
        assert Decimal(theirs["assets"]) == ours.assets, name
        assert Decimal(theirs["debt"]) == ours.debt, name
        assert theirs["ratio"] == (None if ours.level == "unpriced" else ours.ratio), name
        assert theirs["level"] == ours.level, name
        assert (theirs.get("episode") or None) == ours.episode, name
    assert told_by_core(story) == told_by_oracle(story)


def told_by_core(story: Play) -> list[tuple[str, str, str | None]]:
    told = []
    for call in story.driver.calls():
        amount = call.get("shortfall") if call["event"] in WITH_SHORTFALL else None
        told.append((call["episode"], call["event"], None if amount is None else str(Decimal(amount) + 0)))
    return once(told)


def told_by_oracle(story: Play) -> list[tuple[str, str, str | None]]:
    told = []
    for step in story.told:
        amount = step.shortfall if step.event in WITH_SHORTFALL else None
        told.append((step.episode, step.event, None if amount is None else str(amount)))
    return once(told)


def once(told: list[tuple[str, str, str | None]]) -> list[tuple[str, str, str | None]]:
    """Accounts in any order. Plans are made again while a liquidation lasts: only the first is compared, and
    none of an episode that ended because nothing was left to plan."""
    hopeless = {episode for episode, event, _ in told if event == "shortfall"}
    kept = []
    for number, row in enumerate(told):
        if row[1] != "liquidating" or (row not in told[:number] and row[0] not in hopeless):
            kept.append(row)
    return sorted(kept, key=lambda row: row[0])


slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@settings(max_examples=400, deadline=None, suppress_health_check=slow)
@given(presets(), books, histories)
def test_core_and_oracle_agree(
    preset: dict[str, Any], openings: list[tuple[int, int, int]], history: list[Operation]
) -> None:
    play(preset, openings, history)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(24))
@settings(max_examples=500, deadline=None, suppress_health_check=slow, database=None)
@given(preset=presets(), openings=books, history=st.lists(operations, min_size=20, max_size=200))
def test_core_and_oracle_agree_over_long_histories(
    part: int, preset: dict[str, Any], openings: list[tuple[int, int, int]], history: list[Operation]
) -> None:
    """12,000 in all, in parts, because what was tried is remembered as long as one part runs."""
    play(preset, openings, history)
