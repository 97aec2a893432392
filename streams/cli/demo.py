"""`liangrong demo`: watch a crash day."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.days.windows import parse_window
from streams.demo import Demo, DemoOptions, DemoReport, running_demo
from streams.pacing import parse_speed
from streams.settings import Settings
from streams.view.board import Board
from streams.view.live import Screen
from streams.view.plain import PlainLines
from streams.view.summary import figures, next_commands, summary

_SECONDS = 0.25
"""Between two pictures of the live view."""


class _Complaints(logging.Handler):
    """Keeps log messages until the screen is free again."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.texts.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@click.command()
@click.option("--accounts", default=20_000, show_default=True, type=click.IntRange(100, 2_000_000))
@click.option(
    "--speed",
    default="240",
    show_default=True,
    help="Market seconds a second on the crash day, or max.",
)
@click.option(
    "--window", default="30s", show_default=True, help="Market time between two clocks of that day."
)
@click.option("--plain", is_flag=True, help="Progress lines instead of the live view.")
@json_option
@with_settings(shown=("LIANGRONG_PARTITIONS", "LIANGRONG_RULES", "LIANGRONG_WEB"))
def command(settings: Settings, accounts: int, speed: str, window: str, plain: bool, as_json: bool) -> None:
    """Watch the A-share crash of 7 April 2025 go through topics, agents and books.

    An embedded broker, the topics, synthetic accounts over 697 real stocks, a worker, a replay of the
    shipped days: nothing else is needed. With a terminal it stays after the summary, so that other commands
    can look at it, and ends with Ctrl-C. With --json it prints the summary alone and ends.
    """
    options = DemoOptions(accounts, parse_speed(speed), parse_window(window))
    console = Console()
    live = console.is_terminal and not plain and not as_json
    logger = logging.getLogger()
    complaints = _Complaints()
    handlers, logger.handlers = logger.handlers, [complaints]
    try:
        asyncio.run(_run(options, settings, console, live=live, as_json=as_json))
    finally:
        logger.handlers = handlers
        for text in dict.fromkeys(complaints.texts):
            click.echo(text, err=True)


async def _run(
    options: DemoOptions, settings: Settings, console: Console, *, live: bool, as_json: bool
) -> None:
    board = Board()
    told: asyncio.Future[DemoReport] = asyncio.get_running_loop().create_future()
    demos: list[Demo] = []

    async def act() -> None:
        async with running_demo(options, settings, board) as demo:
            demos.append(demo)
            told.set_result(await demo.replay())
            if live and told.result().finished:
                await demo.wait()

    def stop() -> None:
        """The first Ctrl-C ends in order; a second one, or one before the worker is up, cancels."""
        board.status = "ending"
        if demos and not demos[0].stopping:
            demos[0].stop()
        else:
            acting.cancel()

    acting = asyncio.ensure_future(act())
    _on_signals(stop)
    try:
        with _on_screen(board, console) if live else _as_lines(board, quiet=as_json) as show:
            watched: list[asyncio.Future[Any]] = [acting, told]
            while not any(future.done() for future in watched):
                show()
                await asyncio.wait(watched, timeout=_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            show()
        if told.done() and as_json:
            report = told.result()
            print_json(figures(board, report.events, report.seconds, finished=report.finished))
        elif told.done():
            _conclude(board, told.result(), settings, stays=live)
        await acting
    except asyncio.CancelledError:
        if not told.done():
            click.echo("Stopped.", err=True)


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


@contextmanager
def _on_screen(board: Board, console: Console) -> Iterator[Callable[[], None]]:
    """The live view for the time of the block."""
    with Live(Screen(board), console=console, screen=True, auto_refresh=False) as live:
        yield live.refresh


@contextmanager
def _as_lines(board: Board, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Plain lines for the time of the block; none if `quiet`."""
    lines = PlainLines(board)
    said = ""

    def tell() -> None:
        nonlocal said
        if quiet:
            return
        if board.status != said:
            said = board.status
            click.echo(f"# {said}")
        line = lines.due()
        if line is not None:
            click.echo(line)
        sys.stdout.flush()

    yield tell


def _conclude(board: Board, report: DemoReport, settings: Settings, *, stays: bool) -> None:
    click.echo()
    for line in summary(board, report.events, round(report.seconds), finished=report.finished):
        click.echo(line)
    if not report.finished:
        return
    click.echo("\nLook closer:" if stays else "\nWhile a demo is running in a terminal, look closer with:")
    for shown, meaning in next_commands(board, _program(settings)):
        click.echo(f"  {click.style(shown, bold=True)}\n      {meaning}")
    if stays:
        click.echo("\nThe demo goes on until Ctrl-C, so that these work in another terminal.")


def _program(settings: Settings) -> str:
    """How this command is called from here; a broker in the environment would be taken before the demo's."""
    called, here = Path(sys.argv[0]).absolute(), Path.cwd()
    name = "liangrong"
    if called.name == name and shutil.which(name) is None and called.is_relative_to(here):
        name = str(called.relative_to(here))
    return f"env -u KAFKA_BOOTSTRAP {name}" if settings.kafka.bootstrap else name
