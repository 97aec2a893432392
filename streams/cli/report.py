"""`liangrong report`: a finished run day by day."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.errors import UserError
from streams.report import DayReport, report
from streams.settings import Settings
from streams.view.chart import chart
from streams.view.words import hundred_millions

if TYPE_CHECKING:
    from streams.checking import Check

_BAR = "▏▎▍▌▋▊▉█"
_BAR_CELLS = 12

_LEGEND = (
    "debt, ratio: all indebted accounts at the settlement; called: formal margin calls; matured: contracts\n"
    "due and unpaid; selling: accounts with forced orders, worth so much at mark; stuck: accounts of which\n"
    "nothing could be sold (limit, halt, suspension); short: debt left without assets"
)


@click.command()
@click.argument("results", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--check", is_flag=True, help="Explain every alert too; exit code 1 if a figure does not follow."
)
@click.option(
    "--picture", type=click.Path(path_type=Path, dir_okay=False), help="Write the days as a picture (SVG)."
)
@json_option
@with_settings(shown=("LIANGRONG_RULES",))
def command(settings: Settings, results: Path, check: bool, picture: Path | None, as_json: bool) -> None:
    """Show the run in RESULTS day by day: debts, ratios, calls, forced sales and what stood in their way.

    With --check every call, plan, order and signal of the run is explained from its own evidence, with the
    rules of LIANGRONG_RULES if the run had some.
    """
    days = list(report(results))
    if picture is not None:
        _draw(days, picture)
    checked = _explained(results, settings) if check else None
    if as_json:
        shown = {"days": [day.json() for day in days]}
        print_json(shown if checked is None else shown | {"check": checked.json()})
    else:
        Console(width=None if Console().is_terminal else 150).print(_table(days))
        if checked is not None:
            click.echo(checked.words())
    if checked is not None and checked.wrong:
        sys.exit(1)


def _draw(days: list[DayReport], picture: Path) -> None:
    try:
        picture.write_text(chart(days, f"{days[0].date} to {days[-1].date}, day by day"), encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {picture}: {error.strerror}") from error


def _explained(results: Path, settings: Settings) -> Check:
    """Only who asks for the check waits for what explains."""
    from streams.checking import check
    from streams.rules_file import load_rules

    return check(results, load_rules(settings))


def _table(days: list[DayReport]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, caption_justify="left")
    for title in ("date", "debt 亿", "ratio", "below", "called", "matured", "expired", "at once", "selling",
                  "for 亿", "stuck", "cured", "short"):  # fmt: skip
        table.add_column(title, justify="left" if title == "date" else "right")
    table.add_column("accounts below the minimum line")
    most = max((day.under for day in days), default=0)
    for day in days:
        counts = (day.called, day.matured, day.expired, day.immediate, day.selling)
        table.add_row(
            day.date, hundred_millions(day.debt), "" if day.ratio is None else day.ratio[:-4],
            f"{day.under:,}", *(_count(count) for count in counts), hundred_millions(day.ordered),
            _count(day.stuck), _count(day.cured), _count(day.shortfalls),
            Text(_bar(day.under, most), style="red"),
        )  # fmt: skip
    table.caption = _LEGEND
    return table


def _count(number: int) -> str:
    return f"{number:,}" if number else "·"


def _bar(value: int, most: int) -> str:
    eighths = value * _BAR_CELLS * 8 // most if most else 0
    return "█" * (eighths // 8) + (_BAR[eighths % 8 - 1] if eighths % 8 else "")
