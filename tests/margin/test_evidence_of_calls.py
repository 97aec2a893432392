"""Evidence at the five moments of a call, totals of open top-ups, deadlines and lines by date (rulebook 1.2,
1.3, 7.2).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from schemas import decode_parsed
from schemas.errors import BadRecord
from tests.margin.books import BANK, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Diary, at, opening

Record = dict[str, Any]


def called(price: str = "12.50", preset: str = "B", accounts: tuple[str, ...] = ("A1",)) -> Diary:
    """100,000 shares against a million; preset B gives two trading days."""
    diary = Diary()
    diary.session("pre_open")
    diary.price(BANK, price)
    for name in accounts:
        diary.book.event(opening("0", {BANK: 100_000}, "1000000", account=name, preset=preset))
    diary.at(MONDAY, "15:30").session("settled")
    return diary


def day(diary: Diary, date: str, *prices: str) -> None:
    diary.at(date, "09:00").session("pre_open")
    for price in prices:
        diary.price(BANK, price)
    diary.at(date, "15:30").session("settled")


def of_kind(diary: Diary, kind: str) -> list[Record]:
    return [event for event in diary.book.alerts("system.events") if event["kind"] == kind]


def evidence(diary: Diary) -> list[tuple[str, str, str]]:
    return [(e["id"], e["figures"]["moment"], e["date"]) for e in of_kind(diary, "evidence")]


def assets_of(found: Record) -> Decimal:
    values = [Decimal(position["value"]) for position in found["positions"]]
    return sum(values, Decimal(found["cash"]) + Decimal(found["other_collateral"]))


def test_evidence_is_kept_when_called_acknowledged_daily_and_at_the_end() -> None:
    diary = called()
    diary.command("acknowledge", alert="A1:2025-04-07:1:2")
    day(diary, TUESDAY, "13.00")
    day(diary, WEDNESDAY, "15.00")
    assert diary.events() == ["below_min", "called", "cured"]
    assert all("evidence" in call for call in diary.book.alerts("margin.calls"))
    assert evidence(diary) == [
        ("A1:2025-04-07:1:e1", "acknowledged", MONDAY),
        ("A1:2025-04-07:1:e2", "daily", TUESDAY),
    ]
    for event in of_kind(diary, "evidence"):
        figures = event["figures"]
        assert assets_of(figures["evidence"]) == Decimal(figures["assets"])
        assert figures["episode"] == "A1:2025-04-07:1"
        decode_parsed("system.events", dict(event))
    acknowledged = of_kind(diary, "evidence")[0]["figures"]
    assert (acknowledged["command"], acknowledged["by"], acknowledged["shortfall"]) == (
        "c1",
        "op",
        "250000.00",
    )


def test_a_notice_that_is_no_call_keeps_no_daily_evidence() -> None:
    diary = called("14.50", preset="A")
    day(diary, TUESDAY, "14.40")
    assert diary.events() == ["warned"]
    assert evidence(diary) == []


def test_a_notice_acknowledged_twice_is_evidence_once() -> None:
    diary = called()
    diary.command("acknowledge")
    diary.command("acknowledge")
    assert len(evidence(diary)) == 1


def test_a_second_settled_tells_what_changed_and_nothing_else() -> None:
    diary = called()
    day(diary, TUESDAY, "13.00")
    before = len(diary.book.alerts())
    diary.session("settled")
    assert [r for r in diary.book.alerts()[before:] if r.get("kind") in ("evidence", "topups")] == []
    diary.event("cash", amount="1000", reason="deposit")
    diary.session("settled")
    assert [moment for _, moment, _ in evidence(diary)] == ["daily", "daily"]
    assert len(of_kind(diary, "topups")) == 3


def totals(event: Record) -> tuple[Any, ...]:
    every, old = event["figures"]["outstanding"], event["figures"]["long_outstanding"]
    return (every["calls"], every["shortfall"], old["calls"], old["shortfall"])


def test_outstanding_top_ups_are_counted_and_long_outstanding_after_five_trading_days() -> None:
    diary = called(accounts=("A1", "A2"))
    diary.command("extend_deadline", account="*", days=20)
    dates = (TUESDAY, WEDNESDAY, THURSDAY, "2025-04-11", "2025-04-14", "2025-04-15")
    for date in dates[:2]:
        day(diary, date, "12.50")
    diary.event("cash", account="A2", amount="250000", reason="deposit")
    for date in dates[2:]:
        day(diary, date, "12.50")
    found = [totals(event) for event in of_kind(diary, "topups")]
    assert found[0] == (2, "500000.00", 0, "0.00")
    assert found[3] == (1, "250000.00", 0, "0.00")
    assert found[4] == (1, "250000.00", 0, "0.00")
    assert found[5] == (1, "250000.00", 1, "250000.00")
    assert of_kind(diary, "topups")[0]["figures"]["rule"] == "long_outstanding_sessions@2006-08-21"


def test_parts_of_a_top_up_add_up_and_the_price_helps() -> None:
    diary = called()
    diary.at(TUESDAY, "09:00").session("pre_open")
    for amount in ("100000", "49999.99"):
        diary.event("cash", amount=amount, reason="deposit")
    diary.price(BANK, "13.50")
    diary.at(TUESDAY, "15:30").session("settled")
    assert diary.events()[-1] == "partly_met"
    assert diary.book.alerts("margin.calls")[-1]["shortfall"] == "100000.01"
    diary.event("cash", amount="0.01", reason="deposit")
    diary.session("settled")
    assert diary.events()[-1] == "cured"


def on(date: str, ratio: str, preset: Record | None = None) -> list[Record]:
    """What the close of a date says of an account at this ratio, under preset X or the date's default."""
    diary = Diary()
    if preset is not None:
        lines = {"preset": "X", "from": "2007-01-04", "warn": "1.50", "min": "1.30", "immediate": None}
        terms = {"immediate_mode": "by_settled", "target": "1.50", "cure_by": 1, "cure_at": "settled"}
        rest = {"liquidate_from": 2, "rearm": "0.01", "commission": "0.00025"}
        diary.book.reference("reference.rules", lines | terms | rest | preset)
    diary.at(date, "09:00").session("pre_open")
    diary.price(BANK, "10.00")
    terms = {} if preset is None else {"preset": "X"}
    book = opening("0", {BANK: 100_000}, f"{Decimal(1_000_000) / Decimal(ratio):.2f}", **terms)
    book["contracts"][0]["opened"] = date
    diary.book.event(book | {"ts": at(date, "09:20")})
    diary.at(date, "15:30").session("settled")
    return diary.book.alerts("margin.calls")


@pytest.mark.parametrize(
    ("date", "floor", "ratio", "calls"),
    [
        ("2019-08-16", "1.20", "1.29", True),
        ("2019-08-16", "1.20", "1.31", False),
        ("2019-08-19", "1.20", "1.29", False),
        ("2019-08-19", "1.20", "1.19", True),
        ("2019-08-19", "1.40", "1.35", True),
        ("2019-08-16", "1.40", "1.35", True),
        ("2019-08-19", "1.30", "1.35", False),
    ],
)
def test_the_floor_is_the_exchanges_before_19_august_2019_and_the_contracts_afterwards(
    date: str, floor: str, ratio: str, calls: bool
) -> None:
    said = [record["event"] for record in on(date, ratio, {"min": floor})]
    assert ("called" in said) is calls


@pytest.mark.parametrize(
    ("date", "target", "deadline", "from_"),
    [("2015-07-01", "1.50", "T+2", "T+3"), ("2015-07-02", "1.40", "T+4", "T+5")],
)
def test_deadline_and_target_are_the_contracts_from_2_july_2015(
    date: str, target: str, deadline: str, from_: str
) -> None:
    call = on(date, "1.25", {"target": "1.40", "cure_by": 4, "liquidate_from": 5})[-1]
    assert call["event"] == "called"
    assert call["lines"]["target"] == target
    assert (call["deadline"], call["liquidate_from"]) == (deadline, from_)


@pytest.mark.parametrize(("date", "refused"), [("2015-07-01", True), ("2015-07-02", False)])
def test_until_july_2015_no_deadline_is_extended_beyond_two_trading_days(date: str, refused: bool) -> None:
    diary = Diary()
    diary.at(date, "09:00").session("pre_open")
    diary.price(BANK, "12.50")
    book = opening("0", {BANK: 100_000}, "1000000", preset="A")
    book["contracts"][0]["opened"] = date
    diary.book.event(book | {"ts": at(date, "09:20")})
    diary.at(date, "15:30").session("settled")
    diary.command("extend_deadline", days=1)
    before = list(diary.book.core.state_rows())
    if refused:
        with pytest.raises(BadRecord, match="days"):
            diary.command("extend_deadline", days=1)
        assert list(diary.book.core.state_rows()) == before
        diary.command("extend_deadline", account="*", days=1)
        assert list(diary.book.core.state_rows()) == before
    else:
        diary.command("extend_deadline", days=1)
        assert list(diary.book.core.state_rows()) != before


@pytest.mark.parametrize(("date", "counts"), [("2019-08-16", False), ("2019-08-19", True)])
def test_other_collateral_cures_from_19_august_2019_on(date: str, counts: bool) -> None:
    diary = Diary()
    diary.at(date, "09:00").session("pre_open")
    diary.price(BANK, "12.50")
    book = opening("0", {BANK: 100_000}, "1000000", preset="A")
    book["contracts"][0]["opened"] = date
    diary.book.event(book | {"ts": at(date, "09:20")})
    diary.at(date, "15:30").session("settled")
    if counts:
        diary.event("other_collateral", value="250000")
        diary.session("settled")
        assert diary.events()[-1] == "cured"
    else:
        with pytest.raises(BadRecord, match="other_collateral"):
            diary.event("other_collateral", value="250000")
        assert diary.events()[-1] == "called"


def test_a_call_tells_the_ratio_at_last_prices_beside_the_policy_in_force() -> None:
    diary = called("13.10", preset="A")
    excluded = {"security": BANK, "date": TUESDAY, "kind": "stock", "board": "main"}
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.book.reference("reference.securities", excluded | {"valuation": "manual", "fair_price": "12.00"})
    diary.at(TUESDAY, "15:30").session("settled")
    call = diary.book.alerts("margin.calls")[-1]
    assert (call["event"], call["ratio"], call["ratio_last_close"]) == ("called", "1.200000", "1.310000")
    assert call["evidence"]["positions"][0]["last"] == "13.10"
