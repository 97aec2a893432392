"""Hypothesis strategies read from the event classes themselves: whatever a field type allows."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from schemas import fields
from schemas.account import EVENT_CLASSES
from schemas.errors import BadRecord
from schemas.records import Nested, spec_of
from schemas.units import TS_MAX, TS_MIN

CODES = st.sampled_from(["600519.SH", "000001.SZ", "430047.BJ", "510300.SH", "A00001.SZ"])
ACCOUNTS = st.from_regex(fields.ACCOUNT.pattern or "", fullmatch=True)
PRINTABLE = st.text(string.ascii_letters + string.digits + " :-_{}/茅台é", min_size=1, max_size=64)


def of_codec(codec: fields.Codec) -> st.SearchStrategy[Any]:
    """Inner values of a field type."""
    if codec is fields.SECURITY:
        return CODES
    if isinstance(codec, fields.Text):
        if codec.pattern is not None:
            return st.from_regex(codec.pattern, fullmatch=True).filter(codec.fits)
        return PRINTABLE if type(codec) is fields.Text else st.just("*") | ACCOUNTS
    if isinstance(codec, fields.Scaled | fields.Whole):
        numbers = st.integers(codec.minimum, codec.maximum)
        return numbers.filter(bool) if codec.nonzero else numbers
    simple: dict[type, st.SearchStrategy[Any]] = {
        fields.Timestamp: st.integers(TS_MIN, TS_MAX - 1),
        fields.Flag: st.booleans(),
        fields.Date: st.integers(7305, 60000),
        fields.Level: st.tuples(st.integers(0, 10**10), st.integers(0, 10**11)),
        fields.Offsets: st.dictionaries(
            st.sampled_from(["market.trades-0", "p.x-12"]), st.integers(0, 2**63 - 1)
        ),
        fields.Free: st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    }
    if isinstance(codec, fields.Choice):
        return st.sampled_from(codec.options)
    if isinstance(codec, fields.Listed):
        return st.lists(of_codec(codec.item), max_size=4).map(tuple)
    if isinstance(codec, Nested):
        return of_class(codec.cls)
    return simple[type(codec)]


def of_class(cls: type) -> st.SearchStrategy[Any]:
    """Events of a class that satisfy its own conditions."""
    parts = {}
    for field in spec_of(cls).fields:
        values = of_codec(field.codec)
        parts[field.name] = st.none() | values if field.nullable else values
    return st.builds(cls, **parts).filter(_consistent)


def _consistent(event: Any) -> bool:
    check = getattr(event, "check", None)
    try:
        if check is not None:
            check()
    except BadRecord:
        return False
    return True


ACCOUNT_EVENTS = st.one_of([of_class(cls) for cls in EVENT_CLASSES.values()])
