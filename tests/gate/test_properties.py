"""What holds of every decision, whatever the account, the day and the request."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.margin.evidence import available
from agents.rules.lots import lot, round_down
from schemas.units import parse_day
from tests.gate.counter import BANK, CHIPS, Counter, Record, contract, position

DAYS = ("2015-08-03", "2016-03-01", "2018-06-04", "2023-09-11", "2024-07-22", "2026-01-19")
TRADES = (
    "collateral_buy",
    "financing_buy",
    "short_sell",
    "collateral_sell",
    "sell_to_repay",
    "buy_to_return",
)


@st.composite
def books(draw: st.DrawFn) -> Record:
    """An account's cash, holdings (all financed shares among them), debts, credit line and class."""
    security = draw(st.sampled_from((BANK, CHIPS)))
    day = draw(st.sampled_from([day for day in DAYS if security == BANK or day > "2019-07-22"]))
    owed = contract("F", security, "2015-07-06", 3_000, "10.00", principal=str(draw(st.integers(0, 200_000))))
    lent = contract("S", security, "2015-07-06", draw(st.integers(0, 5_000)), "9.00", type="lending")
    credit = str(draw(st.integers(0, 400_000)))
    opening: Record = {
        "cash": str(draw(st.integers(0, 300_000))),
        "positions": [position(security, draw(st.integers(3_000, 20_000)))],
        "contracts": [one | {"due": "2030-01-01"} for one in (owed, lent) if one["qty"]],
        "class": draw(st.sampled_from(("individual", "institution", "private_fund"))),
        "credit": {"total": credit, "financing": credit, "lending": credit},
    }
    return {"security": security, "day": day, "opening": opening}


def counter_of(book: Record) -> Counter:
    counter = Counter(book["day"])
    counter.security(book["security"], lendable_qty=50_000)
    counter.trading()
    counter.open(**book["opening"])
    return counter


def ask(counter: Counter, book: Record, business: str, size: int) -> Record:
    """A request for `size` shares, or as many fen."""
    if business in ("withdraw_cash", "repay"):
        return counter.ask(business, amount=f"{size // 100}.{size % 100:02d}")
    more: dict[str, Any] = {} if business == "withdraw_security" else {"price": "10.00"}
    return counter.ask(business, security=book["security"], qty=size, **more)


def limit_of(decision: Record) -> int:
    """The limit in shares, or in fen."""
    limit = decision["limit"]
    return limit if isinstance(limit, int) else int(limit.replace(".", ""))


@given(books(), st.sampled_from((*TRADES, "withdraw_cash", "withdraw_security", "repay")))
def test_the_limit_passes_and_one_lot_more_does_not(book: Record, business: str) -> None:
    most = limit_of(ask(counter_of(book), book, business, 10_000_000_000))
    if most:
        assert ask(counter_of(book), book, business, most)["decision"] == "accept"
    assert ask(counter_of(book), book, business, next_size(book, business, most))["decision"] == "reject"


def next_size(book: Record, business: str, most: int) -> int:
    """The next legal size above."""
    if business in ("withdraw_cash", "repay"):
        return most + 1
    board = "star" if book["security"] == CHIPS else "main"
    rule = lot(board, "stock", parse_day(book["day"]))
    return max(rule.minimum, round_down(rule, most) + rule.step)


requests = st.lists(
    st.tuples(st.sampled_from((*TRADES, "withdraw_cash", "withdraw_security")), st.integers(1, 300)),
    min_size=1,
    max_size=8,
)


@given(books(), requests)
def test_accepted_requests_can_all_be_filled(book: Record, wanted: list[tuple[str, int]]) -> None:
    """Filled at their price and without costs, they leave no cash below nothing, sell nothing that is not
    held, and new debt leaves no available margin below nothing.
    """
    counter = counter_of(book)
    accepted = []
    for business, lots in wanted:
        size = lots * (10_000 if business == "withdraw_cash" else 100)
        decision = ask(counter, book, business, size)
        if decision["decision"] == "accept":
            accepted.append((business, size, decision["order"]))
    for business, size, order in accepted:
        fill(counter, book, business, size, order)
    accounts = counter.book.core.desk.books.accounts
    assert accounts.cash[0] >= 0
    assert not counter.book.core.desk.reservations
    if {"financing_buy", "short_sell", "withdraw_cash"} & {business for business, _, _ in accepted}:
        assert available(counter.book.core.desk.books, [0])[0] >= 0


def fill(counter: Counter, book: Record, business: str, size: int, order: str) -> None:
    """What was accepted happens."""
    if business == "withdraw_cash":
        counter.event("cash", amount=f"-{size // 100}.{size % 100:02d}", reason="withdrawal")
    elif business == "withdraw_security":
        counter.event("transfer", security=book["security"], qty=-size, reason="collateral_out")
    else:
        trade: dict[str, Any] = {"business": business, "security": book["security"], "qty": size}
        counter.event("fill", **trade, price="10.00", order=order)


@given(books(), requests)
def test_the_same_requests_get_the_same_decisions(book: Record, wanted: list[tuple[str, int]]) -> None:
    sizes = [(business, lots * 100) for business, lots in wanted]
    one, other = counter_of(book), counter_of(book)
    first = [ask(one, book, business, size) for business, size in sizes]
    assert [ask(other, book, business, size) for business, size in sizes] == first
    assert list(one.book.core.state_rows()) == list(other.book.core.state_rows())
