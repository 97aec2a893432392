"""The shipped summer of 2015 with books over its stocks: 55 recorded days, ready to be run or replayed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson

from agents.rules.schedule import built_in
from schemas.topics import ACCOUNT_EVENTS, REFERENCE_RULES
from schemas.units import format_day
from streams.books.draw import Books, draw_books
from streams.books.events import opening_events, own_preset
from streams.books.lives import Lives
from streams.books.making import MadeBooks
from streams.crashes.crash_2015 import FIRST, Summer, label, write_summer_day
from streams.days.writer import DayLabel, write_topic

_PRESETS = ("A", "C", "D")


def write_crash_2015(
    destination: Path, accounts: int, seed: int, watch: Callable[[int, int], None] | None = None
) -> MadeBooks:
    """Write all days below `destination`, openings into the first, what clients do into the others. `watch`
    is told how many of how many days are done.
    """
    summer = Summer()
    days = summer.trading_days()
    books = draw_books(FIRST, summer.evening_prices(), accounts, seed)
    lives = Lives(books, days)
    note = f"{accounts} synthetic accounts, seed {seed}, as of {format_day(FIRST)}"
    named = DayLabel(label().origin, label().licence, (*label().notes, note))
    directories, deposits = [], 0
    for place, day in enumerate(days):
        directory = write_summer_day(summer, destination, day, named)
        if place == 0:
            write_topic(directory, ACCOUNT_EVENTS, opening_events(books))
            _write_presets(directory)
        else:
            events = lives.events(day, summer.middle_move(day))
            deposits += events.num_rows
            if events.num_rows:
                write_topic(directory, ACCOUNT_EVENTS, events)
        directories.append(directory)
        if watch is not None:
            watch(place + 1, len(days))
    return _made(books, directories, deposits)


def _made(books: Books, directories: list[Path], deposits: int) -> MadeBooks:
    return MadeBooks(
        tuple(directories), len(books), len(books.position_qty), len(books.contract_qty),
        deposits, int(books.debt.sum()), int(books.assets.sum()),
    )  # fmt: skip


def _write_presets(directory: Path) -> None:
    """The built-in presets, with dividends credited on their pay date by themselves (`auto_pay`), and the
    drawn books' own preset E. As JSON lines: a preset without an immediate line says so with a null.
    """
    since = {"from": format_day(FIRST), "auto_pay": True}
    own = own_preset(FIRST).to_pylist()[0]
    rows = [{key: value for key, value in own.items() if key != "key"} | since]
    for name in _PRESETS:
        lines = {key: value for key, value in built_in().presets[name].items() if key != "source"}
        rows.append({"preset": name, **lines, **since})
    text = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    (directory / f"{REFERENCE_RULES}.jsonl").write_bytes(text)
