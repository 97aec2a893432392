"""Synthetic books: seeded, exact, and shaped as the docstring of `streams.books` says."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import orjson
import pytest

from schemas import decode
from schemas.account import Opening
from schemas.units import format_day
from streams.books import BooksShape, draw_books
from streams.books.draw import BODY, CALLED, SUNK, TAIL, Books
from streams.books.events import deposit_events, opening_events, own_preset
from streams.books.making import make_books, prices_of, write_demonstration
from streams.crashes.crash_2025 import CRASH_DAY, DAYS, shipped_day
from streams.days.reader import RecordedDay
from streams.days.rowjson import json_rows
from streams.days.ticks import ImportedDay
from streams.errors import UserError

AS_OF = DAYS[0]
PRICES = {
    name: price
    for name, facts in shipped_day(AS_OF).reference.items()
    if isinstance(price := facts.get("prev_close"), int)
}


@pytest.fixture(scope="module")
def books() -> Books:
    return draw_books(AS_OF, PRICES, 5_000, seed=7)


def position_values(books: Books) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    price = np.array([PRICES[name] for name in books.securities])
    value = np.zeros(len(books), np.int64)
    np.add.at(value, books.position_account, books.position_qty * price[books.position_security])
    return value


def test_the_same_seed_gives_the_same_books_and_another_seed_others(books: Books) -> None:
    again = draw_books(AS_OF, PRICES, 5_000, seed=7)
    assert opening_events(again).equals(opening_events(books))
    assert not opening_events(draw_books(AS_OF, PRICES, 5_000, seed=8)).equals(opening_events(books))


def test_every_opening_is_a_valid_event_and_every_account_its_own(books: Books) -> None:
    events = [decode("account.events", value) for value in json_rows(opening_events(books).slice(0, 300))]
    assert all(isinstance(event, Opening) for event in events)
    assert len(set(books.names)) == len(books)


def test_assets_are_cash_and_positions_to_the_last_thousandth(books: Books) -> None:
    assert (books.cash + position_values(books) == books.assets).all()
    assert (books.cash >= 0).all()
    assert (books.position_qty > 0).all()


def test_cash_holds_the_proceeds_of_short_sales(books: Books) -> None:
    proceeds = np.zeros(len(books), np.int64)
    short = books.contract_short
    np.add.at(proceeds, books.contract_account[short], (books.contract_qty * books.contract_price)[short])
    assert short.any()
    assert (books.cash >= proceeds).all()


def test_financed_shares_are_still_held(books: Books) -> None:
    held = {
        (account, security): qty
        for account, security, qty in zip(
            books.position_account.tolist(),
            books.position_security.tolist(),
            books.position_qty.tolist(),
            strict=True,
        )
    }
    rows = zip(
        books.contract_account.tolist(),
        books.contract_security.tolist(),
        books.contract_qty.tolist(),
        books.contract_short.tolist(),
        strict=True,
    )
    for key, group in itertools.groupby(sorted(r for r in rows if not r[3]), key=lambda row: row[:2]):
        assert held[key] >= sum(row[2] for row in group)


def test_the_market_looks_like_the_public_statistics(books: Books) -> None:
    indebted = books.debt > 0
    assert 0.7e9 < books.debt[indebted].mean() < 1.7e9
    assert 2.3 < books.assets[indebted].sum() / books.debt[indebted].sum() < 2.8
    assert 4 < len(books.position_qty) / len(books) < 6
    price = np.array([PRICES[name] for name in books.securities])
    shorts = (books.contract_qty * price[books.contract_security])[books.contract_short].sum()
    assert 0.002 < shorts / books.debt.sum() < 0.015
    holders = np.bincount(books.position_security, minlength=len(books.securities))
    assert np.sort(holders)[-20:].sum() > 4 * np.sort(holders)[:200].sum() / 10


def test_accounts_stand_where_their_group_says(books: Books) -> None:
    ratio = books.assets[books.debt > 0] / books.debt[books.debt > 0]
    group = books.group[books.debt > 0]
    for kind, low, high in ((BODY, 1.44, 100), (TAIL, 1.30, 1.81), (CALLED, 1.15, 1.30), (SUNK, 0.93, 1.13)):
        own = ratio[group == kind]
        assert len(own) > 0
        assert low <= own.min() <= own.max() <= high


def test_deposits_are_positive_cash_events_of_known_accounts(books: Books) -> None:
    events = [
        decode("account.events", value) for value in json_rows(deposit_events(books, CRASH_DAY, crash=True))
    ]
    assert {event.account for event in events} <= set(books.names)
    assert all(event.amount > 0 for event in events)
    assert len({event.account for event in events}) == len(events)


def test_the_brokers_own_preset_is_a_valid_rule() -> None:
    (value,) = json_rows(own_preset(AS_OF))
    rule = decode("reference.rules", value)
    assert (rule.preset, rule.immediate, rule.from_) == ("E", 12_000, AS_OF)


def test_books_need_prices() -> None:
    with pytest.raises(ValueError, match="at least one security"):
        draw_books(AS_OF, {}, 10, seed=1)


def test_a_shape_without_debt_gives_accounts_without_contracts() -> None:
    calm = draw_books(AS_OF, PRICES, 50, seed=1, shape=BooksShape(tail=0, called=0, sunk=0, debtless=1))
    assert len(calm.contract_qty) == 0
    assert (calm.debt == 0).all()


def test_the_demonstration_is_three_days_with_books(tmp_path: Path) -> None:
    made = write_demonstration(tmp_path, 400, seed=3)
    assert [path.name for path in made.directories] == [f"date={format_day(day)}" for day in DAYS]
    days = [RecordedDay(path) for path in made.directories]
    first = [orjson.loads(value)["kind"] for value in days[0].json_topic("account.events").values]
    assert set(first) == {"opening"}
    with pytest.raises(UserError, match="account events already"):
        make_books(made.directories, 10, seed=1)
    assert prices_of(days[0])["600519.SH"] == PRICES["600519.SH"]


def closing_prices(day: ImportedDay) -> dict[str, int]:
    """The last price of each security on the day; the previous close of one without a trade."""
    closes = {name: facts.get("prev_close") for name, facts in day.reference.items()}
    prices = {name: close for name, close in closes.items() if isinstance(close, int)}
    for quotes in day.quotes:
        rows = np.flatnonzero(quotes.prices["last"] > 0)
        last = zip(quotes.security[rows].tolist(), quotes.prices["last"][rows].tolist(), strict=True)
        prices.update({quotes.names[i]: price for i, price in last})
    return prices


def test_the_shipped_crash_is_the_one_that_happened() -> None:
    crash = shipped_day(CRASH_DAY)
    close = closing_prices(crash)
    down = [name for name, facts in crash.reference.items() if close.get(name) == facts.get("limit_down")]
    before = closing_prices(shipped_day(DAYS[1]))
    ten_percent = [name for name in close if 1000 * close[name] <= 905 * before[name]]
    assert len(crash.reference) == 697
    assert len(down) > 420
    assert len(ten_percent) > 400
    assert sum(bool(facts["suspended"]) for facts in crash.reference.values()) == 1
    assert sum(bool(facts["st"]) for facts in crash.reference.values()) == 14


@pytest.mark.parametrize("date", DAYS)
def test_no_shipped_price_lies_outside_the_limits(date: int) -> None:
    day = shipped_day(date)
    for trades in day.trades:
        up, down = (
            np.array([day.reference[name].get(limit, edge) for name in trades.names])[trades.security]
            for limit, edge in (("limit_up", 10**12), ("limit_down", 0))
        )
        assert ((trades.price <= up) & (trades.price >= down)).all()
