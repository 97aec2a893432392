"""The board as one screen: levels, lowest ratios, the picture of the day, latest calls and orders."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from schemas.alerts import LEVELS
from schemas.units import format_day
from streams.view.board import BELOW, LIFE, NOTICES, Board, Record
from streams.view.picture import COLOURS, picture
from streams.view.words import (
    LEVEL_COLOURS,
    STEP_COLOURS,
    call_words,
    clock,
    money,
    order_words,
    percent,
)

_LEVEL_WORDS = {
    "normal": "normal",
    "warn": "below the warn line",
    "below_min": "below the minimum line",
    "immediate": "below the immediate line",
    "no_debt": "without debt",
    "unpriced": "unpriced",
}
_HEAD = 5
_TABLES = len(LEVELS) + 2
_NARROW = 100
_SMALL = 76
"""Below this width tables leave columns out, so that no number and no name is cut."""


class Screen:
    """Renders the board at whatever size the terminal has; rich asks it again at every refresh."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Head, tables side by side, the picture, and the latest alerts in what height is left."""
        width, height = options.max_width, options.height or console.height
        drawn = max(3, min(10, (height - _HEAD - _TABLES) // 2 - 3))
        left = max(3, height - _HEAD - _TABLES - drawn - 3 - 3)
        yield _head(self.board, width)
        yield _beside(_levels(self.board, width), _worst(self.board, len(LEVELS), width))
        yield _picture(self.board, width, drawn)
        yield _beside(_calls(self.board, left, width), _orders(self.board, left, width))


def _beside(one: RenderableType, other: RenderableType) -> Table:
    grid = Table.grid(expand=True, padding=0)
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(one, other)
    return grid


def _head(board: Board, width: int) -> Group:
    title = Table.grid(expand=True)
    title.add_column()
    title.add_column(justify="right")
    title.add_row(Text(f" {board.title}", style="bold"), Text(f"{_market(board)} ", style="bold cyan"))
    progress = board.progress
    bar = Table.grid(expand=True)
    done, total = (progress.events, progress.total) if progress else (0, 1)
    bar.add_row(ProgressBar(total=max(total, 1), completed=done))
    return Group(title, bar, Text(f" {_rates(board)}", style="dim", no_wrap=True), _outcomes(board, width))


def _market(board: Board) -> str:
    if board.progress is None:
        return board.status
    progress = board.progress
    phase = "" if progress.phase == "clock" else f"  {progress.phase}"
    return f"{format_day(progress.date)} {clock(progress.ts)}{phase}  {board.pace}"


def _rates(board: Board) -> str:
    return (
        f"{board.status} · {board.published:,} events published, {board.in_rate.per_second():,}/s · "
        f"{board.alerts:,} alerts received, {board.out_rate.per_second():,}/s · "
        f"{board.accounts:,} accounts, {board.indebted:,} with debt"
    )


def _outcomes(board: Board, width: int) -> Text:
    """Two lines: steps before a formal call, and those of its life."""
    lines = Text(no_wrap=True)
    for place, (head, events) in enumerate((("notices", NOTICES), ("calls", LIFE))):
        lines.append(f" {head:<8}" if place == 0 else f"\n {head:<8}", style="dim")
        for event in events:
            lines.append(f"{event} ", style=STEP_COLOURS[event])
            lines.append(f"{board.steps[event]:,}  " if width >= _NARROW else f"{board.steps[event]} ")
    return lines


def _levels(board: Board, width: int) -> Panel:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1)
    most = max((board.levels[level] for level in BELOW), default=0) or 1
    for level in LEVELS:
        count, colour = board.levels[level], LEVEL_COLOURS[level]
        # Bars compare the accounts in trouble; beside the normal ones they would all be a single dot.
        bar = ProgressBar(
            total=most, completed=count, complete_style=colour, finished_style=colour, style="black"
        )
        if width < _SMALL:
            table.add_row(Text(level, style=colour), f"{count:,}")
        else:
            told = Text(_LEVEL_WORDS[level], style=colour)
            table.add_row(told, f"{count:,}", bar if level in BELOW else "")
    return Panel(table, title="accounts by level", border_style="dim", padding=0)


def _worst(board: Board, rows: int, width: int) -> Panel:
    names = ("account", "ratio") if width < _SMALL else ("account", "ratio", "debt", "assets")
    table = Table.grid(expand=True, padding=(0, 1))
    for name in names:
        table.add_column(justify="left" if name == "account" else "right", no_wrap=True)
    for account in board.worst[:rows]:
        table.add_row(*_account(account)[: len(names)])
    for _ in range(rows - len(board.worst)):
        table.add_row("")
    return Panel(table, title=f"lowest ratios: {', '.join(names)}", border_style="dim", padding=0)


def _account(account: Record) -> tuple[Text, ...]:
    return (
        Text(account["account"]),
        Text(percent(account["ratio"]), style=LEVEL_COLOURS[account["level"]]),
        Text(money(account["debt"])),
        Text(money(account["assets"])),
    )


def _picture(board: Board, width: int, height: int) -> Panel:
    title = Text("accounts below their ")
    for level, word in (("warn", "warn"), ("below_min", "minimum"), ("immediate", "immediate")):
        title.append(f"{word} ", style=COLOURS[level])
    title.append("line through the day")
    history = board.history.get(board.progress.date, {}) if board.progress else {}
    return Panel(Group(*picture(history, width - 4, height)), title=title, border_style="dim", padding=0)


def _calls(board: Board, rows: int, width: int) -> Panel:
    table = Table.grid(expand=True, padding=(0, 1))
    for _ in range(4):
        table.add_column(no_wrap=True)
    for value in _latest(board.calls, rows):
        event = Text(value["event"], style=STEP_COLOURS[value["event"]])
        when = clock(value["ts"]) if width >= _NARROW else clock(value["ts"])[:5]
        table.add_row(Text(when, style="dim"), Text(value["account"]), event, Text(call_words(value)))
    return _filled(table, len(board.calls), rows, "latest calls")


def _orders(board: Board, rows: int, width: int) -> Panel:
    wide = width >= _NARROW
    table = Table.grid(expand=True, padding=(0, 1))
    for _ in range(3 if wide else 2):
        table.add_column(no_wrap=True)
    for value in _latest(board.orders, rows):
        when = (Text(clock(value["ts"]), style="dim"),) if wide else ()
        table.add_row(*when, Text(value["account"]), Text(order_words(value, price=wide)))
    return _filled(table, len(board.orders), rows, "latest forced orders")


def _latest(records: Iterable[Record], rows: int) -> list[Record]:
    """By market time, since partitions are read in turns; orders of one plan stay in their order."""
    return sorted(records, key=lambda value: -value["ts"])[:rows]


def _filled(table: Table, there: int, rows: int, title: str) -> Panel:
    for _ in range(rows - there):
        table.add_row("")
    return Panel(table, title=title, border_style="dim", padding=0)
