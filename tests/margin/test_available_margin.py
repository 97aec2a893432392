"""Available margin (保证金可用余额): the kernel over all accounts equals the rule's plain sum."""

from __future__ import annotations

import pytest

from agents.books.book import Books
from agents.books.contracts import LENDING
from agents.kernels.layout import HAIRCUT, MARK, VALUE
from agents.margin.evidence import available
from agents.margin.shard import MarginShard
from agents.rules.available_margin import available_margin, available_margin_milli
from tests.margin.books import BANK, MONDAY, Diary, opening
from tests.margin.histories import Author, tell_all


def by_the_rule(books: Books, account: int) -> int:
    accounts, contracts, rows = books.accounts, books.contracts, books.positions.rows
    get = books.securities.get
    free = {rows.security[row]: rows.qty[row] for row in books.positions.run(account)}
    extra = {rows.security[row]: rows.compensation[row] for row in books.positions.run(account)}
    financing, lending = [], []
    for row in contracts.chain(accounts.first[account]):
        security, base, margin = contracts.security[row], contracts.base[row], contracts.margin_ratio[row]
        if contracts.kind[row] == LENDING:
            lent = contracts.qty[row] + extra.pop(security, 0)
            worth = lent * max(0, get(security, MARK))
            lending.append((base, worth, get(security, HAIRCUT), margin))
        else:
            shares = min(contracts.qty[row], free.get(security, 0))
            free[security] = free.get(security, 0) - shares
            worth = shares * max(0, get(security, VALUE))
            financing.append((worth, base, get(security, HAIRCUT), margin))
    held = [(qty * max(0, get(security, VALUE)), get(security, HAIRCUT)) for security, qty in free.items()]
    fees = accounts.interest[account] + accounts.owed_cash[account]
    fees += sum(qty * max(0, get(security, MARK)) for security, qty in extra.items())
    return available_margin_milli(available_margin(accounts.cash[account], held, financing, lending, fees))


@pytest.mark.parametrize("seed", range(4))
def test_the_kernel_equals_the_rule_on_random_books(seed: int) -> None:
    shard = MarginShard()
    tell_all(shard, Author(seed, accounts=20).write(days=4, steps_a_day=40))
    books = shard.desk.books
    everybody = list(range(books.accounts.rows))
    assert available(books, everybody) == [by_the_rule(books, account) for account in everybody]


def test_e6_gains_losses_and_vintages() -> None:
    diary = Diary()
    figures = {
        "600001.SH": ("20.00", "0.65", 10_000),
        "600002.SH": ("100.00", "0.95", 5_000),
        "600003.SH": ("15.00", "0", 8_000),
        "600004.SH": ("22.00", "0.70", 10_000),
        "600005.SH": ("9.00", "0.60", 20_000),
        "600006.SH": ("22.00", "0.65", 0),
        "600007.SH": ("33.50", "0.60", 0),
    }
    diary.session("pre_open")
    for security, (price, haircut, _) in figures.items():
        reference = {
            "security": security,
            "date": MONDAY,
            "kind": "treasury" if haircut == "0.95" else "stock",
            "board": "main",
            "haircut": haircut,
        }
        diary.book.reference("reference.securities", reference)
        diary.price(security, price)
    shared = {"opened": MONDAY, "rate": "0"}
    contracts = [
        {"contract": "F1", "type": "financing", "security": "600004.SH", "qty": 10_000, "price": "20"}
        | {"margin_ratio": "1.00", "accrued": "3210.98"},
        {"contract": "F2", "type": "financing", "security": "600005.SH", "qty": 20_000, "price": "10"}
        | {"margin_ratio": "0.80"},
        {"contract": "S1", "type": "lending", "security": "600006.SH", "qty": 10_000, "price": "25"}
        | {"margin_ratio": "1.00"},
        {"contract": "S2", "type": "lending", "security": "600007.SH", "qty": 4_000, "price": "30"}
        | {"margin_ratio": "0.50"},
    ]
    held = {security: qty for security, (_, _, qty) in figures.items() if qty}
    book = opening("900000", held) | {"contracts": [contract | shared for contract in contracts]}
    diary.book.event(book)
    account = diary.account()
    assert account["available_margin"] == "484289.02"
    assert account["assets"] == "2120000.00"
    assert account["debt"] == "757210.98"
    assert account["ratio"] == "2.799748"


def test_shares_no_longer_held_lend_no_value() -> None:
    diary = Diary()
    diary.price(BANK, "10.00")
    diary.book.event(opening("0", {}, "1000", id="short of shares"))
    assert diary.account()["available_margin"] == "-1800.00"
