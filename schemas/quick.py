"""The common case of each field type in one function call, for events with long lists inside.

A quick decoder accepts the usual form of a good value at once and leaves everything else, good or bad, to
the field type's own `decode`, which alone decides and explains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.errors import BadRecord
from schemas.fields import Choice, Codec, Date, Listed, Scaled, Text, Whole
from schemas.units import parse_day

Decoder = Callable[[Any], Any]


def quick_decoder(codec: Codec) -> Decoder:
    """A function that does what `codec.decode` does, sooner where it can."""
    if type(codec) is Text:
        return _text(codec)
    if isinstance(codec, Whole):
        return _whole(codec)
    if isinstance(codec, Scaled):
        return _scaled(codec)
    if isinstance(codec, Choice):
        return _choice(codec)
    if isinstance(codec, Date):
        return _date(codec)
    if isinstance(codec, Listed):
        return _listed(codec)
    return codec.decode


def _text(codec: Text) -> Decoder:
    careful, match, longest = codec.decode, codec.match, codec.longest

    def matching(value: Any) -> Any:
        return value if type(value) is str and match is not None and match(value) else careful(value)

    def printable(value: Any) -> Any:
        return (
            value
            if type(value) is str and 0 < len(value) <= longest and value.isprintable()
            else careful(value)
        )

    if match is not None:
        return matching
    return printable if codec.pattern is None else careful


def _whole(codec: Whole) -> Decoder:
    careful, minimum, maximum = codec.decode, codec.minimum, codec.maximum
    if codec.nonzero:
        return careful

    def decode(value: Any) -> Any:
        return value if type(value) is int and minimum <= value <= maximum else careful(value)

    return decode


def _scaled(codec: Scaled) -> Decoder:
    careful, minimum, maximum, decimals = codec.decode, codec.minimum, codec.maximum, codec.decimals
    powers = [10 ** (decimals - places) for places in range(decimals + 1)]
    if codec.nonzero:
        return careful

    def decode(value: Any) -> Any:
        if type(value) is not str or not value.isascii():
            return careful(value)
        whole, point, fraction = value.partition(".")
        digits = whole + fraction
        if len(fraction) > decimals or len(digits) > 20 or not digits.isdigit() or not whole:
            return careful(value)
        if point and not fraction:
            return careful(value)
        scaled = int(digits) * powers[len(fraction)]
        return scaled if minimum <= scaled <= maximum else careful(value)

    return decode


def _choice(codec: Choice) -> Decoder:
    careful, options = codec.decode, frozenset(codec.options)

    def decode(value: Any) -> Any:
        return value if type(value) is str and value in options else careful(value)

    return decode


def _date(codec: Date) -> Decoder:
    careful = codec.decode

    def decode(value: Any) -> Any:
        return parse_day(value) if type(value) is str else careful(value)

    return decode


def _listed(codec: Listed) -> Decoder:
    careful, item = codec.decode, quick_decoder(codec.item)
    longest = codec.longest

    def decode(value: Any) -> Any:
        if type(value) is not list or len(value) > longest:
            return careful(value)
        try:
            return tuple(map(item, value))
        except BadRecord:
            return careful(value)

    return decode
