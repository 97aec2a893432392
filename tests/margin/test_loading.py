"""Opening many accounts at once gives what opening them one by one gives: outputs, order and state."""

from __future__ import annotations

import random
from typing import Any
from unittest import mock

import numpy as np
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.books import loading
from agents.books.audit import discrepancies
from agents.core import Output, Segment
from agents.margin.notebook import Book
from schemas.account_decoding import decode_account_events
from schemas.batches import AccountBatch
from schemas.frames import decode_frame, encode_account_events
from tests.margin.books import MONDAY, TUESDAY, at
from tests.worked_examples.records import PRESET

SECURITIES = [f"60000{i}.SH" for i in range(6)]
LARGE = 10**11

RULES = PRESET | {
    "preset": "B",
    "from": "2019-08-19",
    "warn": "1.40",
    "immediate_mode": "realtime",
    "financing_rate": "0.06",
    "lending_rate": "0.1",
}


def drawn_opening(dice: random.Random, number: int) -> dict[str, Any]:
    """An opening with anything a counter may say, and now and then with too much of it."""
    record: dict[str, Any] = {
        "account": f"A{dice.randrange(12)}",
        "ts": at(dice.choice([MONDAY, MONDAY, TUESDAY]), "09:20"),
        "id": f"e{number // dice.choice([1, 1, 2])}",
        "kind": "opening",
        "cash": dice.choice([0, 1000, "-0.001", 50_000, LARGE]),
        "positions": [drawn_position(dice, security) for security in drawn_securities(dice)],
        "contracts": [
            drawn_contract(dice, f"c{i}", security) for i, security in enumerate(drawn_securities(dice))
        ],
    }
    optional: dict[str, list[Any]] = {
        "class": ["individual", "institution", "private_fund"],
        "preset": ["A", "B", "D", "nobody's"],
        "other_collateral": [0, 7, 90_000],
    }
    return record | drawn_fields(dice, optional)


def drawn_securities(dice: random.Random) -> list[str]:
    return dice.sample(SECURITIES, dice.choice([0, 1, 1, 2, 5]))


def drawn_fields(dice: random.Random, choices: dict[str, list[Any]]) -> dict[str, Any]:
    return {name: dice.choice(values) for name, values in choices.items() if dice.random() < 0.3}


def drawn_position(dice: random.Random, security: str) -> dict[str, Any]:
    qty = dice.choice([0, 100, 100, 3000, LARGE])
    return {"security": security, "qty": qty} | drawn_fields(dice, {"sellable": [0, qty // 2, qty]})


def drawn_contract(dice: random.Random, name: str, security: str) -> dict[str, Any]:
    optional: dict[str, list[Any]] = {
        "principal": [0, 500, "10000.001", LARGE],
        "rate": ["0.0835", 0],
        "margin_ratio": ["0.8"],
        "due": ["2025-09-01", "2025-04-06", "2025-04-07", "2025-04-12", "2025-01-03", "1995-01-01"],
        "accrued": [0, 3, "0.005"],
    }
    return {
        "contract": name,
        "type": dice.choice(["financing"] * 9 + ["lending"]),
        "security": security,
        "opened": dice.choice(["2025-04-07", "2025-01-02", "2025-06-01", "1990-01-01", "2200-01-01"]),
        "qty": dice.choice([0, 100, 700, LARGE]),
        "price": dice.choice([0, 10, "9.999", 10_000_000]),
    } | drawn_fields(dice, optional)


def drawn_batch(seed: int) -> AccountBatch:
    """Mostly openings, some deposits between them, as a frame of the log carries them."""
    dice = random.Random(seed)
    records = [drawn_opening(dice, number) for number in range(dice.randrange(1, 30))]
    for number in range(dice.randrange(8)):
        deposit = {"kind": "cash", "amount": 5, "reason": "deposit", "ts": at(MONDAY, "09:21")}
        record = {"account": f"A{dice.randrange(12)}", "id": f"d{number}"} | deposit
        records.insert(dice.randrange(len(records) + 1), record)
    decoded = decode_account_events([orjson.dumps(record) for record in records])
    batch = decode_frame(encode_account_events(decoded.batch))[1]
    assert isinstance(batch, AccountBatch)
    assert decoded.batch == batch
    return batch


def segment(batch: AccountBatch) -> Segment:
    rows = np.arange(len(batch))
    zeros = np.zeros(len(batch), np.int64)
    return Segment(("account.events", 0), rows, zeros, zeros.astype(np.int32), rows, batch)


def story(batches: list[AccountBatch]) -> tuple[list[Output], Book]:
    """Some securities have prices, then the batches come, then the prices move and the day is settled."""
    book = Book()
    book.session("pre_open", MONDAY, at(MONDAY, "09:00"))
    for i, security in enumerate(SECURITIES[1:]):
        book.price(security, str(10 + i), at(MONDAY, "09:31"))
    excluded = {"security": SECURITIES[1], "date": MONDAY, "name": "?", "kind": "stock", "board": "main"}
    book.reference("reference.securities", excluded | {"valuation": "exclude"})
    for since, rate in (("2019-08-19", "0.06"), ("2025-02-01", "0.05"), ("2025-04-08", "0.04")):
        book.reference("reference.rules", RULES | {"from": since, "financing_rate": rate})
    leaving = {"security": SECURITIES[2], "date": MONDAY, "kind": "stock", "board": "main", "delisting": True}
    book.reference("reference.securities", leaving | {"last_trading_day": "2025-04-09"})
    said = [output for batch in batches for output in book.core.apply_events(segment(batch))]
    assert discrepancies(book.core.desk.books) == []
    for security in SECURITIES:
        book.price(security, "8", at(MONDAY, "10:00"))
    book.session("settled", MONDAY, at(MONDAY, "16:00"))
    book.session("pre_open", TUESDAY, at(TUESDAY, "09:00"))
    assert discrepancies(book.core.desk.books) == []
    return said, book


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3))
def test_accounts_opened_at_once_are_as_if_opened_one_by_one(seeds: list[int]) -> None:
    batches = [drawn_batch(seed) for seed in seeds]
    with mock.patch("agents.margin.shard.open_new", lambda _fold, batch, _unseen: np.full(len(batch), -1)):
        said_one_by_one, one_by_one = story(batches)
    said, book = story(batches)
    assert said == said_one_by_one
    assert list(book.core.state_rows()) == list(one_by_one.core.state_rows())
    assert book.alerts() == one_by_one.alerts()


def test_what_needs_a_closer_look_is_left_to_the_other_way() -> None:
    plain = {"ts": at(MONDAY, "09:20"), "id": "1", "kind": "opening", "cash": 1, "positions": []}
    lending = {"contract": "L", "type": "lending", "security": SECURITIES[0], "opened": MONDAY}
    records = [
        plain | {"account": "A", "contracts": []},
        plain | {"account": "B", "contracts": [lending | {"qty": 100, "price": 10}]},
        plain | {"account": "A", "id": "2", "contracts": []},
        plain | {"account": "C", "contracts": [], "preset": "nobody's"},
        plain | {"account": "D", "contracts": []},
    ]
    batch = decode_account_events([orjson.dumps(record) for record in records]).batch
    book = Book()
    opened = loading.open_new(book.core.desk.fold, batch, np.array([True] * 4 + [False]))
    assert opened.tolist() == [0, -1, -1, -1, -1]
