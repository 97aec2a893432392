"""`liangrong books`: synthetic account books for recorded days."""

from __future__ import annotations

from pathlib import Path

import click

from schemas.units import format_day, format_money
from streams.cli.import_day import days_of
from streams.cli.options import json_option
from streams.cli.output import print_json
from streams.cli.showing import days_shown
from streams.errors import UsageError
from streams.view.words import hundred_millions


@click.group()
def command() -> None:
    """Account books that fit public statistics of the market, drawn from a seed."""


@command.command(short_help="add openings, and later deposits, to recorded days")
@click.option(
    "--as-of", required=True, help="Date of the books (YYYY-MM-DD): as they stand before that morning."
)
@click.option("--accounts", default=20_000, show_default=True, type=click.IntRange(1, 5_000_000))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option(
    "--days",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Directory of recorded days; without it the days that come with the project are written to DEST.",
)
@click.argument(
    "destination", required=False, type=click.Path(path_type=Path, file_okay=False), metavar="[DEST]"
)
@json_option
def make(
    as_of: str, accounts: int, seed: int, folder: Path | None, destination: Path | None, as_json: bool
) -> None:
    """Add openings to the recorded day of --as-of, and deposits to the days after it.

    Holdings are drawn from the securities of that day, at their previous close. Two sets of days come with
    the project: 2 to 7 April 2025 (--as-of 2025-04-02) and 15 June to 31 August 2015 (--as-of 2015-06-15).
    """
    from streams.books.crash_2015 import write_crash_2015
    from streams.books.making import make_books, write_demonstration
    from streams.crashes import crash_2015
    from streams.crashes.crash_2025 import DAYS

    (date,) = days_of((as_of,))
    if folder is not None and destination is not None:
        raise UsageError("--days and DEST exclude each other", advice="the books are written into --days")
    if folder is not None:
        found = sorted(path for path in folder.glob("date=*") if path.name >= f"date={format_day(date)}")
        if not found or found[0].name != f"date={format_day(date)}":
            raise UsageError(f"{folder} has no day date={format_day(date)}")
        made = make_books(found, accounts, seed)[1]
    elif destination is not None and date == DAYS[0]:
        made = write_demonstration(destination, accounts, seed)
    elif destination is not None and date == crash_2015.FIRST:
        with days_shown(quiet=as_json) as watch:
            made = write_crash_2015(destination, accounts, seed, watch)
    else:
        shipped = f"{format_day(DAYS[0])} or {format_day(crash_2015.FIRST)}"
        raise UsageError(
            "name the recorded days with --days",
            advice=f"or, for the days that come with the project, --as-of {shipped} and a DEST",
        )
    if as_json:
        print_json(
            {
                "days": [str(path) for path in made.directories],
                "accounts": made.accounts,
                "positions": made.positions,
                "contracts": made.contracts,
                "deposits": made.deposits,
                "assets": format_money(made.assets),
                "debt": format_money(made.debt),
            }
        )
        return
    click.echo(
        f"{made.accounts:,} accounts, {made.positions:,} positions, {made.contracts:,} contracts, "
        f"{made.deposits:,} later events; assets {hundred_millions(made.assets)} and "
        f"debts {hundred_millions(made.debt)} hundred million yuan"
    )
    for path in made.directories:
        click.echo(path)
