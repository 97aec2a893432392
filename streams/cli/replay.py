"""`liangrong replay`: publish recorded days."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

import click

from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.cli.showing import market_time, progress_shown
from streams.errors import UsageError
from streams.settings import Settings

_MINUTE = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def _minute(text: str | None) -> int | None:
    if text is None:
        return None
    found = _MINUTE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no time of day", advice="write HH:MM, in Shanghai time")
    return int(found[1]) * 60 + int(found[2])


@click.command()
@click.argument("days", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DAY...")
@click.option("--speed", default="max", show_default=True, help="Market seconds a second: 1, 60, ... or max.")
@click.option("--from", "start", help="HH:MM; what comes before is published at once, as books are needed.")
@click.option("--to", "end", help="HH:MM; nothing after it is published.")
@click.option("--window", default="1s", show_default=True, help="Market time between two clocks.")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
@with_settings()
def command(
    settings: Settings,
    days: tuple[Path, ...],
    speed: str,
    start: str | None,
    end: str | None,
    window: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Publish the recorded days DAY... (directories date=YYYY-MM-DD, in order), a clock after each window.

    Ctrl-C ends it after the window being published; the same command then goes on from there. A second day
    waits until the first one is final, which needs a running worker.
    """
    from streams.days.reader import open_days
    from streams.days.windows import parse_window
    from streams.pacing import parse_speed
    from streams.replaying import Replay, ReplayOptions, ReplayReport

    options = ReplayOptions(parse_window(window), parse_speed(speed), _minute(start), _minute(end))
    opened = open_days(list(days))

    async def publish() -> ReplayReport:
        with progress_shown(quiet=quiet or as_json) as watch:
            replay = Replay(opened, settings, options, watch, lambda text: click.echo(text, err=True))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, _ask_to_stop, replay)
            try:
                return await replay.run()
            finally:
                for number in (signal.SIGINT, signal.SIGTERM):
                    loop.remove_signal_handler(number)

    def _ask_to_stop(replay: Replay) -> None:
        if replay.stopping:  # a second Ctrl-C does not wait for the window
            raise KeyboardInterrupt
        replay.stop()

    report = asyncio.run(publish())
    if as_json:
        print_json(
            {
                "events": report.events,
                "records": report.records,
                "windows": report.windows,
                "finished": report.finished,
                "last_ts": report.last_ts,
            }
        )
        return
    click.echo(
        f"{report.events:,} events published in {report.records:,} records, {report.windows:,} windows"
    )
    if not report.finished:
        click.echo(f"stopped at {market_time(report.last_ts)}; the same command goes on from there")
