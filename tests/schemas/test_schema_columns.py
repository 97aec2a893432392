"""The quick ways of reading a field say exactly what its careful decoder says, one by one and in columns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.account import EVENT_CLASSES, NO_CODE, OpeningContract, OpeningPosition
from schemas.columns import StringPool, read_column
from schemas.errors import BadRecord
from schemas.fields import Choice, Codec, Level, Listed, Text
from schemas.market import Quote, Trade
from schemas.quick import quick_decoder
from schemas.records import FieldSpec, Nested, spec_of
from tests.schemas.event_strategies import of_codec
from tests.schemas.test_schema_batches import ODD_VALUES

CLASSES = [*EVENT_CLASSES.values(), OpeningContract, OpeningPosition, Quote, Trade]
FIELDS: dict[Codec, FieldSpec] = {field.codec: field for cls in CLASSES for field in spec_of(cls).fields}
FLAT = [field for codec, field in FIELDS.items() if not isinstance(codec, Listed | Nested | Level)]

NUMBERS = st.one_of(
    st.integers(-(10**12), 10**15).map(lambda milli: milli / 1000),
    st.integers(-(10**13), 10**13).map(lambda tenth: tenth / 10_000),
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(-(10**11), 10**11, places=4).map(str),
    st.decimals(-(10**3), 10**3, places=3).map(str),
    st.from_regex(r"[0-9+\-.eE_ ]{0,8}", fullmatch=True),
)


def _values_of(field: FieldSpec) -> st.SearchStrategy[Any]:
    codec = field.codec
    return ODD_VALUES | NUMBERS | of_codec(codec).map(codec.encode)


def _carefully(codec: Codec, value: Any) -> tuple[bool, Any]:
    try:
        return True, codec.decode(value)
    except BadRecord:
        return False, None


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: f"{field.name}")
@given(data=st.data())
@settings(max_examples=50)
def test_a_quick_decoder_answers_as_the_careful_one(field: FieldSpec, data: st.DataObject) -> None:
    value = data.draw(_values_of(field))
    quick = quick_decoder(field.codec)
    good, expected = _carefully(field.codec, value)
    if good:
        answer = quick(value)
        assert (type(answer), answer) == (type(expected), expected)
    else:
        with pytest.raises(BadRecord):
            quick(value)


def test_an_absent_integer_beside_one_beyond_64_bits_stays_absent() -> None:
    seq = next(field for field in FLAT if field.name == "seq")
    column = read_column(seq, [None, 2**63], StringPool())
    assert column.values[0] == -1
    assert column.good is not None
    assert column.good.tolist() == [True, False]


@pytest.mark.parametrize("field", FLAT, ids=lambda field: f"{field.name}")
@given(data=st.data())
@settings(max_examples=50)
def test_a_column_holds_what_the_careful_decoder_says_of_each_value(
    field: FieldSpec, data: st.DataObject
) -> None:
    codec = field.codec
    alike = st.lists(of_codec(codec).map(codec.encode), max_size=4)
    values = data.draw(alike) + data.draw(st.lists(_values_of(field), max_size=4))
    pool = StringPool()
    column = read_column(field, values, pool)
    strings = [*pool.strings(), None]
    for i, value in enumerate(values):
        good, expected = (not field.required, None) if value is None else _carefully(codec, value)
        assert (column.good is None or bool(column.good[i])) == good
        if not good:
            continue
        if isinstance(codec, Text):
            assert strings[column.values[i]] == expected
        elif isinstance(codec, Choice):
            assert column.values[i] == (NO_CODE if expected is None else codec.options.index(expected))
        else:
            assert column.values[i] == (-1 if expected is None else expected)
