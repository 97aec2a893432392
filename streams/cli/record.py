"""`liangrong record`: what is published, as recorded days."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import click

from schemas.topics import MARKET_SESSION
from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.errors import UsageError
from streams.settings import Settings


@click.command()
@click.argument("destination", type=click.Path(path_type=Path, file_okay=False), metavar="DEST")
@click.option(
    "--topics", multiple=True, help="A topic to record (default: all that are published to); repeatable."
)
@click.option("--follow/--no-follow", default=True, show_default=True, help="Go on until Ctrl-C.")
@json_option
@with_settings()
def command(
    settings: Settings, destination: Path, topics: tuple[str, ...], follow: bool, as_json: bool
) -> None:
    """Record topics from their beginning into days DEST/date=YYYY-MM-DD, which can be replayed.

    The days are written when recording ends. market.session is always recorded: it tells the days.
    """
    from schemas.topics import PUBLIC_TOPICS
    from streams.record import INPUTS, Recording, record_topics

    names = [name for text in topics for name in text.replace(",", " ").split()]
    unknown = [name for name in names if name not in PUBLIC_TOPICS]
    if unknown:
        raise UsageError(f"there is no topic {unknown[0]}", advice=f"Topics: {', '.join(PUBLIC_TOPICS)}")
    wanted = tuple(dict.fromkeys([*names, MARKET_SESSION])) if names else INPUTS

    async def record() -> tuple[list[Path], Recording]:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        if follow and not as_json:
            click.echo("recording until Ctrl-C", err=True)
        return await record_topics(destination, settings, topics=wanted, follow=stop if follow else None)

    written, recording = asyncio.run(record())
    if as_json:
        days = [str(path) for path in written]
        print_json({"days": days, "events": recording.count, "refused": recording.refused})
        return
    click.echo(f"{recording.count:,} events recorded, {recording.refused:,} invalid ones left out")
    for path in written:
        click.echo(path)
