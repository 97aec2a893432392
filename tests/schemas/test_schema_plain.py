"""Plain JSON: what the kernel reads, the careful decoder reads as well; everything else it leaves alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import batch_decoding, encode
from schemas.account import Fill, Repay
from schemas.account_decoding import decode_account_events
from schemas.batch_decoding import decode_quotes, decode_trades
from schemas.market import Quote, Trade
from schemas.plain import read_plain
from tests.schemas.event_strategies import of_class

TRADE = b'{"security":"600519.SH","ts":1743991200000,"price":1500.5,"qty":100}'

NUMBERS = [
    "0",
    "00",
    "7",
    "07",
    "-0",
    "-1",
    "100",
    "100.0",
    "1e2",
    "9.87",
    "9.870",
    "9.8701",
    ".5",
    "5.",
    "1.2.3",
]
NUMBERS += ["10000000", "10000000.001", "123456789012345", "1234567890123456", "9223372036854775808", "+1"]
VALUES = st.sampled_from(
    [
        *NUMBERS,
        *(f'"{number}"' for number in NUMBERS),
        *(
            "null",
            "nul",
            "true",
            "false",
            "falsy",
            '""',
            '"B"',
            '"N"',
            '"BN"',
            '"600519.SH"',
            '"60051\\u0039.SH"',
        ),
        *(
            '"茅台"',
            '"a\tb"',
            "{}",
            "[]",
            "[[]]",
            "[[1,2]]",
            '[[1.5,2],["3",4]]',
            "[[1,2],]",
            "[[1 , 2 ]  ]",
            "[1,2]",
        ),
        *("[[1,2]", "[[1.2345,2]]", "[[1,2.0]]", "[[1,2,3]]", "1743991200000", '"x', ""),
    ]
)
KEYS = st.sampled_from(
    [
        "v",
        "security",
        "ts",
        "price",
        "qty",
        "side",
        "seq",
        "last",
        "bid",
        "ask",
        "halted",
        "kind",
        "account",
        "id",
        "business",
        "fee",
        "rate",
        "due",
        "x",
    ]
)
BLANKS = st.sampled_from(["", "", "", " ", "\t\r\n", "\x0b"])


@st.composite
def written(draw: st.DrawFn, event: type) -> bytes:
    """An object as a careless writer may put it down: fields of an event, some replaced, repeated or odd."""
    given = orjson.loads(encode(draw(of_class(event))))
    items = [(name, orjson.dumps(value).decode()) for name, value in given.items()]
    items += draw(st.lists(st.tuples(KEYS, VALUES), max_size=1))
    for name, value in draw(st.lists(st.tuples(KEYS, VALUES), max_size=1)):
        items = [(key, value if key == name else old) for key, old in items]
    blank = draw(BLANKS)
    body = ",".join(f'{blank}"{key}"{blank}:{blank}{value}' for key, value in draw(st.permutations(items)))
    return f"{blank}{{{body}}}{draw(BLANKS)}{draw(st.sampled_from(['', '', '', ',', '}', '{}']))}".encode()


def _both_ways(decode: Any, values: list[bytes]) -> tuple[Any, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_decoding, "WORTH_SCANNING", 0)
        quick = decode(values)
        patch.setattr(batch_decoding, "WORTH_SCANNING", len(values) + 1)
        return quick, decode(values)


def _same(quick: Any, careful: Any) -> None:
    assert quick.batch == careful.batch
    assert quick.record.tolist() == careful.record.tolist()
    told = [[(index, bad.field, bad.reason) for index, bad in found.bad] for found in (quick, careful)]
    assert told[0] == told[1]


@settings(max_examples=60)
@given(st.lists(written(Trade), max_size=6))
def test_trades_are_read_the_same_in_both_ways(values: list[bytes]) -> None:
    _same(*_both_ways(decode_trades, values))


@settings(max_examples=60)
@given(st.lists(written(Quote), max_size=6))
def test_quotes_are_read_the_same_in_both_ways(values: list[bytes]) -> None:
    _same(*_both_ways(decode_quotes, values))


@settings(max_examples=40)
@given(st.lists(written(Fill) | written(Repay), max_size=5))
def test_account_events_are_read_the_same_in_both_ways(values: list[bytes]) -> None:
    _same(*_both_ways(decode_account_events, values))


@given(st.integers(1, 10**10), st.integers(0, 2**63 - 1))
def test_every_price_with_three_decimals_is_read_from_number_and_string_as_the_careful_decoder_does(
    price: int, seq: int
) -> None:
    shown = f"{price // 1000}.{price % 1000:03d}"
    forms = [shown, f'"{shown}"', str(price // 1000 or 1), repr(float(shown))]
    values = [
        TRADE.replace(b"1500.5", form.encode()).replace(b'"qty":100', b'"qty":100,"seq":%d' % seq)
        for form in forms
    ]
    _same(*_both_ways(decode_trades, values))


def test_the_usual_forms_never_need_the_careful_decoder() -> None:
    trade = Trade("600519.SH", 1_743_991_200_000, 1_500_500, 100, "B", 7)
    spaced = b' { "security" : "600519.SH", "ts": 1743991200000, "price": "1500.50", "qty": 100, "v": 1 }\n'
    assert read_plain(Trade, [TRADE, encode(trade), spaced]).good.tolist() == [True, True, True]
    quote = Quote(
        "000001.SZ", 1_743_991_200_000, 10_000, bid=((9_990, 100), (9_980, 7)), ask=(), halted=False
    )
    found = read_plain(Quote, [encode(quote), b'{"security":"000001.SZ","ts":1743991200000,"last":null}'])
    assert found.good.tolist() == [True, True]
    assert [found.columns[name][0] for name in ("bid_price", "bid_qty", "ask_price", "halted")] == [
        9_990,
        100,
        0,
        0,
    ]


def test_fills_need_the_careful_decoder_only_for_what_few_of_them_name() -> None:
    usual = Fill(
        "{G7}A1", 1_743_991_200_000, "f 1", "financing_buy", "600519.SH", 100, 1_500_500, 5, "o", "c"
    )
    rare = Fill("A2", 1_743_991_200_000, "f2", "short_sell", "600519.SH", 100, 1_500_500, rate=83_500)
    other = Repay("A1", 1_743_991_200_000, "r", 10)
    values = [encode(usual), encode(rare), encode(other), encode(usual).replace(b'"f 1"', b'"\xe6\x88\x90"')]
    assert read_plain(Fill, values).good.tolist() == [True, False, False, False]
    quick, careful = _both_ways(decode_account_events, values)
    _same(quick, careful)
    assert quick.record.tolist() == [0, 1, 2, 3]


def test_names_longer_than_allowed_are_not_plain() -> None:
    fill = Fill("A1", 1_743_991_200_000, "f", "collateral_buy", "600519.SH", 100, 1_500_500)
    values = [encode(fill).replace(b'"f"', b'"%s"' % (b"f" * length)) for length in (64, 65)]
    assert read_plain(Fill, values).good.tolist() == [True, False]


def test_what_is_not_plain_keeps_its_place_among_the_others() -> None:
    odd = TRADE.replace(b"100}", b'1e2,"note":"x"}')
    quick, careful = _both_ways(decode_trades, [odd, TRADE, b"{", odd, TRADE])
    _same(quick, careful)
    assert quick.record.tolist() == [0, 1, 3, 4]
    assert np.array_equal(quick.batch.qty, [100] * 4)


def test_records_without_a_byte_are_refused_and_not_looked_into() -> None:
    quick, careful = _both_ways(decode_trades, [b"", b""])
    _same(quick, careful)
    assert len(quick.bad) == 2
