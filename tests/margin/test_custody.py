"""Custody reconciliation (rulebook 13.6): the books of a settled day against the custodian's statement for
it.
"""

from __future__ import annotations

import orjson
import pytest

from agents.margin.shard import MarginShard, ShardConfig
from schemas import BadRecord, decode
from tests.gate.counter import Counter, contract, position
from tests.margin.books import BANK, CHIPS, MONDAY, TUESDAY, WEDNESDAY, Diary, Record, opening


def statement(date: str = MONDAY, cash: str = "1000", account: str = "A1", **held: int) -> Record:
    """`bank` and `chips`: shares in custody."""
    names = {"bank": BANK, "chips": CHIPS}
    positions = [{"security": names[name], "qty": qty} for name, qty in held.items()]
    return {"account": account, "date": date, "cash": cash, "positions": positions}


def findings(said: list[Record]) -> list[tuple[str, str]]:
    """(id, kind) of what is told about custody."""
    return [(r["id"], r["kind"]) for r in said if str(r.get("kind")).startswith("custody")]


class Custodian(Diary):
    """A1 has 1,000 yuan and 500 shares of the bank."""

    def __init__(self) -> None:
        super().__init__()
        self.session("pre_open")
        self.book.event(opening("1000", {BANK: 500}))

    def state(self, record: Record) -> list[Record]:
        return self.book.reference("reference.custody", record)

    def told(self) -> list[tuple[str, str]]:
        return findings(self.book.alerts("system.events"))

    @property
    def broken(self) -> bool:
        accounts = self.book.core.desk.books.accounts
        return bool(accounts.custody_break[accounts.index["A1"]])


def test_books_that_agree_say_nothing() -> None:
    diary = Custodian()
    diary.session("settled")
    assert diary.state(statement(bank=500)) == []
    assert diary.state(statement(bank=500, chips=0)) == []
    assert not diary.broken


def test_a_break_names_cash_and_every_security_that_differs() -> None:
    diary = Custodian()
    diary.session("settled")
    (record,) = diary.state(statement(cash="999.99", bank=400, chips=7))
    assert diary.broken
    assert record["id"] == f"custody_break:A1:{MONDAY}"
    assert (record["kind"], record["account"], record["date"]) == ("custody_break", "A1", MONDAY)
    assert record["figures"] == {
        "cash": {"books": "1000.00", "custody": "999.99"},
        "positions": [
            {"security": BANK, "books": 500, "custody": 400},
            {"security": CHIPS, "books": 0, "custody": 7},
        ],
    }
    decode("system.events", orjson.dumps(record))


@pytest.mark.parametrize("before", [True, False])
def test_a_statement_may_come_before_its_day_is_settled_or_after(before: bool) -> None:
    diary = Custodian()
    if before:
        assert diary.state(statement(bank=400)) == []
        said = diary.session("settled")
    else:
        diary.session("settled")
        said = diary.state(statement(bank=400))
    assert [kind for _, kind in findings(said)] == ["custody_break"]
    assert diary.broken


def test_a_statement_of_yesterday_is_compared_with_yesterdays_books() -> None:
    diary = Custodian()
    diary.session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.fill("collateral_sell", BANK, 500, "2")
    assert diary.state(statement(bank=500)) == []
    assert [record["kind"] for record in diary.state(statement(bank=0))] == ["custody_break"]


def test_a_later_statement_that_agrees_lifts_the_break_and_says_so_once() -> None:
    diary = Custodian()
    diary.session("settled")
    diary.state(statement(cash="0", bank=500))
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.session("settled")
    diary.state(statement(TUESDAY, bank=500))
    assert not diary.broken
    diary.state(statement(TUESDAY, bank=500))
    assert diary.told() == [
        (f"custody_break:A1:{MONDAY}", "custody_break"),
        (f"custody_agrees:A1:{TUESDAY}", "custody_agrees"),
    ]


def test_a_corrected_statement_counts_and_the_same_one_again_says_nothing() -> None:
    diary = Custodian()
    diary.session("settled")
    for bank in (400, 400, 300, 500):
        diary.state(statement(bank=bank))
    assert diary.told() == [
        (f"custody_break:A1:{MONDAY}", "custody_break"),
        (f"custody_break:A1:{MONDAY}:2", "custody_break"),
        (f"custody_agrees:A1:{MONDAY}:3", "custody_agrees"),
    ]


def test_a_late_event_and_a_second_settled_end_a_break() -> None:
    diary = Custodian()
    diary.session("settled")
    diary.state(statement(cash="1500", bank=500))
    diary.event("cash", amount="500", reason="deposit")
    assert diary.broken
    diary.session("settled")
    assert not diary.broken


def test_frozen_money_is_in_custody_and_shares_in_transit_are_not() -> None:
    diary = Custodian()
    action = {"action": "B1", "security": BANK, "ex_date": TUESDAY, "kind": "bonus", "shares_per_share": "1"}
    diary.book.reference("reference.actions", action)
    diary.event("freeze", cash="300")
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.session("settled")
    assert diary.state(statement(TUESDAY, bank=500)) == []


def test_an_account_that_the_books_do_not_know_has_nothing_in_them() -> None:
    diary = Custodian()
    diary.session("settled")
    (record,) = diary.state(statement(account="B9", cash="1"))
    assert record["figures"] == {"cash": {"books": "0.00", "custody": "1.00"}}
    assert diary.state(statement(account="B8", cash="0")) == []


@pytest.mark.parametrize("date", ["2025-04-03", MONDAY])
def test_a_statement_whose_day_is_no_longer_known_is_told_as_unchecked(date: str) -> None:
    diary = Custodian()
    diary.session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.session("settled")
    (record,) = diary.state(statement(date, bank=1))
    assert record["id"] == f"custody_unchecked:A1:{date}"
    assert not diary.broken


def test_a_statement_for_a_day_that_never_comes_is_told_as_unchecked() -> None:
    diary = Custodian()
    diary.state(statement(TUESDAY, bank=1))
    diary.session("settled")
    diary.at(WEDNESDAY, "09:00").session("pre_open")
    diary.session("settled")
    assert diary.told()[-1] == (f"custody_unchecked:A1:{TUESDAY}", "custody_unchecked")


def test_a_security_named_twice_is_refused() -> None:
    diary = Custodian()
    record = statement(bank=1)
    record["positions"] *= 2
    with pytest.raises(BadRecord, match="twice"):
        diary.state(record)


def test_breaks_and_waiting_statements_survive_a_restart() -> None:
    diary = Custodian()
    diary.session("settled")
    diary.state(statement(bank=400))
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.state(statement(TUESDAY, bank=500))
    restored = MarginShard(ShardConfig())
    restored.restore(diary.book.core.snapshot())
    assert list(restored.state_rows()) == list(diary.book.core.state_rows())
    said: list[list[Record]] = []
    for core in (diary.book.core, restored):
        diary.book.core = core
        said.append(diary.session("settled"))
        diary.ts -= 1000
    assert said[0] == said[1]
    assert findings(said[0]) == [(f"custody_agrees:A1:{TUESDAY}", "custody_agrees")]


def test_a_break_blocks_withdrawals_and_new_debt_until_custody_agrees() -> None:
    counter = Counter(MONDAY)
    counter.security(BANK)
    held, owed = [position(BANK, 1_000)], [contract("F", BANK, MONDAY, 100, "10")]
    counter.trading().open(positions=held, contracts=owed)
    counter.session("settled")
    counter.book.reference("reference.custody", statement(cash="1000000", bank=999))
    counter.trading(TUESDAY)
    counter.price("10.00")
    order = {"qty": 100, "price": "10.00"}
    for business, fields in (
        ("financing_buy", order),
        ("short_sell", order),
        ("withdraw_cash", {"amount": "1"}),
        ("withdraw_security", {"qty": 100}),
    ):
        assert counter.why(business, **fields) == "custody_break", business
    assert counter.why("collateral_sell", **order) == "accept"
    assert counter.why("repay", amount="100") == "accept"
    counter.session("settled")
    counter.book.reference("reference.custody", statement(TUESDAY, cash="1000000", bank=1_000))
    counter.trading(WEDNESDAY)
    counter.price("10.00")
    assert counter.why("financing_buy", **order) == "accept"
