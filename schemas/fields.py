"""Field types of the events: one declaration drives decoding, encoding and JSON Schema.

An event is a frozen dataclass whose annotations name these types. `T | None = None` is an optional field
(absent or null on the wire); `T | None` without a default must be present and may be null. A trailing
underscore, needed where a contract name is a Python keyword (`from_`, `class_`), does not appear on the wire.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from schemas.errors import BadRecord, shown
from schemas.units import (
    LINE_MAX,
    MONEY_MAX,
    PRICE_MAX,
    QTY_MAX,
    RATE_MAX,
    SEQ_MAX,
    SHARES_MAX,
    TS_MAX,
    TS_MIN,
    TURNOVER_MAX,
    _format_scaled,
    format_day,
    parse_day,
    parse_scaled,
)

JsonSchema = dict[str, Any]


class Codec(ABC):
    """How one field travels. `decode` raises `BadRecord` with a path relative to the value it was given."""

    @abstractmethod
    def decode(self, value: Any) -> Any:
        """The inner value of a wire value."""

    def encode(self, value: Any) -> Any:
        """The wire value of an inner value."""
        return value

    @abstractmethod
    def schema(self) -> JsonSchema:
        """JSON Schema of the wire value."""


@dataclass(frozen=True, slots=True)
class Scaled(Codec):
    """A decimal kept as an integer of `10**-decimals`, within `[minimum, maximum]`; number or string."""

    decimals: int
    minimum: int
    maximum: int
    meaning: str
    nonzero: bool = False

    def decode(self, value: Any) -> int:
        scaled = parse_scaled(value, self.decimals)
        if not self.minimum <= scaled <= self.maximum:
            raise BadRecord("", _bounds(scaled, self.minimum, shown(value)))
        if self.nonzero and scaled == 0:
            raise BadRecord("", "must not be zero")
        return scaled

    def encode(self, value: int) -> str:
        return _format_scaled(value, self.decimals, 2)

    def schema(self) -> JsonSchema:
        sign = "-?" if self.minimum < 0 else "(?=.*[1-9])" if self.minimum > 0 else ""
        scale = 10**self.decimals
        return {
            "description": f"{self.meaning}, at most {self.decimals} decimals",
            "anyOf": [
                {"type": "number", "minimum": self.minimum / scale, "maximum": self.maximum / scale},
                {"type": "string", "pattern": f"^{sign}[0-9]{{1,16}}(\\.[0-9]{{1,{self.decimals}}}0*)?$"},
            ],
        }


@dataclass(frozen=True, slots=True)
class Whole(Codec):
    """An integer within `[minimum, maximum]`. A JSON number without fraction (`1e2`, `100.0`) is one too."""

    minimum: int
    maximum: int
    meaning: str
    nonzero: bool = False

    def decode(self, value: Any) -> int:
        if type(value) is not int:
            value = self._integral(value)
        if not self.minimum <= value <= self.maximum:
            raise BadRecord("", _bounds(value, self.minimum, shown(value)))
        if self.nonzero and value == 0:
            raise BadRecord("", "must not be zero")
        return int(value)

    def _integral(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise BadRecord("", f"must be an integer, got {shown(value)}")

    def schema(self) -> JsonSchema:
        out: JsonSchema = {"description": self.meaning, "type": "integer", "minimum": self.minimum}
        out["maximum"] = self.maximum
        if self.nonzero:
            out["not"] = {"const": 0}
        return out


def _bounds(scaled: int, minimum: int, text: str) -> str:
    if scaled < minimum:
        if minimum == 0:
            return f"must not be negative, got {text}"
        if minimum == 1:
            return f"must be positive, got {text}"
        return f"is below the lower bound: {text}"
    return f"is above the upper bound: {text}"


@dataclass(frozen=True, slots=True)
class Timestamp(Codec):
    """Exchange time in milliseconds since the epoch, 1990 to 2100."""

    def decode(self, value: Any) -> int:
        if type(value) is not int:
            if not (isinstance(value, float) and value.is_integer()):
                raise BadRecord("", f"must be an integer of milliseconds since 1970, got {shown(value)}")
            value = int(value)
        if value < TS_MIN:
            raise BadRecord("", f"lies before 1990, is it in milliseconds? got {shown(value)}")
        if value >= TS_MAX:
            raise BadRecord("", f"lies after 2099, is it in milliseconds? got {shown(value)}")
        return int(value)

    def schema(self) -> JsonSchema:
        return {
            "description": "milliseconds since 1970-01-01T00:00:00Z",
            "type": "integer",
            "minimum": TS_MIN,
            "exclusiveMaximum": TS_MAX,
        }


@dataclass(frozen=True, slots=True)
class Text(Codec):
    """A string that matches `pattern`, or printable text of 1 to `longest` characters when there is none."""

    meaning: str
    longest: int = 64
    pattern: re.Pattern[str] | None = None
    match: Callable[[str], object] | None = None
    """The pattern's test, remembering its answers where the same strings come again and again."""

    def decode(self, value: Any) -> str:
        if type(value) is not str:
            raise BadRecord("", f"must be a string, got {shown(value)}")
        if not self.fits(value):
            raise BadRecord("", f"must be {self.meaning}, got {shown(value)}")
        return value

    def fits(self, value: str) -> bool:
        """Whether a string is acceptable."""
        if self.match is not None:
            return self.match(value) is not None
        if self.pattern is not None:
            return self.pattern.fullmatch(value) is not None
        return 0 < len(value) <= self.longest and value.isprintable()

    def schema(self) -> JsonSchema:
        pattern = f"[^\\x00-\\x1f\\x7f]{{1,{self.longest}}}" if self.pattern is None else self.pattern.pattern
        return {"description": self.meaning, "type": "string", "pattern": f"^{pattern}$"}


@dataclass(frozen=True, slots=True)
class Choice(Codec):
    """One of a few words. Inside, the word itself; in batches its index."""

    options: tuple[str, ...]

    def decode(self, value: Any) -> str:
        if isinstance(value, str) and value in self.options:
            return value
        raise BadRecord("", f"must be one of {', '.join(self.options)}, got {shown(value)}")

    def schema(self) -> JsonSchema:
        return {"enum": list(self.options)}


@dataclass(frozen=True, slots=True)
class Flag(Codec):
    """true or false, nothing else."""

    def decode(self, value: Any) -> bool:
        if value is True or value is False:
            return bool(value)
        raise BadRecord("", f"must be true or false, got {shown(value)}")

    def schema(self) -> JsonSchema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Date(Codec):
    """A day as `YYYY-MM-DD`; inside a day number."""

    def decode(self, value: Any) -> int:
        if not isinstance(value, str):
            raise BadRecord("", f"must be a date such as '2025-04-07', got {shown(value)}")
        return parse_day(value)

    def encode(self, value: int) -> str:
        return format_day(value)

    def schema(self) -> JsonSchema:
        return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


@dataclass(frozen=True, slots=True)
class Listed(Codec):
    """A JSON array; inside a tuple."""

    item: Codec
    longest: int = 1_000_000

    def decode(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise BadRecord("", f"must be an array, got {shown(value)}")
        if len(value) > self.longest:
            raise BadRecord("", f"has more than {self.longest} entries")
        decode = self.item.decode
        out: list[Any] = []
        try:
            for entry in value:
                out.append(decode(entry))  # noqa: PERF401 - the length so far names the entry that fails
        except BadRecord as bad:
            raise bad.inside(f"[{len(out)}]") from None
        return tuple(out)

    def encode(self, value: Sequence[Any]) -> list[Any]:
        return [self.item.encode(entry) for entry in value]

    def schema(self) -> JsonSchema:
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True, slots=True)
class Level(Codec):
    """One level of a book, `[price, qty]`; inside a tuple (0.001 yuan, shares). Zeros pad an empty level."""

    price: Scaled = Scaled(3, 0, PRICE_MAX, "yuan")
    qty: Whole = Whole(0, SHARES_MAX, "shares")

    def decode(self, value: Any) -> tuple[int, int]:
        if not isinstance(value, list) or len(value) != 2:
            raise BadRecord("", f"must be [price, qty], got {shown(value)}")
        try:
            price = self.price.decode(value[0])
        except BadRecord as bad:
            raise bad.inside("[0]") from None
        try:
            return price, self.qty.decode(value[1])
        except BadRecord as bad:
            raise bad.inside("[1]") from None

    def encode(self, value: tuple[int, int]) -> list[Any]:
        return [self.price.encode(value[0]), value[1]]

    def schema(self) -> JsonSchema:
        pair = [self.price.schema(), self.qty.schema()]
        return {"type": "array", "prefixItems": pair, "minItems": 2, "maxItems": 2}


@dataclass(frozen=True, slots=True)
class Offsets(Codec):
    """A cut: `{"topic-partition": next offset}`; inside a dict of the same form."""

    def decode(self, value: Any) -> dict[str, int]:
        if not isinstance(value, dict):
            raise BadRecord("", f"must be an object, got {shown(value)}")
        for name, offset in value.items():
            topic, dash, partition = name.rpartition("-")
            if not (topic and dash and partition.isdecimal() and partition.isascii()):
                raise BadRecord("", f"names no 'topic-partition': {shown(name)}")
            if type(offset) is not int or not 0 <= offset <= SEQ_MAX:
                raise BadRecord(shown(name)[1:-1], f"must be an offset, got {shown(offset)}")
        return value

    def schema(self) -> JsonSchema:
        offset = {"type": "integer", "minimum": 0}
        return {"type": "object", "propertyNames": {"pattern": "^.+-[0-9]+$"}, "additionalProperties": offset}


@dataclass(frozen=True, slots=True)
class Free(Codec):
    """A JSON object without fixed fields, such as the figures of an alert."""

    def decode(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise BadRecord("", f"must be an object, got {shown(value)}")
        return value

    def schema(self) -> JsonSchema:
        return {"type": "object"}


_SECURITY_PATTERN = re.compile(r"[0-9A-Z]{6}\.(SH|SZ|BJ)")
_ACCOUNT_PATTERN = re.compile(r"(\{[A-Za-z0-9_-]{1,32}\})?[A-Za-z0-9_-]{1,32}")
_RATIO_PATTERN = re.compile(r"-?[0-9]{1,24}\.[0-9]{6}")

SECURITY = Text(
    "a security such as '600519.SH'", 9, _SECURITY_PATTERN, lru_cache(16_384)(_SECURITY_PATTERN.fullmatch)
)
ACCOUNT = Text(
    "an account of 1 to 32 letters, digits, _ or -, with an optional {tag} in front", 66, _ACCOUNT_PATTERN
)

Security = Annotated[str, SECURITY]
Account = Annotated[str, ACCOUNT]
Identifier = Annotated[str, Text("1 to 64 printable characters")]
Words = Annotated[str, Text("1 to 4000 printable characters", 4000)]
Ts = Annotated[int, Timestamp()]
Day = Annotated[int, Date()]
Bool = Annotated[bool, Flag()]
Cut = Annotated[dict[str, int], Offsets()]
Figures = Annotated[dict[str, Any], Free()]

Money = Annotated[int, Scaled(3, -MONEY_MAX, MONEY_MAX, "yuan, either sign")]
MoneyNotNegative = Annotated[int, Scaled(3, 0, MONEY_MAX, "yuan")]
MoneyPositive = Annotated[int, Scaled(3, 1, MONEY_MAX, "yuan, positive")]
MoneyNotZero = Annotated[int, Scaled(3, -MONEY_MAX, MONEY_MAX, "yuan, either sign, not zero", nonzero=True)]
MarketMoney = Annotated[int, Scaled(3, 0, TURNOVER_MAX, "yuan")]
AnyMoney = Annotated[int, Scaled(3, -(10**18), 10**18, "yuan, either sign")]
Price = Annotated[int, Scaled(3, 1, PRICE_MAX, "yuan, positive")]
PriceOrZero = Annotated[int, Scaled(3, 0, PRICE_MAX, "yuan, 0 where there is none")]
Line = Annotated[int, Scaled(4, 1, LINE_MAX, "a ratio, positive")]
Fraction = Annotated[int, Scaled(4, 0, 10_000, "a share between 0 and 1")]
FineFraction = Annotated[int, Scaled(6, 0, 10**6, "a share between 0 and 1")]
MarginRatio = Annotated[int, Scaled(4, 0, LINE_MAX, "a margin ratio (保证金比例)")]
Rearm = Annotated[int, Scaled(4, 0, LINE_MAX, "a distance between ratios")]
Rate = Annotated[int, Scaled(6, 0, RATE_MAX, "a rate, of one")]
PerShare = Annotated[int, Scaled(6, 0, 10**12, "per share")]
Multiple = Annotated[int, Scaled(6, -(10**15), 10**15, "a multiple")]
Ratio = Annotated[str, Text("a quotient with six places such as '1.252151'", 32, _RATIO_PATTERN)]

Qty = Annotated[int, Whole(1, QTY_MAX, "shares, positive")]
QtyOrZero = Annotated[int, Whole(0, QTY_MAX, "shares")]
SignedQty = Annotated[int, Whole(-QTY_MAX, QTY_MAX, "shares, either sign, not zero", nonzero=True)]
Shares = Annotated[int, Whole(0, SHARES_MAX, "shares")]
Count = Annotated[int, Whole(0, SEQ_MAX, "a count")]
