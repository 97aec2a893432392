"""Real notices of haircuts (折算率) come out on their days, from nothing but real suspensions.

Brokers announced, share by share, that one suspended for more than 30 trading days has haircut 0 and is not
counted, and that one which trades again has its haircut back and is counted. Where the data come from:
`tests/data/margin/README.md`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from agents import Book
from agents.kernels.layout import HAIRCUT, VALUE
from tests.margin.books import at

FOLDER = Path(__file__).parents[1] / "data" / "margin"
PRICE = "10"


def rows(name: str) -> Iterator[dict[str, str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return csv.DictReader(line for line in lines if not line.startswith("#"))


@dataclass(frozen=True)
class Standing:
    """What a share counts for on a day."""

    haircut: str
    counted: bool


NOTICES = list(rows("haircut_notices.csv"))
SESSIONS = [*(FOLDER / "sessions.txt").read_text().split(), "2016-04-01"]


@cache
def history() -> dict[tuple[str, str], Standing]:
    """Every share of the notices on every session, in the books of an account that holds it."""
    book, found = Book(), {}
    shares = sorted({notice["security"] for notice in NOTICES})
    haircuts = {n["security"]: max(n["before"], n["after"]) for n in NOTICES}
    suspended = {row["first"]: set[str]() for row in rows("suspensions.csv")}
    resumed: dict[str, set[str]] = {}
    for row in rows("suspensions.csv"):
        suspended[row["first"]].add(row["security"])
        resumed.setdefault(row["traded"], set()).add(row["security"])
    for day in SESSIONS:
        for share in shares:
            about = {"security": share, "date": day, "kind": "stock", "board": board(share)}
            about |= {"haircut": haircuts[share]}
            if share in suspended.get(day, ()):
                book.reference("reference.securities", about | {"suspended": True})
            elif day == SESSIONS[0] or share in resumed.get(day, ()):
                book.reference("reference.securities", about)
        book.session("pre_open", day, at(day, "09:00"))
        if day == SESSIONS[0]:
            for share in shares:
                book.price(share, PRICE, at(day, "09:30"))
        books = book.core.desk.books
        for share in shares:
            place = books.security(share)
            haircut, value = (books.securities.get(place, column) for column in (HAIRCUT, VALUE))
            found[share, day] = Standing(str(Decimal(haircut) / 10_000), value > 0)
        book.session("settled", day, at(day, "16:00"))
    return found


def board(share: str) -> str:
    return "chinext" if share.startswith("300") else "main"


def standing(share: str, day: str) -> Standing:
    return history()[share, day]


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: f"{notice['date']}-{notice['security']}")
def test_a_notice_comes_out_on_its_day(notice: dict[str, str]) -> None:
    share, day = notice["security"], notice["date"]
    now = standing(share, day)
    assert Decimal(now.haircut) == Decimal(notice["after"])
    assert now.counted == (notice["what"] == "resumed")
    if notice["counted"]:
        assert now.counted == (notice["counted"] == "yes")
        before = standing(share, SESSIONS[SESSIONS.index(day) - 1])
        assert Decimal(before.haircut) == Decimal(notice["before"])
        assert before.counted != now.counted


def test_the_notices_speak_of_both_ends_of_a_suspension() -> None:
    kinds = [notice["what"] for notice in NOTICES]
    assert (kinds.count("suspended"), kinds.count("resumed")) == (26, 19)
