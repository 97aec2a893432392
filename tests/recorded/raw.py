"""The comparison from the vendors' raw files themselves.

    python -m tests.recorded.raw SOURCE_FILE... [--accounts 300] [--window 1s] [--partitions 8] [--seed 1]

For each file (Level-2 trades with MDDate and MDTime, or Level-1 quotes with a symbol column; csv or csv.gz,
one date): imports it as `liangrong import` does, makes books over its stocks as `liangrong books make` does,
runs the day as `liangrong run` does, and at ten moments of market time compares assets, debt and ratio of
100 accounts with what `csv` and `decimal` make of the same file. Prints one line a moment; exit code 1 if
anything differs, 2 for a file of another layout.

The files are not part of the project; `tests/data/recorded/README.md` says where they come from.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import click

from streams.days.windows import parse_window
from streams.errors import UserError
from streams.importers.assemble import import_files
from streams.run import RunOptions
from tests.recorded.comparison import SAMPLED, At, add_books, compare
from tests.recorded.observations import clock_of
from tests.recorded.vendors import read_raw


def compare_file(source: Path, accounts: int, seed: int, options: RunOptions) -> list[At]:
    """Import, make books, run and compare one file."""
    raw = read_raw(source)
    with tempfile.TemporaryDirectory() as folder:
        (day,) = import_files(raw.form, [source], Path(folder))
        add_books(day, accounts, seed)
        return compare(day, raw.rows, {}, options)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.recorded.raw",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE_FILE")
    parser.add_argument("--accounts", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--window", type=parse_window, default="1s")
    parser.add_argument("--partitions", type=int, default=8)
    chosen = parser.parse_args(arguments)
    options = RunOptions(window_ms=chosen.window, partitions=chosen.partitions)
    differing = 0
    for source in chosen.sources:
        click.echo(f"{source.name}: {min(SAMPLED, chosen.accounts)} accounts")
        try:
            compared = compare_file(source, chosen.accounts, chosen.seed, options)
        except (OSError, ValueError, UserError) as error:
            parser.error(str(error))
        for at in compared:
            click.echo(line(at))
            differing += len(at.differences)
    return 1 if differing else 0


def line(at: At) -> str:
    lowest = f", lowest {min(at.ratios)}" if at.ratios else ""
    counts = f"{len(at.ratios)} ratios{lowest}, {at.debtless} without debt, {at.unpriced} unpriced"
    told = "".join(f"\n    {difference}" for difference in at.differences[:10])
    return f"  {clock_of(at.ts)}  {at.rows:>7,} rows  {counts}: {len(at.differences)} differences{told}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
