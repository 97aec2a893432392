"""An event that contradicts the books is refused whole: named field, old state untouched."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import BadRecord
from tests.margin.books import BANK, CHIPS, Diary, at, opening

LENT = {
    "contract": "L",
    "type": "lending",
    "security": CHIPS,
    "opened": "2025-04-01",
    "qty": 500,
    "price": "50",
}


def opened() -> Diary:
    diary = Diary()
    for security, price in ((BANK, "8.00"), (CHIPS, "50.00")):
        diary.book.price(security, price, at("2025-04-07", "09:31"))
    book = opening("20000", {BANK: 10_000}, "50000")
    diary.book.event(book | {"contracts": [*book["contracts"], LENT | {"rate": "0"}]})
    return diary


def state(diary: Diary) -> list[Any]:
    return list(diary.book.core.state_rows())


@pytest.mark.parametrize(
    ("field", "kind", "fields"),
    [
        ("account", "cash", {"account": "NOBODY", "amount": "1", "reason": "deposit"}),
        ("amount", "repay", {"amount": "50000.01"}),
        ("contract", "repay", {"amount": "1", "contract": "G"}),
        ("amount", "repay", {"amount": "1", "contract": "L"}),
        ("qty", "return", {"security": BANK, "qty": 1}),
        ("contract", "extend", {"contract": "G", "due": "2025-10-01"}),
        ("account", "close", {}),
        ("qty", "transfer", {"security": BANK, "qty": -10_001, "reason": "collateral_out"}),
        ("qty", "transfer", {"security": CHIPS, "qty": -1, "reason": "collateral_out"}),
        ("qty", "freeze", {"security": BANK, "qty": 10_001}),
        ("qty", "freeze", {"security": BANK, "qty": -1}),
        ("cash", "freeze", {"cash": "-0.01"}),
        ("amount", "cash", {"amount": "99999999999", "reason": "deposit"}),
        ("qty", "transfer", {"security": BANK, "qty": 99_999_999_999, "reason": "collateral_in"}),
        ("value", "other_collateral", {"value": "100000000000"}),
        ("preset", "opening", {"cash": "0", "positions": [], "contracts": [], "preset": "nobody's"}),
    ],
)
def test_a_contradiction_is_refused_whole(field: str, kind: str, fields: dict[str, Any]) -> None:
    diary = opened()
    before = state(diary)
    with pytest.raises(BadRecord) as refused:
        diary.event(kind, **fields)
    assert refused.value.field == field
    assert refused.value.reason
    assert state(diary) == before


@pytest.mark.parametrize(
    ("field", "business", "security", "qty", "price", "more"),
    [
        ("qty", "collateral_sell", BANK, 10_001, "8", {}),
        ("qty", "sell_to_repay", CHIPS, 1, "50", {}),
        ("contract", "sell_to_repay", BANK, 1, "8", {"contract": "G"}),
        ("qty", "buy_to_return", CHIPS, 501, "50", {}),
        ("qty", "buy_to_return", BANK, 1, "8", {"contract": "F"}),
        ("contract", "financing_buy", CHIPS, 1, "50", {"contract": "F"}),
        ("contract", "short_sell", BANK, 1, "8", {"contract": "F"}),
        ("qty", "collateral_buy", BANK, 100_000_000_000, "10000000", {}),
        ("qty", "financing_buy", BANK, 99_000_000_000, "1", {}),
        ("qty", "short_sell", CHIPS, 2_000_000_000, "1", {}),
    ],
)
def test_a_fill_that_cannot_have_been_is_refused_whole(
    field: str, business: str, security: str, qty: int, price: str, more: dict[str, Any]
) -> None:
    diary = opened()
    before = state(diary)
    with pytest.raises(BadRecord) as refused:
        diary.fill(business, security, qty, price, **more)
    assert refused.value.field == field
    assert state(diary) == before


def test_frozen_shares_cannot_be_sold_or_moved_out_and_count_in_the_ratio() -> None:
    diary = opened()
    ratio = diary.account()["ratio"]
    diary.event("freeze", security=BANK, qty=4_000)
    assert diary.account()["ratio"] == ratio
    with pytest.raises(BadRecord, match="not frozen"):
        diary.fill("collateral_sell", BANK, 6_001, "8")
    diary.fill("collateral_sell", BANK, 6_000, "8")


def test_frozen_cash_cannot_be_withdrawn_but_pays_what_is_owed() -> None:
    diary = opened()
    diary.event("freeze", cash="15000")
    with pytest.raises(BadRecord) as refused:
        diary.event("cash", amount="-5000.01", reason="withdrawal")
    assert refused.value.field == "amount"
    diary.event("cash", amount="-5000", reason="withdrawal")
    diary.event("cash", amount="-1", reason="fee")
    diary.event("repay", amount="1000")
    assert diary.account()["evidence"]["cash"] == "13999.00"


def test_the_same_id_again_changes_nothing_and_other_content_is_refused() -> None:
    diary = opened()
    deposit = {
        "account": "A1",
        "ts": at("2025-04-07", "10:00"),
        "id": "d1",
        "kind": "cash",
        "reason": "deposit",
    }
    diary.book.event(deposit | {"amount": "100"})
    before = state(diary)
    assert diary.book.event(deposit | {"amount": "100.00"}) == []
    with pytest.raises(BadRecord) as refused:
        diary.book.event(deposit | {"amount": "101"})
    assert refused.value.field == "id"
    assert state(diary) == before


def test_ids_are_remembered_in_the_current_and_the_previous_trading_day() -> None:
    diary = opened()
    deposit = {
        "account": "A1",
        "ts": at("2025-04-07", "10:00"),
        "id": "d1",
        "kind": "cash",
        "reason": "deposit",
    }
    diary.session("pre_open")
    diary.book.event(deposit | {"amount": "100"})
    for day, applied in (("2025-04-08", "20100.00"), ("2025-04-09", "20200.00")):
        diary.at(day, "09:00").session("pre_open")
        diary.book.event(deposit | {"amount": "100"})
        assert diary.account()["evidence"]["cash"] == applied


def test_an_id_used_before_the_first_session_of_its_day_is_remembered_as_long() -> None:
    diary = Diary().at("2025-04-07", "08:50")
    diary.book.event(opening("1000"))
    deposit = {"account": "A1", "ts": diary.ts, "id": "d1", "kind": "cash", "reason": "deposit"}
    diary.book.event(deposit | {"amount": "100"})
    for day in ("2025-04-07", "2025-04-08"):
        diary.at(day, "09:00").session("pre_open")
        diary.book.event(deposit | {"amount": "100"})
        assert diary.account()["evidence"]["cash"] == "1100.00"


def test_a_request_made_before_the_first_session_of_its_day_keeps_its_decision_as_long() -> None:
    diary = Diary().at("2025-04-07", "08:50")
    diary.book.event(opening("1000"))
    request = {"account": "A1", "ts": diary.ts, "id": "o1", "business": "withdraw_cash", "amount": "100"}
    decision = diary.book.order(request | {"order_type": "limit"})
    for day in ("2025-04-07", "2025-04-08"):
        diary.at(day, "09:00").session("pre_open")
        assert diary.book.order(request | {"order_type": "limit"}) == decision


def test_a_refused_event_may_be_sent_again_with_its_id() -> None:
    diary = opened()
    repay = {"account": "A1", "ts": at("2025-04-07", "10:00"), "id": "r1", "kind": "repay"}
    with pytest.raises(BadRecord):
        diary.book.event(repay | {"amount": "50001"})
    diary.book.event(repay | {"amount": "50000"})
    assert diary.account()["debt"] == "25000.00"


@pytest.mark.parametrize("accrued", ["0", "5"])
def test_a_financing_contract_of_which_no_money_is_owed_is_none(accrued: str) -> None:
    owes = {"contract": "F", "type": "financing", "security": BANK, "opened": "2025-04-01", "qty": 100}
    diary = Diary()
    for again in (False, True):
        paid = owes | {"price": "1", "principal": "0", "accrued": accrued}
        book = opening("1000", {BANK: 100}) | {"contracts": [paid], "id": f"opening {again}"}
        diary.book.event(book)
        if accrued != "0":
            diary.event("repay", amount=accrued)
    assert diary.account()["evidence"]["contracts"] == []
    diary.event("close")


def test_a_closed_account_takes_nothing_until_it_is_opened_again() -> None:
    diary = Diary()
    diary.book.event(opening("100"))
    diary.event("close")
    with pytest.raises(BadRecord) as refused:
        diary.event("cash", amount="1", reason="deposit")
    assert refused.value.field == "account"
    diary.event("opening", cash="7", positions=[], contracts=[])
    assert diary.account()["assets"] == "7.00"


def test_an_account_beyond_the_bounds_through_prices_is_flagged_and_not_judged() -> None:
    diary = Diary()
    diary.book.event(opening("0", {BANK: 90_000_000_000}, "1000000"))
    diary.price(BANK, "1.00")
    assert diary.account()["level"] == "normal"
    diary.price(BANK, "9999999")
    assert diary.account()["level"] == "unpriced"
    assert diary.account()["flags"] == ["bounds"]
    diary.price(BANK, "0.01")
    assert diary.account()["assets"] == "900000000.00"
    assert diary.account()["level"] == "normal"


def test_a_security_never_heard_of_is_unpriced_until_a_price_comes() -> None:
    diary = Diary()
    diary.book.event(opening("0", {"600999.SH": 100}, "1000"))
    assert diary.account()["level"] == "unpriced"
    assert diary.account()["unpriced"] == ["600999.SH"]
    diary.session("settled")
    assert diary.events() == []
    diary.price("600999.SH", "13.00")
    assert diary.account()["level"] == "warn"
