"""Days: what session records do to prices, T+1, interest, deadlines and public records."""

from __future__ import annotations

from decimal import Decimal

from tests.margin.books import BANK, CHIPS, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Diary, at, opening
from tests.worked_examples.records import PRESET


def under_the_minimum(preset: str = "A") -> Diary:
    """An account at 1.25 on Monday: 100,000 shares at 12.50 against 1,000,000."""
    diary = Diary()
    diary.session("pre_open")
    diary.at(MONDAY, "10:00").price(BANK, "12.50")
    diary.book.event(opening("0", {BANK: 100_000}, "1000000", preset=preset))
    return diary


def test_the_first_evaluation_warns_and_settled_calls() -> None:
    diary = under_the_minimum()
    assert diary.events() == ["below_min"]
    diary.session("settled")
    assert diary.events() == ["below_min", "called"]
    called = diary.book.alerts("margin.calls")[-1]
    assert called["id"] == "A1:2025-04-07:1:2"
    assert called["shortfall"] == "250000.00"
    assert called["deadline"] == "T+1"
    assert called["liquidate_from"] == "T+2"
    assert "deadline_date" not in called


def test_the_deadlines_date_is_named_once_that_trading_day_has_begun() -> None:
    diary = under_the_minimum()
    diary.session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    said = diary.event("cash", amount="1000", reason="deposit")
    partly = next(record for record in said if record.get("event") == "partly_met")
    assert partly["deadline_date"] == TUESDAY


def test_a_fen_less_than_the_shortfall_does_not_cure_and_the_exact_sum_does() -> None:
    for amount, event in (("249999.99", "expired"), ("250000.00", "cured")):
        diary = under_the_minimum()
        diary.session("settled")
        diary.at(TUESDAY, "09:00").session("pre_open")
        diary.event("cash", amount=amount, reason="deposit")
        diary.session("settled")
        assert diary.events()[-1] == event


def test_cured_at_the_target_the_account_is_left_alone_until_it_falls_again() -> None:
    diary = under_the_minimum()
    diary.session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.event("cash", amount="250000", reason="deposit")
    diary.session("settled")
    diary.session("clock")
    assert diary.events()[-1] == "cured"
    assert diary.account()["level"] == "warn"
    assert diary.account()["episode"] is None


def test_a_second_settled_says_only_what_changed() -> None:
    diary = under_the_minimum()
    diary.session("settled")
    again = diary.session("settled")
    assert [record for record in again if "account" in record] == []
    diary.event("cash", amount="100", reason="deposit")
    changed = [record for record in diary.session("settled") if "settled" in record]
    assert [(record["settled"], record["flags"]) for record in changed] == [(True, ["late"])]


def test_an_event_for_a_settled_day_applies_on_arrival_and_is_flagged_late() -> None:
    diary = under_the_minimum()
    diary.session("settled")
    said = diary.event("cash", amount="100", reason="deposit")
    assert [record["flags"] for record in said if record.get("event") == "partly_met"] == [["late"]]
    diary.at(TUESDAY, "09:00").session("pre_open")
    said = diary.event("cash", amount="100", reason="deposit")
    assert "flags" not in next(record for record in said if record.get("event") == "partly_met")


def test_a_day_nobody_settled_is_evaluated_when_the_next_begins() -> None:
    diary = under_the_minimum()
    said = diary.at(TUESDAY, "09:00").session("pre_open")
    assert diary.events(said) == ["called"]
    event = next(record for record in said if record.get("kind") == "day_without_settled")
    assert event["date"] == MONDAY
    called = next(record for record in said if record.get("event") == "called")
    assert called["date"] == MONDAY


def test_a_session_record_of_a_day_that_is_over_changes_nothing() -> None:
    diary = under_the_minimum()
    diary.at(TUESDAY, "09:00").session("pre_open")
    before = list(diary.book.core.state_rows())
    assert diary.at(MONDAY, "16:00").session("settled") == []
    assert list(diary.book.core.state_rows()) == before


def test_any_first_phase_begins_a_trading_day() -> None:
    diary = under_the_minimum()
    diary.session("settled")
    diary.at(TUESDAY, "09:30").session("continuous")
    diary.session("settled")
    assert diary.events() == ["below_min", "called", "expired"]


def test_a_clock_that_ticks_on_a_holiday_is_no_trading_day() -> None:
    diary = under_the_minimum()
    diary.session("settled")
    before = list(diary.book.core.state_rows())
    assert diary.at(TUESDAY, "10:00").session("clock") == []
    assert list(diary.book.core.state_rows()) == before
    diary.at(WEDNESDAY, "09:00").session("pre_open")
    assert diary.events() == ["below_min", "called"]


def test_every_account_with_a_record_is_published_again_at_settled() -> None:
    diary = under_the_minimum()
    diary.event("cash", amount="1000000", reason="deposit")
    diary.event("repay", amount="1000000")
    record = next(record for record in diary.session("settled") if record.get("settled"))
    assert record["level"] == "no_debt"
    assert record["ratio"] is None


def test_shares_bought_today_are_sellable_from_the_next_pre_open() -> None:
    diary = Diary()
    diary.session("pre_open")
    diary.book.event(opening("1000000", {BANK: 1_000}))
    diary.fill("collateral_buy", BANK, 500, "8")
    rows = diary.book.core.desk.books.positions.rows
    assert rows.used("locked").tolist()[:1] == [500]
    diary.at(TUESDAY, "09:00").session("pre_open")
    assert rows.used("locked").tolist()[:1] == [0]


def test_sellable_of_an_opening_holds_for_its_own_date_even_before_pre_open() -> None:
    diary = Diary()
    book = opening("0", {BANK: 1_000})
    book["positions"][0]["sellable"] = 400
    diary.book.event(book)
    rows = diary.book.core.desk.books.positions.rows
    diary.at(MONDAY, "09:25").session("pre_open")
    assert rows.used("locked").tolist()[:1] == [600]
    diary.at(TUESDAY, "09:25").session("pre_open")
    assert rows.used("locked").tolist()[:1] == [0]


def test_without_a_trade_today_the_previous_close_counts_and_an_older_price_never_comes_back() -> None:
    diary = under_the_minimum()
    diary.session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    assert diary.account()["assets"] == "1250000.00"
    reference = {"security": BANK, "date": TUESDAY, "kind": "stock", "board": "main", "prev_close": "12.40"}
    diary.book.reference("reference.securities", reference)
    assert diary.account()["assets"] == "1240000.00"
    diary.book.price(BANK, "12.60", at(TUESDAY, "09:31"))
    diary.book.price(BANK, "11.00", at(TUESDAY, "09:30"))
    diary.book.price(BANK, "11.00", at(MONDAY, "14:59"))
    assert diary.account()["assets"] == "1260000.00"


def test_reference_data_of_tomorrow_waits_for_tomorrow() -> None:
    diary = under_the_minimum()
    reference = {"security": BANK, "date": TUESDAY, "kind": "stock", "board": "main", "prev_close": "9.99"}
    diary.book.reference("reference.securities", reference | {"valuation": "exclude"})
    assert diary.account()["assets"] == "1250000.00"
    diary.at(TUESDAY, "09:00").session("pre_open")
    assert diary.account()["assets"] == "0.00"
    assert diary.account()["ratio_last_close"] == "0.999000"


def test_an_episode_is_numbered_within_its_day() -> None:
    diary = under_the_minimum("D")
    diary.price(BANK, "16.00")
    diary.price(BANK, "14.00")
    steps = [(call["episode"], call["event"]) for call in diary.book.alerts("margin.calls")]
    assert steps == [
        ("A1:2025-04-07:1", "below_min"),
        ("A1:2025-04-07:1", "recovered"),
        ("A1:2025-04-07:2", "warned"),
    ]


def milli(text: str) -> int:
    return int(Decimal(text) * 1000)


def test_evidence_alone_gives_the_ratio_again() -> None:
    diary = under_the_minimum()
    lent = {
        "contract": "L",
        "type": "lending",
        "security": CHIPS,
        "opened": "2025-03-01",
        "qty": 100,
        "price": "50",
    }
    book = opening("5000", {BANK: 90_000}, "900000", id="again")
    diary.price(CHIPS, "55.55")
    diary.book.event(book | {"contracts": [*book["contracts"], lent | {"rate": "0.1"}]})
    diary.session("settled")
    call = diary.book.alerts("margin.calls")[-1]
    shown = call["evidence"]
    assets = (
        milli(shown["cash"])
        + milli(shown["other_collateral"])
        + sum(milli(p["value"]) for p in shown["positions"])
    )
    debt = milli(shown["interest"])
    for contract in shown["contracts"]:
        lending = contract["type"] == "lending"
        debt += contract["qty"] * milli(contract["price"]) if lending else milli(contract["principal"])
    assert (assets, debt) == (milli(call["assets"]), milli(call["debt"]))
    assert f"{assets / debt:.6f}" == call["ratio"]


def test_deadlines_count_trading_days_not_calendar_days() -> None:
    diary = under_the_minimum("B")
    diary.session("settled")
    for day in (WEDNESDAY, THURSDAY):
        diary.at(day, "09:00").session("pre_open")
        diary.session("settled")
    assert diary.events() == ["below_min", "called", "expired"]


def test_an_opening_that_names_another_preset_leaves_an_open_calls_deadline() -> None:
    diary = under_the_minimum("B")
    diary.session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    again = {"ts": at(TUESDAY, "09:20"), "id": "opening again", "preset": "A"}
    diary.book.event(opening("0", {BANK: 100_000}, "1000000") | again)
    diary.session("settled")
    assert "expired" not in diary.events()
    diary.at(WEDNESDAY, "09:00").session("pre_open")
    diary.session("settled")
    expired = diary.book.alerts("margin.calls")[-1]
    told = expired["event"], expired["preset"], expired["deadline"], expired["liquidate_from"]
    assert told == ("expired", "A", "T+2", "T+3")


def test_a_book_told_again_partly_meets_a_call_only_if_it_is_worth_more() -> None:
    diary = under_the_minimum()
    diary.session("settled")
    for cash, events in (("0", []), ("-1", []), ("0", ["partly_met"])):
        again = {"ts": diary.ts + 1000, "id": f"opening {diary.ts}"}
        said = diary.book.event(opening(cash, {BANK: 100_000}, "1000000") | again)
        diary.ts += 2000
        assert diary.events(said) == events


def test_a_presets_new_version_counts_for_calls_to_come() -> None:
    diary = under_the_minimum("B")
    diary.session("settled")
    sooner = dict(PRESET) | {"preset": "B", "from": TUESDAY}
    diary.book.reference("reference.rules", sooner)
    for day in (TUESDAY, WEDNESDAY):
        assert "expired" not in diary.events()
        diary.at(day, "09:00").session("pre_open")
        diary.session("settled")
    assert diary.book.alerts("margin.calls")[-1]["deadline"] == "T+2"


def test_a_deadline_on_the_day_of_the_call_expires_with_it_and_is_liquidated_the_next_day() -> None:
    diary = Diary()
    diary.session("pre_open")
    diary.book.reference("reference.rules", dict(PRESET) | {"cure_by": 0, "liquidate_from": 1})
    diary.at(MONDAY, "10:00").price(BANK, "12.50")
    diary.book.event(opening("0", {BANK: 100_000}, "1000000", preset="X"))
    diary.session("settled")
    assert diary.events() == ["below_min", "called", "expired"]
    diary.session("settled")
    diary.at(TUESDAY, "09:00").session("pre_open")
    diary.at(TUESDAY, "09:30").session("continuous")
    assert diary.events() == ["below_min", "called", "expired", "liquidating"]


def test_marks_do_not_depend_on_how_quotes_were_conflated() -> None:
    first = {
        "security": BANK,
        "ts": at(MONDAY, "09:20"),
        "prev_close": "11.00",
        "limit_down": "9.90",
        "bid": [],
    }
    second = {"security": BANK, "ts": at(MONDAY, "09:21")}
    rows = []
    for quotes in ([first, second], [second], [second, first]):
        diary = Diary()
        diary.session("pre_open")
        for quote in quotes:
            diary.book.quote(quote)
        rows.append([row for row in diary.book.core.state_rows() if row[0] == "security"])
    assert rows[0] == rows[1] == rows[2]


def test_a_price_that_comes_before_its_day_has_begun_waits_for_it_and_blinds_nobody() -> None:
    """Live, a trade of Tuesday may be read before Tuesday's first session record."""
    diary = under_the_minimum()
    diary.session("settled")
    diary.at(TUESDAY, "09:31").price(BANK, "12.60")
    partly = diary.event("cash", amount="1000", reason="deposit")
    assert diary.events(partly) == ["partly_met"]
    assert [record["evidence"]["positions"][0]["price"] for record in partly if "step" in record] == ["12.50"]
    diary.session("pre_open")
    assert diary.account()["assets"] == "1261000.00"


def test_a_price_dated_far_ahead_never_stands_in_for_the_days_before_it() -> None:
    diary = under_the_minimum()
    diary.at("2030-01-02", "10:00").price(BANK, "99")
    diary.at(TUESDAY, "09:00").price(BANK, "12.60")
    diary.session("pre_open")
    assert diary.account()["assets"] == "1260000.00"
    diary.at(TUESDAY, "10:00").price(BANK, "12.70")
    assert diary.account()["assets"] == "1270000.00"
