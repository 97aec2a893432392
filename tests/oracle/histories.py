"""Random histories: a first day, contract lines of a broker, books, and operations one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.oracle.account_operations import ACCOUNT
from tests.oracle.dated import REGIME_CHANGES
from tests.oracle.market_operations import MARKET
from tests.oracle.request_operations import REQUESTS
from tests.oracle.story import ACCOUNTS, PRESET_NAMES, Story
from tests.worked_examples.records import PRESET

Operation = tuple[str, int, int, int]
FREQUENT = ["phase_ends"] * 8 + ["trade"] * 8 + ["evaluate"] * 3 + ["exact_deposit", "orders_filled"] * 2
KINDS = [*FREQUENT, *MARKET, *ACCOUNT, *REQUESTS]
BUSY = [*REQUESTS] * 3 + ["trade", "quote", "listed", "crowded", "described", "phase_ends", "evaluate"]
BUSY += ["deposit", "short_sell", "financing_buy", "terms_change", "restarted", "judged", "stated"]
FORCED = ["phase_ends", "quote", "trade"] * 4 + ["evaluate", "orders_filled"] * 3
FORCED += [
    "described",
    "judged",
    "valued",
    "collateral_buy",
    "move_in",
    "freeze",
    "financing_buy",
    "sold_out",
]
"""Of which plans are made."""


@dataclass(frozen=True)
class History:
    first_day: date
    preset: dict[str, Any]
    books: list[tuple[int, int, int]]
    operations: list[Operation]
    simulates: bool = False


def play(history: History) -> Story:
    story = begin(history)
    for operation in history.operations:
        do(story, operation)
    return story


def begin(history: History) -> Story:
    """The market's first day, and the books of the accounts."""
    story = Story(history.preset, history.first_day, simulates=history.simulates)
    for number, (preset, leverage, short) in enumerate(history.books):
        name = None if preset == len(PRESET_NAMES) else PRESET_NAMES[preset]
        story.send(story.opening(ACCOUNTS[number], name, leverage, short))
    return story


def do(story: Story, operation: Operation) -> None:
    kind, account, security, amount = operation
    name, about = ACCOUNTS[account % len(ACCOUNTS)], story.securities[security % len(story.securities)]
    if kind in MARKET:
        MARKET[kind](story, about, amount)
    elif name in story.oracle.accounts and not story.oracle.accounts[name].closed:
        (ACCOUNT | REQUESTS)[kind](story, name, about, amount)


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
        "auto_pay": draw(st.booleans()),
    }


def first_days() -> st.SearchStrategy[date]:
    """A few days before a rule changes, or on that day, 2006 to 2026."""
    changes = [date.fromisoformat(day) for day in REGIME_CHANGES]
    days = {max(changes[0], change - timedelta(days=before)) for change in changes for before in range(5)}
    return st.sampled_from(sorted(day for day in days if day.weekday() < 5))


def operations(kinds: list[str]) -> st.SearchStrategy[Operation]:
    return st.tuples(st.sampled_from(kinds), st.integers(0, 2), st.integers(0, 5), st.integers(0, 1000))


books = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 700), st.integers(0, 60)), min_size=1, max_size=3
)
rich_books = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 700), st.integers(0, 14).map(lambda n: 4 * n + 1)),
    min_size=1,
    max_size=3,
)
"""Accounts that can still borrow."""


def histories(shortest: int, longest: int) -> st.SearchStrategy[History]:
    """All kinds of operations; or busy customers, who ask for much."""
    return _of(books, KINDS, shortest, longest) | _of(rich_books, BUSY, shortest, longest)


def histories_of(kinds: list[str], shortest: int, longest: int) -> st.SearchStrategy[History]:
    """Of some kinds of operations only."""
    return _of(books, kinds, shortest, longest)


def _of(
    owned: st.SearchStrategy[list[tuple[int, int, int]]], kinds: list[str], shortest: int, longest: int
) -> st.SearchStrategy[History]:
    return st.builds(
        History,
        first_day=first_days(),
        preset=presets(),
        books=owned,
        operations=st.lists(operations(kinds), min_size=shortest, max_size=longest),
        simulates=st.booleans(),
    )


def beginnings() -> st.SearchStrategy[History]:
    """Histories in which nothing has happened yet."""
    return histories(0, 0)
