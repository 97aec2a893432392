"""`liangrong run`: recorded days through the cores, without a broker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.cli.showing import progress_shown
from streams.settings import Settings


@click.command()
@click.argument("days", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DAY...")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for the results.",
)
@click.option("--window", default="1s", show_default=True, help="Market time between two clocks.")
@click.option("--audit", is_flag=True, help="Recompute all books after each day; a difference ends the run.")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
@with_settings(shown=("LIANGRONG_PARTITIONS", "LIANGRONG_LIQUIDATION", "LIANGRONG_SCOPE", "LIANGRONG_RULES"))
def command(
    settings: Settings,
    days: tuple[Path, ...],
    out: Path,
    window: str,
    audit: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the recorded days DAY... (directories date=YYYY-MM-DD, in order) and keep what is published.

    The results are those of a replay with the same window and partitions. The state hash is printed last.
    """
    from streams.days.reader import open_days
    from streams.days.windows import parse_window
    from streams.results import Results
    from streams.rules_file import load_rules
    from streams.run import RunOptions, run_days

    opened = open_days(list(days))
    options = RunOptions(
        parse_window(window),
        settings.partitions,
        settings.market_partitions,
        settings.liquidation,
        settings.scope,
        settings.ceiling_accounts,
        settings.ceiling_yuan,
        load_rules(settings),
    )
    results = Results(out)
    with progress_shown(quiet=quiet or as_json) as watch:
        report = run_days(opened, options, results.keep, watch, audit=audit)
    results.close(report)
    if as_json:
        print_json({**report, "out": str(out)})
        return
    _show(report, out)


def _show(report: dict[str, Any], out: Path) -> None:
    click.echo(f"{report['events']:,} events; results in {out}")
    for topic, count in report["outputs"].items():
        click.echo(f"  {count:>9,} {topic}")
    if "audited_days" in report:
        click.echo(f"books recomputed after each of {report['audited_days']} days: every sum agrees")
    click.echo(f"state hash {report['state_hash']}")
