"""Progress of a run or replay: a bar in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

import click
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from schemas.units import format_day
from streams.days.progress import Progress, Watch

_SHANGHAI = timezone(timedelta(hours=8))
_PLAIN_SECONDS = 5.0


def market_time(ts: int) -> str:
    """``ts`` as HH:MM:SS in Shanghai."""
    return datetime.fromtimestamp(ts / 1000, UTC).astimezone(_SHANGHAI).strftime("%H:%M:%S")


@contextmanager
def progress_shown(*, quiet: bool = False) -> Iterator[Watch]:
    """A watcher of progress for the time of the block; it writes to standard error and nothing when
    ``quiet``."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar() as bar:
            yield _Filling(bar)
    else:
        yield _Lines()


@contextmanager
def days_shown(*, quiet: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """A watcher of days written, for the time of the block: a bar in a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("writing days"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f}"),
    )
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("days", total=1)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _bar() -> Bar:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} events, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    return Bar(*columns, console=Console(stderr=True))


class _Filling:
    """Moves a bar; a day begins a new one."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("reading", total=None, rate=0)
        self._begun = time.monotonic()
        self._date = -1

    def __call__(self, progress: Progress) -> None:
        if progress.date != self._date:
            self._date, self._begun = progress.date, time.monotonic()
            self._bar.reset(self._task, total=progress.total, rate=0)
        rate = progress.events / max(time.monotonic() - self._begun, 1e-3)
        label = f"{format_day(progress.date)} {market_time(progress.ts)}"
        self._bar.update(self._task, description=label, completed=progress.events, rate=rate)


class _Lines:
    """Prints a line every few seconds and at every phase."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.phase == "clock" and now - self._last < _PLAIN_SECONDS:
            return
        self._last = now
        click.echo(
            f"{format_day(progress.date)} {market_time(progress.ts)} {progress.phase}: "
            f"{progress.events:,} of {progress.total:,} events",
            err=True,
        )
