"""A recorded day through the offline run, its accounts compared with plain decimals at ten moments.

The project's side is `OfflineRun`, asked as a person would ask (`account`). The other side sees the same
openings and the source's own rows, and adds them up in `tests.recorded.standing`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from agents.margin.shard import MarginShard
from schemas.routing import home_partition
from streams.books import BooksShape
from streams.books.making import make_books
from streams.days.progress import Progress
from streams.days.reader import RecordedDay
from streams.run import OfflineRun, RunOptions
from tests.recorded.observations import Ladder, Observation, clock_of, moment
from tests.recorded.standing import Opening, Standing, read_openings, standing

TEN_MOMENTS = tuple(
    time.fromisoformat(clock)
    for clock in (
        "09:15", "09:20", "09:26", "09:31", "10:00", "10:47", "11:30", "13:29", "14:57", "16:00",
    )
)  # fmt: skip
"""Before the auction and in it, right after it, through both halves of the day, at the close, settled."""
SHAPE = BooksShape(lending=0.3, debtless=0.03)
"""More short sellers than the market has, so that among few accounts there are some."""
SAMPLED = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the two sides disagree."""

    clock: str
    account: str
    field: str
    plain: object
    shown: object


@dataclass(slots=True)
class At:
    """What was compared at one moment (ms), with the source's rows up to then."""

    ts: int
    rows: int
    ratios: list[Decimal] = field(default_factory=list)
    unpriced: int = 0
    debtless: int = 0
    differences: list[Difference] = field(default_factory=list)


def add_books(day: Path, accounts: int = 300, seed: int = 1, shape: BooksShape = SHAPE) -> None:
    """Books over the securities of a recorded day, as `liangrong books make` draws them."""
    make_books([day], accounts, seed, shape)


def sampled(day: Path, count: int = SAMPLED) -> dict[str, Opening]:
    """So many accounts of the day, always the same ones."""
    openings = read_openings(day)
    names = random.Random(7).sample(sorted(openings), min(count, len(openings)))
    return {name: openings[name] for name in sorted(names)}


def compare(
    day: Path,
    rows: Sequence[Observation],
    previous: Mapping[str, Decimal],
    options: RunOptions,
    moments: Sequence[time] = TEN_MOMENTS,
) -> list[At]:
    """Run the day and compare at the first window that ends at each of `moments` or after it."""
    recorded, accounts = RecordedDay(day), sampled(day)
    ladder = Ladder.of(rows, date.fromisoformat(day.name.removeprefix("date=")), previous)
    wanted = [moment(ladder.day, clock) for clock in moments]
    run, compared = OfflineRun(options), []

    def look(progress: Progress) -> None:
        if wanted and progress.ts >= wanted[0]:
            wanted.pop(0)
            ladder.advance(progress.ts)
            compared.append(compare_now(run, accounts, ladder, progress.ts))

    for _ in run.day(recorded, look):
        pass
    return compared


def compare_now(run: OfflineRun, accounts: Mapping[str, Opening], ladder: Ladder, ts: int) -> At:
    """Every account as it stands on both sides, everything up to `ts` counted."""
    at = At(ts, ladder.seen)
    for name, opening in accounts.items():
        core = run.cores[home_partition(name, run.options.partitions)]
        assert isinstance(core, MarginShard)
        expected = standing(opening, ladder)
        for what, plain, shown in both(expected, core.account(name)):
            if plain != shown:
                at.differences.append(Difference(clock_of(ts), name, what, plain, shown))
        at.unpriced += bool(expected.unpriced)
        at.debtless += expected.debt == 0
        if expected.ratio is not None:
            at.ratios.append(Decimal(expected.ratio))
    return at


def both(plain: Standing, shown: Mapping[str, Any]) -> list[tuple[str, object, object]]:
    """(field, plain, shown); without a price for everything there is no ratio, and only what lacks one is
    named."""
    fields: list[tuple[str, object, object]] = [
        ("ratio", plain.ratio, shown["ratio"]),
        ("unpriced", plain.unpriced, tuple(shown.get("unpriced", ()))),
    ]
    if not plain.unpriced:
        fields.append(("assets", plain.assets, Decimal(shown["assets"])))
        fields.append(("debt", plain.debt, Decimal(shown["debt"])))
    return fields
