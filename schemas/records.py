"""Records: the generic way between a JSON object and a frozen dataclass whose annotations are field types."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from schemas.errors import BadRecord, shown
from schemas.fields import Codec, JsonSchema, Listed
from schemas.quick import quick_decoder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: attribute `name`, key `wire` in JSON, its codec, and whether it may be absent or null."""

    name: str
    wire: str
    codec: Codec
    required: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """All fields of an event class, in declaration order (which is the canonical order in JSON)."""

    fields: tuple[FieldSpec, ...]
    check: Callable[[Any], None] | None
    decoders: tuple[tuple[str, Callable[[Any], Any], bool], ...]
    """Wire name, decoder and whether it is required, of each field, for the decoder."""

    def __getitem__(self, name: str) -> FieldSpec:
        return next(field for field in self.fields if field.name == name)


@dataclass(frozen=True, slots=True)
class Nested(Codec):
    """An object with fields of its own; inside a dataclass."""

    cls: type

    def decode(self, value: Any) -> Any:
        return decode_object(self.cls, value)

    def encode(self, value: Any) -> dict[str, Any]:
        return encode_object(value)

    def schema(self) -> JsonSchema:
        return object_schema(self.cls)


_SPECS: dict[type, RecordSpec] = {}


def spec_of(cls: type) -> RecordSpec:
    """The fields of an event class, read from its annotations once."""
    spec = _SPECS.get(cls)
    if spec is None:
        spec = _SPECS[cls] = _read_spec(cls)
    return spec


def _read_spec(cls: type) -> RecordSpec:
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = []
    for field in dataclasses.fields(cls):
        codec, nullable = _codec(hints[field.name])
        required = field.default is dataclasses.MISSING
        fields.append(FieldSpec(field.name, field.name.rstrip("_"), codec, required, nullable))
    decoders = tuple((field.wire, quick_decoder(field.codec), field.required) for field in fields)
    return RecordSpec(tuple(fields), getattr(cls, "check", None), decoders)


def _codec(hint: Any) -> tuple[Codec, bool]:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return _codec(inner[0])[0], True
    if origin is typing.Annotated:
        return next(extra for extra in hint.__metadata__ if isinstance(extra, Codec)), False
    if origin is tuple:
        return Listed(_codec(typing.get_args(hint)[0])[0]), False
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return Nested(hint), False
    raise TypeError(f"no field type for {hint!r}")


def decode_object(cls: type[T], value: Any) -> T:
    """A JSON object as an instance of `cls`; unknown fields are ignored. Raises `BadRecord`."""
    if not isinstance(value, dict):
        raise BadRecord("", f"must be an object, got {shown(value)}")
    spec = spec_of(cls)
    values: list[Any] = []
    append, get, wire = values.append, value.get, ""
    try:
        for wire, decode, required in spec.decoders:
            raw = get(wire)
            if raw is not None:
                append(decode(raw))
                continue
            if required:
                _check_null(spec, wire, value)
            append(None)
    except BadRecord as bad:
        raise bad.inside(wire) from None
    event = cls(*values)
    if spec.check is not None:
        spec.check(event)
    return event


def _check_null(spec: RecordSpec, wire: str, value: dict[str, Any]) -> None:
    """Refuse a required field that is absent, or null where null says nothing."""
    nullable = next(field.nullable for field in spec.fields if field.wire == wire)
    if wire not in value:
        raise BadRecord("", "is missing")
    if not nullable:
        raise BadRecord("", "must not be null")


def encode_object(event: Any) -> dict[str, Any]:
    """The JSON object of an instance, fields in declaration order, absent optional fields left out."""
    out: dict[str, Any] = {}
    for field in spec_of(type(event)).fields:
        value = getattr(event, field.name)
        if value is not None:
            out[field.wire] = field.codec.encode(value)
        elif field.required:
            out[field.wire] = None
    return out


def object_schema(cls: type, extra: Mapping[str, JsonSchema] | None = None) -> JsonSchema:
    """JSON Schema of an event class; `extra` are further required fields, such as a constant kind."""
    properties: dict[str, JsonSchema] = {}
    required = []
    for field in spec_of(cls).fields:
        schema = field.codec.schema()
        properties[field.wire] = {"anyOf": [schema, {"type": "null"}]} if field.nullable else schema
        if field.required:
            required.append(field.wire)
    for name, schema in (extra or {}).items():
        properties[name] = schema
        required.append(name)
    out: JsonSchema = {"type": "object", "properties": properties, "required": required}
    doc = (cls.__doc__ or "").strip().split("\n\n")[0]
    if doc:
        out = {"description": " ".join(doc.split()), **out}
    return out
