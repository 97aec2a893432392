"""No ex-date makes a false call (rulebook 11): at the exchange's reference price, assets and debt of any book
are what they were before, up to the price step and the fractions of shares that nobody gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.books.audit import discrepancies
from schemas.units import format_money
from tests.margin.books import BANK, MONDAY, TUESDAY, Diary, opening

HALF_A_STEP = 5
"""Of the price step of a stock, 0.01 yuan, in milli."""


@dataclass
class Brought:
    """What all actions bring per old share: cash (milli), free shares, shares offered and their price."""

    cash: Fraction = Fraction(0)
    free: Fraction = Fraction(0)
    offered: Fraction = Fraction(0)
    price: Fraction = Fraction(0)

    def reference(self, close: int) -> Fraction:
        return (close - self.cash + self.offered * self.price) / (1 + self.free + self.offered)


@st.composite
def actions(draw: st.DrawFn, close: int) -> tuple[list[dict[str, Any]], Brought]:
    """Up to four actions of one date; cash of at most half the price, rights that are worth something."""
    found, brought = [], Brought()
    kinds = ("dividend", "bonus", "split", "rights")
    for kind in sorted(draw(st.sets(st.sampled_from(kinds), min_size=1)), key=lambda kind: kind == "rights"):
        about: dict[str, Any] = {"action": kind, "security": BANK, "ex_date": TUESDAY, "kind": kind}
        shares = draw(st.integers(1, 3_000))
        if kind == "dividend":
            cash = draw(st.integers(1, close // 2))
            about["cash_per_share"], brought.cash = format_money(cash), Fraction(cash)
        else:
            about["shares_per_share"] = format_money(shares)
        if kind == "rights":
            price = draw(st.integers(1, int(brought.reference(close))))
            about |= {"price": format_money(price), "pay_date": "2025-04-20"}
            brought.offered, brought.price = Fraction(shares, 1000), Fraction(price)
        elif kind != "dividend":
            brought.free += Fraction(shares, 1000)
        found.append(about)
    return found, brought


def lent(qty: int) -> list[dict[str, Any]]:
    contract = {"contract": "S", "type": "lending", "security": BANK, "opened": MONDAY, "rate": "0"}
    return [contract | {"qty": qty, "price": "20"}] if qty else []


def milli(text: str) -> int:
    whole, _, rest = text.partition(".")
    return int(whole) * 1000 + int(rest.ljust(3, "0"))


@given(
    data=st.data(), close=st.integers(1_000, 90_000), held=st.integers(0, 90_000), short=st.integers(0, 9_000)
)
def test_no_ex_date_makes_a_false_call(data: st.DataObject, close: int, held: int, short: int) -> None:
    records, brought = data.draw(actions(close))
    diary = Diary()
    for record in records:
        diary.book.reference("reference.actions", record)
    diary.session("pre_open")
    diary.at(MONDAY, "10:00").price(BANK, format_money(close))
    book = opening("900000", {BANK: held} if held else {}, "500000")
    diary.book.event(book | {"contracts": [*book["contracts"], *lent(short)]})
    before = diary.account()
    diary.at(MONDAY, "16:00").session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    after = diary.account()
    reference = brought.reference(close)
    for side, qty in (("assets", held), ("debt", short)):
        change = milli(after[side]) - milli(before[side])
        steps = qty * (1 + brought.free + brought.offered) * HALF_A_STEP
        fractions_lost = len(records) * (reference + HALF_A_STEP)
        assert -steps - fractions_lost - 1 <= change <= steps + 1
    assert discrepancies(diary.book.core.desk.books) == []
