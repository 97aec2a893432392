"""`liangrong import`: a vendor's files as recorded days."""

from __future__ import annotations

from pathlib import Path

import click

from schemas.errors import BadRecord
from schemas.units import parse_day
from streams.cli.options import json_option
from streams.cli.output import print_json
from streams.errors import UsageError

_FORMS = {
    "mdtime": "Level-2 trades or snapshots with MDDate and MDTime",
    "datayes": "Level-2 trades (TradTime) or snapshots (UpdateTime) of DataYes 通联",
    "dolphindb": "Level-2 trades (TradeTime) or snapshots (DateTime) of the DolphinDB tutorials",
    "level1": "Level-1 quotes with five levels",
    "bars15": "quarter-hour bars",
    "daily": "daily bars with ST and suspension; needs --date",
}
_HELP = "\b\n" + "\n".join(f"  {form:<10} {text}" for form, text in _FORMS.items())


def days_of(texts: tuple[str, ...]) -> list[int]:
    """Day numbers of dates given as options. UsageError for one that is none."""
    try:
        return [parse_day(text) for text in texts]
    except BadRecord as error:
        raise UsageError(f"a date is written YYYY-MM-DD: {error.reason}") from error


@click.command(epilog=_HELP)
@click.argument("form", type=click.Choice(list(_FORMS)), metavar="FORM")
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
    from streams.days.writer import DayLabel
    from streams.importers.assemble import import_files

    label = DayLabel(origin, licence or "as the source's") if origin else None
    written = import_files(form, sources, destination, dates=days_of(dates) or None, label=label)
    reports = []
    for directory in written:
        day = RecordedDay(directory)
        reports.append(
            {"day": str(directory), "events": {t: day.table(t, ["key"]).num_rows for t in day.topics}}
        )
    if as_json:
        print_json(reports)
        return
    for report in reports:
        counts = ", ".join(f"{count:,} {topic}" for topic, count in dict(report["events"]).items())  # type: ignore[call-overload]
        click.echo(f"{report['day']}: {counts}")
