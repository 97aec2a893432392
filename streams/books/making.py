"""Books for recorded days: prices from a day, openings into it, deposits into those that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.topics import ACCOUNT_EVENTS, REFERENCE_RULES
from schemas.units import format_day
from streams.books.draw import Books, BooksShape, draw_books
from streams.books.events import deposit_events, opening_events, own_preset
from streams.crashes.crash_2025 import DAYS, label, shipped_days
from streams.days.decimals import milli_column
from streams.days.reader import RecordedDay, open_days
from streams.days.writer import DayLabel, topic_file, write_topic
from streams.errors import UserError


@dataclass(frozen=True, slots=True)
class MadeBooks:
    """What was written: the days' directories in order, and how much of what."""

    directories: tuple[Path, ...]
    accounts: int
    positions: int
    contracts: int
    deposits: int
    debt: int
    """Sum of all debts at the prices of the draw, 0.001 yuan."""
    assets: int


def prices_of(day: RecordedDay) -> dict[str, int]:
    """A price for every security of ``day``, 0.001 yuan: the previous close that its reference data or quotes
    give, else the first price of the day. Indices and suspended securities without a price are left out."""
    prices: dict[str, int] = {}
    if "market.trades" in day.topics and not day.is_json("market.trades"):
        _first(prices, day.table("market.trades", ["security", "price"]), "price")
    if "market.quotes" in day.topics and not day.is_json("market.quotes"):
        quotes = day.table("market.quotes", ["security", "last", "prev_close"])
        for name in ("last", "prev_close"):
            if name in quotes.column_names:
                first: dict[str, int] = {}
                _first(first, quotes, name)
                prices = {**prices, **first} if name == "prev_close" else {**first, **prices}
    if "reference.securities" in day.topics and not day.is_json("reference.securities"):
        table = day.table("reference.securities", ["security", "kind", "prev_close"])
        names = table.column("security").to_pylist()
        if "prev_close" in table.column_names:
            known = milli_column(table.column("prev_close"), -1).tolist()
            prices.update({name: price for name, price in zip(names, known, strict=True) if price > 0})
        if "kind" in table.column_names:
            kinds = table.column("kind").to_pylist()
            indices = {name for name, kind in zip(names, kinds, strict=True) if kind == "index"}
            prices = {name: price for name, price in prices.items() if name not in indices}
    if not prices:
        raise UserError(
            f"{day.directory} has no prices to make books with", advice="import quotes or trades first"
        )
    return prices


def _first(prices: dict[str, int], table: pa.Table, column: str) -> None:
    names = table.column("security").cast(pa.string()).to_pylist()
    values = milli_column(table.column(column), -1)
    for row in np.flatnonzero(values > 0)[::-1].tolist():
        prices[names[row]] = int(values[row])


def make_books(
    days: Sequence[Path], accounts: int, seed: int, shape: BooksShape | None = None
) -> tuple[Books, MadeBooks]:
    """Draw books as of the first of ``days`` (recorded days in order) and write them: openings into that
    day, deposits into the others; the last day counts as the crash day. A day that has account events is
    refused."""
    opened = open_days(list(days))
    for day in opened:
        if ACCOUNT_EVENTS in day.topics:
            raise UserError(
                f"{day.directory} has account events already",
                advice=f"remove {topic_file(day.directory, ACCOUNT_EVENTS)}",
            )
    books = draw_books(opened[0].date, prices_of(opened[0]), accounts, seed, shape)
    openings = opening_events(books)
    late = pa.array(books.late) if len(opened) > 1 else pa.array(np.zeros(len(books), np.bool_))
    write_topic(opened[0].directory, ACCOUNT_EVENTS, openings.filter(pc.invert(late)))
    if REFERENCE_RULES not in opened[0].topics:
        write_topic(opened[0].directory, REFERENCE_RULES, own_preset(books.as_of))
    deposits = 0
    for place, day in enumerate(opened[1:], start=1):
        parts = [deposit_events(books, day.date, crash=place == len(opened) - 1)]
        deposits += parts[0].num_rows
        if place == 1:
            parts.insert(0, opening_events(books, day.date).filter(late))
        table = pa.concat_tables(parts, promote_options="permissive")
        if table.num_rows:
            write_topic(day.directory, ACCOUNT_EVENTS, table)
    made = MadeBooks(
        tuple(day.directory for day in opened), len(books), len(books.position_qty), len(books.contract_qty),
        deposits, int(books.debt.sum()), int(books.assets.sum()),
    )  # fmt: skip
    return books, made


def write_demonstration(destination: Path, accounts: int, seed: int) -> MadeBooks:
    """The shipped days with books over their stocks, ready to be replayed or run in the order returned."""
    from streams.importers.assemble import write_imported

    notes = (*label().notes, f"{accounts} synthetic accounts, seed {seed}, as of {format_day(DAYS[0])}")
    named = DayLabel(label().origin, label().licence, notes)
    days = [write_imported(destination, [day], named) for day in shipped_days()]
    return make_books(days, accounts, seed)[1]
