"""Single events: what the contract allows is read, everything else is refused with its field and a reason."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import BadRecord, decode, decode_opening, encode
from schemas.account import EVENT_CLASSES, KINDS, Cash, Opening, OpeningContract, OpeningPosition
from schemas.events import CLASSES
from schemas.market import Quote, Trade
from tests.schemas import examples
from tests.schemas.event_strategies import of_class

ALL_CLASSES = [(topic, cls) for topic, classes in CLASSES.items() for cls in classes]


@pytest.mark.parametrize(("topic", "record"), examples.ALL)
def test_a_record_of_the_contract_is_read_and_written_back_with_the_same_meaning(
    topic: str, record: examples.Json
) -> None:
    event = decode(topic, orjson.dumps(record))
    assert decode(topic, encode(event)) == event
    given_fields = {name for name, value in record.items() if value is not None}
    assert given_fields <= orjson.loads(encode(event)).keys()


def test_every_public_topic_and_every_kind_has_an_example() -> None:
    assert {*examples.RECORDS, "account.events"} == set(CLASSES)
    assert tuple(examples.ACCOUNT_EVENTS) == KINDS == tuple(EVENT_CLASSES)


@pytest.mark.parametrize(("topic", "cls"), ALL_CLASSES)
@given(data=st.data())
@settings(max_examples=25)
def test_any_event_survives_json(topic: str, cls: type, data: st.DataObject) -> None:
    event = data.draw(of_class(cls))
    assert decode(topic, encode(event)) == event


def test_numbers_are_integers_inside() -> None:
    trade = decode("market.trades", b'{"security":"600519.SH","ts":1743991200000,"price":"1500.1","qty":1e2}')
    assert trade == Trade("600519.SH", 1_743_991_200_000, 1_500_100, 100)


def test_zeros_null_and_absence_of_a_last_price_are_all_allowed() -> None:
    for last in (b'"last":null,', b'"last":0,', b""):
        quote = decode("market.quotes", b'{"security":"600519.SH",' + last + b'"ts":1743991200000}')
        assert isinstance(quote, Quote)
        assert not quote.last


def test_an_opening_is_read_with_all_its_parts() -> None:
    opening = decode_opening(orjson.dumps(examples.ACCOUNT_EVENTS["opening"]))
    assert isinstance(opening, Opening)
    assert opening.cash == 100_000
    assert opening.positions[1] == OpeningPosition("000001.SZ", 7, 0)
    assert opening.contracts[0] == OpeningContract(
        "F1", "financing", "600519.SH", 19783, 1000, 10250, 10_250_000, 83_500, 8000, 20332, 12_345
    )
    assert opening.class_ == "individual"


def test_an_opening_of_thousands_of_positions_is_read() -> None:
    positions = [{"security": f"{i:06d}.SZ", "qty": i + 1, "sellable": i} for i in range(6000)]
    record = {**examples.ACCOUNT_EVENTS["opening"], "positions": positions}
    assert len(decode_opening(orjson.dumps(record)).positions) == 6000


def test_unknown_fields_are_ignored_however_deep() -> None:
    deep = b'{"x":' * 500 + b"1" + b"}" * 500
    value = b'{"security":"600519.SH","ts":1743991200000,"price":1,"qty":1,"v":1,"new":' + deep + b"}"
    assert decode("market.trades", value).price == 1000


@pytest.mark.parametrize(
    "value",
    [
        b"",
        None,
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"\xff\xfe",
        b"{'a':1}",
        b'{"a":NaN}',
        b"[" * 100_000,
        b"{}x",
    ],
)
def test_what_is_no_json_object_is_refused_as_a_whole(value: bytes | None) -> None:
    with pytest.raises(BadRecord) as caught:
        decode("market.trades", value)
    assert caught.value.field == ""
    assert caught.value.reason


@pytest.mark.parametrize("version", [0, 2, "1", 1.0, True, None, [1]])
def test_an_unknown_version_is_refused(version: Any) -> None:
    with pytest.raises(BadRecord) as caught:
        decode("market.trades", orjson.dumps({**examples.RECORDS["market.trades"], "v": version}))
    assert caught.value.field == "v"


MISSING = object()

BAD_TRADES: list[tuple[str, Any, str]] = [
    ("security", MISSING, "is missing"),
    ("security", None, "must not be null"),
    ("security", 600519, "must be a string"),
    ("security", "600519", "must be a security"),
    ("security", "600519.sh", "must be a security"),
    ("security", "600519.SH\n", "must be a security"),
    ("security", "60051٩.SH", "must be a security"),
    ("ts", 1_743_991_200, "is it in milliseconds"),
    ("ts", 1_743_991_200_000_000, "is it in milliseconds"),
    ("ts", "1743991200000", "must be an integer"),
    ("ts", True, "must be an integer"),
    ("ts", 1_743_991_200_000.5, "must be an integer"),
    ("price", 0, "must be positive"),
    ("price", -1, "must be positive"),
    ("price", "0.000", "must be positive"),
    ("price", 1.2345, "more than 3 decimals"),
    ("price", "1.2345", "more than 3 decimals"),
    ("price", 10_000_000.001, "above the upper bound"),
    ("price", 10**25, "above the upper bound|out of range"),
    ("price", True, "must be a number"),
    ("price", [1], "must be a number"),
    ("qty", 0, "must be positive"),
    ("qty", -5, "must be positive"),
    ("qty", 1.5, "must be an integer"),
    ("qty", "100", "must be an integer"),
    ("qty", False, "must be an integer"),
    ("qty", 10**11 + 1, "above the upper bound"),
    ("qty", 2**64 - 1, "above the upper bound"),
    ("side", "b", "must be one of"),
    ("side", ["B"], "must be one of"),
    ("seq", -1, "must not be negative"),
    ("seq", 2**63, "above the upper bound"),
]


def _with(record: examples.Json, field: str, value: Any) -> bytes:
    changed = {name: old for name, old in record.items() if name != field}
    return orjson.dumps(changed if value is MISSING else {**changed, field: value})


@pytest.mark.parametrize(("field", "value", "reason"), BAD_TRADES)
def test_a_bad_trade_is_refused_with_field_and_reason(field: str, value: Any, reason: str) -> None:
    raw = _with(examples.RECORDS["market.trades"], field, 10.0**25 if value == 10**25 else value)
    with pytest.raises(BadRecord, match=reason) as caught:
        decode("market.trades", raw)
    assert caught.value.field == field


BAD_OTHERS: list[tuple[str, examples.Json, str, Any, str]] = [
    ("market.quotes", examples.RECORDS["market.quotes"], "bid", [[10, 1], [10.0001, 1]], "bid[1][0]"),
    ("market.quotes", examples.RECORDS["market.quotes"], "ask", [[10]], "ask[0]"),
    ("market.quotes", examples.RECORDS["market.quotes"], "ask", {"10": 1}, "ask"),
    ("market.quotes", examples.RECORDS["market.quotes"], "halted", 1, "halted"),
    ("market.session", examples.RECORDS["market.session"], "date", "2025-02-30", "date"),
    ("market.session", examples.RECORDS["market.session"], "phase", "lunch", "phase"),
    ("market.session", examples.RECORDS["market.session"], "cut", {"x-1": -1}, "cut.x-1"),
    ("market.session", examples.RECORDS["market.session"], "cut", {"x": 1}, "cut"),
    ("reference.rules", examples.RECORDS["reference.rules"], "immediate", MISSING, "immediate"),
    ("reference.rules", examples.RECORDS["reference.rules"], "min", "1.41", "min"),
    ("reference.rules", examples.RECORDS["reference.rules"], "from", MISSING, "from"),
    ("reference.rules", examples.RECORDS["reference.rules"], "warn", "9.01", "warn"),
    ("reference.securities", examples.RECORDS["reference.securities"], "haircut", "1.01", "haircut"),
    ("reference.actions", examples.RECORDS["reference.actions"], "kind", "bonus", "shares_per_share"),
    ("reference.actions", examples.RECORDS["reference.actions"], "pay_date", "2025-04-06", "pay_date"),
    ("reference.notices", examples.RECORDS["reference.notices"], "business", "both", "business"),
    ("reference.custody", examples.RECORDS["reference.custody"], "positions", [{"security": "x"}],
    "positions[0].security"), ("account.orders", examples.RECORDS["account.orders"], "price", MISSING,
    "price"), ("commands", examples.RECORDS["commands"], "command", "set_preset", "preset"),
    ("commands", examples.RECORDS["commands"], "account", "a b", "account"),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "record", "field", "value", "path"), BAD_OTHERS)
def test_a_bad_record_of_any_topic_names_the_path_of_the_field(
    topic: str, record: examples.Json, field: str, value: Any, path: str
) -> None:
    with pytest.raises(BadRecord) as caught:
        decode(topic, _with(record, field, value))
    assert caught.value.field == path


TWICE = [{"security": "600519.SH", "qty": 1}] * 2
BAD_ACCOUNT_EVENTS: list[tuple[str, str, Any, str]] = [
    ("cash", "kind", "cahs", "kind"),
    ("cash", "kind", MISSING, "kind"),
    ("cash", "kind", ["cash"], "kind"),
    ("cash", "account", "a/b", "account"),
    ("cash", "account", "A" * 33, "account"),
    ("cash", "account", "{}A", "account"),
    ("cash", "account", "", "account"),
    ("cash", "id", "", "id"),
    ("cash", "id", "x" * 65, "id"),
    ("cash", "id", "a\x00", "id"),
    ("cash", "id", 7, "id"),
    ("cash", "amount", 1e11 + 1, "amount"),
    ("cash", "amount", "1.0001", "amount"),
    ("cash", "amount", MISSING, "amount"),
    ("cash", "reason", "gift", "reason"),
    ("cash", "reason", "collateral_in", "reason"),
    ("transfer", "qty", 0, "qty"),
    ("transfer", "reason", "deposit", "reason"),
    ("fill", "business", "buy", "business"),
    ("fill", "price", 0, "price"),
    ("fill", "price", -1.5, "price"),
    ("fill", "qty", -100, "qty"),
    ("fill", "fee", -1, "fee"),
    ("fill", "rate", "0.08351234", "rate"),
    ("fill", "due", "2025/10/07", "due"),
    ("repay", "amount", 0, "amount"),
    ("repay", "amount", "-5", "amount"),
    ("return", "qty", MISSING, "qty"),
    ("extend", "due", 20250101, "due"),
    ("extend", "contract", MISSING, "contract"),
    ("freeze", "security", "600519.SH", "cash"),
    ("freeze", "cash", MISSING, "security"),
    ("freeze", "cash", 0, "cash"),
    ("order_closed", "order", MISSING, "order"),
    ("other_collateral", "value", -1, "value"),
    ("opening", "positions", MISSING, "positions"),
    ("opening", "positions", {}, "positions"),
    ("opening", "positions", [7], "positions[0]"),
    ("opening", "positions", [{"security": "600519.SH", "qty": 1, "sellable": 2}], "positions[0].sellable"),
    ("opening", "positions", [{"security": "600519.SH", "qty": -1}], "positions[0].qty"),
    ("opening", "positions", TWICE, "positions"),
    ("opening", "contracts", [{"contract": "c"}], "contracts[0].type"),
    ("opening", "class", "bank", "class"),
    ("opening", "credit", {"total": 1}, "credit.financing"),
]


@pytest.mark.parametrize(("kind", "field", "value", "path"), BAD_ACCOUNT_EVENTS)
def test_a_bad_account_event_names_the_path_of_the_field(
    kind: str, field: str, value: Any, path: str
) -> None:
    with pytest.raises(BadRecord) as caught:
        decode("account.events", _with(examples.ACCOUNT_EVENTS[kind], field, value))
    assert caught.value.field == path


def test_settled_closes_the_books_of_all_markets_only() -> None:
    record = {**examples.RECORDS["market.session"], "phase": "settled", "market": "SH"}
    with pytest.raises(BadRecord) as caught:
        decode("market.session", orjson.dumps(record))
    assert caught.value.field == "market"


def test_a_contract_named_twice_makes_an_opening_ambiguous() -> None:
    opening = examples.ACCOUNT_EVENTS["opening"]
    with pytest.raises(BadRecord, match="F1 twice"):
        decode("account.events", _with(opening, "contracts", opening["contracts"] * 2))


def test_a_message_does_not_grow_with_the_record() -> None:
    with pytest.raises(BadRecord) as caught:
        decode("market.trades", _with(examples.RECORDS["market.trades"], "side", "x" * 100_000))
    assert len(caught.value.reason) < 200


def test_json_is_written_in_one_canonical_way() -> None:
    event = Cash("A1", examples.TS, "1", -12_500, "withdrawal")
    expected = (
        b'{"account":"A1","ts":1743991200000,"id":"1","kind":"cash","amount":"-12.50","reason":"withdrawal"}'
    )
    assert encode(event) == expected
