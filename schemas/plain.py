"""Events in the plain form of their JSON, many at once: bytes to columns without Python objects.

What the kernel does not accept is left to the careful decoder (`schemas.batch_decoding`,
`schemas.account_decoding`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from schemas.account import NO_CODE
from schemas.batches import ABSENT
from schemas.columns import bounds_of
from schemas.events import VERSION
from schemas.fields import Choice, Codec, Flag, Level, Listed, Scaled, Text, Timestamp, Whole
from schemas.plain_kernel import CHOICE, FLAG, ODD, SCALED, SIDE, TEXT, WHOLE, scan
from schemas.plain_kernel import VERSION as VERSION_KIND
from schemas.records import FieldSpec, spec_of
from schemas.tables import I8, U1

Mask = npt.NDArray[np.bool_]

_MOST_DECIMALS = 3
"""Fifteen digits and three more are within int64."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the records of one event class are read: the arguments of the kernel, the columns' names and what
    stands in them for "absent"; `texts` are the columns of strings, with what each of them has to be.
    """

    fields: I8
    level: I8
    words: U1
    word_ends: I8
    names: tuple[str, ...]
    absent: I8
    texts: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class Plain:
    """What was read. `good` bool[n]: the record was plain; the other rows of `columns` mean nothing."""

    strings: list[str]
    columns: dict[str, npt.NDArray[np.int64]]
    good: Mask


def read_plain(event: type, values: Sequence[bytes]) -> Plain:
    """The plain ones among the JSON records of a class of market events, or of a kind of account events
    without lists.
    """
    plan = _plan(event)
    data = b"".join(values)
    ends = np.cumsum(np.fromiter(map(len, values), np.int64, len(values)))
    columns = np.repeat(plan.absent[:, None], len(values), axis=1)
    good = np.zeros(len(values), np.uint8)
    spans = np.empty((len(values) * len(plan.texts) + 1, 2), np.int64)
    array = np.frombuffer(data, np.uint8)
    count = scan(array, ends, plan.fields, plan.level, plan.words, plan.word_ends, columns, good, spans)
    strings = [data[first:end].decode("ascii") for first, end in spans[:count].tolist()]
    named = dict(zip(plan.names, columns, strict=True))
    fine = good.astype(np.bool_)
    for codec in {codec for _, codec in plan.texts}:
        fine &= _fitting(codec, strings, [named[name] for name, own in plan.texts if own == codec])
    return Plain(strings, named, fine)


def _fitting(codec: Text, strings: list[str], columns: list[I8]) -> Mask:
    """Rows in which each of the columns has an acceptable string, or none."""
    met = np.zeros(len(strings) + 1, np.bool_)
    for column in columns:
        met[column] = True
    fine = np.ones(len(strings) + 1, np.bool_)
    used = np.flatnonzero(met[:-1])
    fine[used] = [codec.fits(strings[i]) for i in used.tolist()]
    suits: Mask = np.logical_and.reduce([fine[column] for column in columns])
    return suits


@cache
def _plan(event: type) -> Plan:
    specs = [*_kinds(event), *spec_of(event).fields]
    words = ["v", *(spec.wire for spec in specs)]
    fields = [(VERSION_KIND, 0, VERSION, VERSION, 0, 0, 0, 0)]
    names, absent = ["v"], [ABSENT]
    for spec in specs:
        codec, first = spec.codec, len(specs) + 1 + sum(field[7] - field[6] for field in fields)
        options = codec.options if isinstance(codec, Choice) else ()
        words.extend(options)
        row = _kind(codec)
        fields.append((*row, int(spec.required), len(names), first, first + len(options)))
        if row[0] == SIDE:
            names += [f"{spec.name}_price", f"{spec.name}_qty"]
            absent += [ABSENT, ABSENT]
        else:
            names.append(spec.name)
            absent.append(NO_CODE if options else ABSENT)
    level = [(*_kind(codec), 1, 0, 0, 0) for codec in (Level().price, Level().qty)]
    encoded = [word.encode() for word in words]
    return Plan(
        np.array(fields, np.int64),
        np.array(level, np.int64),
        np.frombuffer(b"".join(encoded), np.uint8),
        np.cumsum([len(word) for word in encoded]),
        tuple(names),
        np.array(absent, np.int64),
        tuple((spec.name, spec.codec) for spec in specs if isinstance(spec.codec, Text)),
    )


def _kinds(event: type) -> list[FieldSpec]:
    """The field that says of which kind an account event is."""
    kind = getattr(event, "kind", None)
    return [] if kind is None else [FieldSpec("kind", "kind", Choice((kind,)), required=True, nullable=False)]


def _kind(codec: Codec) -> tuple[int, int, int, int]:
    """Kind, decimals and bounds of a field."""
    match codec:
        case Text():
            return TEXT, 0, 0, 0
        case Choice():
            return CHOICE, 0, 0, 0
        case Flag():
            return FLAG, 0, 0, 0
        case Listed(item=Level()):
            return SIDE, 0, 0, 0
        case Scaled(nonzero=False) if codec.decimals <= _MOST_DECIMALS:
            return SCALED, codec.decimals, codec.minimum, codec.maximum
        case Timestamp() | Whole(nonzero=False):
            return WHOLE, 0, *bounds_of(codec)
    return ODD, 0, 0, 0
