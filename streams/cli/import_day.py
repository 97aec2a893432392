"""`liangrong import`: a vendor's files as recorded days."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schemas.errors import BadRecord
from schemas.units import parse_day
from streams.cli.options import json_option
from streams.cli.output import print_json
from streams.errors import UsageError
from streams.importers.forms import FORMS

if TYPE_CHECKING:
    from streams.days.reader import RecordedDay

_HELP = "\b\n" + "\n".join(f"  {form:<10} {text}" for form, text in FORMS.items())


def days_of(texts: tuple[str, ...]) -> list[int]:
    """Day numbers of dates given as options. UsageError for one that is none."""
    try:
        return [parse_day(text) for text in texts]
    except BadRecord as error:
        raise UsageError(f"a date is written YYYY-MM-DD: {error.reason}") from error


@click.command(epilog=_HELP)
@click.argument("form", type=click.Choice(list(FORMS)), metavar="FORM")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOURCE...")
@click.argument("destination", type=click.Path(path_type=Path, file_okay=False), metavar="DEST")
@click.option("--date", "dates", multiple=True, help="Only this date (YYYY-MM-DD); may be repeated.")
@click.option("--origin", default="", help="Where the files come from, for day.json.")
@click.option("--licence", default="", help="What may be done with them, for day.json.")
@json_option
def command(
    form: str,
    sources: tuple[Path, ...],
    destination: Path,
    dates: tuple[str, ...],
    origin: str,
    licence: str,
    as_json: bool,
) -> None:
    """Turn SOURCE files (or directories of files) of FORM into recorded days DEST/date=YYYY-MM-DD.

    All files of one command are merged by date: trades and snapshots of one day belong into one command.
    """
    from streams.days.reader import RecordedDay
    from streams.importers.assemble import import_files

    written = import_files(
        form, sources, destination, dates=days_of(dates) or None, origin=origin, licence=licence
    )
    counted = [(directory, _counts(RecordedDay(directory))) for directory in written]
    if as_json:
        print_json([{"day": str(directory), "events": counts} for directory, counts in counted])
        return
    for directory, counts in counted:
        click.echo(f"{directory}: " + ", ".join(f"{count:,} {topic}" for topic, count in counts.items()))


def _counts(day: RecordedDay) -> dict[str, int]:
    """Number of events by topic."""
    return {topic: day.table(topic, ["key"]).num_rows for topic in day.topics}
