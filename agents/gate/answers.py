"""Decisions given in the current and the previous trading day, by order: a repeated order gets its own
again (contract section 1, `id`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import numpy as np
import orjson

from agents.books.columns import Snapshot
from schemas.orders import AccountOrder

_KEY = 16
_DIGEST = 8
Record = dict[str, Any]
_content = attrgetter(*(field.name for field in fields(AccountOrder)))


def digest_of(order: AccountOrder) -> bytes:
    """64 bits of what an order means, however its numbers were written."""
    return blake2b(repr(_content(order)).encode(), digest_size=_DIGEST).digest()


class Answers:
    """Two generations of 16-byte key -> content digest and the decision's JSON."""

    def __init__(self) -> None:
        self._today: dict[bytes, bytes] = {}
        self._before: dict[bytes, bytes] = {}

    def find(self, key: bytes) -> tuple[bytes, Record] | None:
        """Digest of the order that was answered under this key, and its decision."""
        found = self._today.get(key) or self._before.get(key)
        return None if found is None else (found[:_DIGEST], orjson.loads(found[_DIGEST:]))

    def keep(self, key: bytes, digest: bytes, decision: Record) -> None:
        """Remembers a decision."""
        self._today[key] = digest + orjson.dumps(decision)

    def begin_day(self) -> None:
        """What was today's becomes the previous day's."""
        self._before, self._today = self._today, {}

    def snapshot(self) -> Snapshot:
        """Both generations: keys, lengths and contents one after another."""
        found: Snapshot = {}
        for name, answers in (("today", self._today), ("before", self._before)):
            found[f"answers.{name}.keys"] = b"".join(answers)
            found[f"answers.{name}.contents"] = b"".join(answers.values())
            lengths = [len(content) for content in answers.values()]
            found[f"answers.{name}.lengths"] = np.asarray(lengths, dtype=np.int64)
        return found

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Both generations again."""
        self._today, self._before = (_dictionary(snapshot, f"answers.{name}") for name in ("today", "before"))


def _dictionary(snapshot: Mapping[str, Any], prefix: str) -> dict[bytes, bytes]:
    keys, contents = bytes(snapshot[f"{prefix}.keys"]), bytes(snapshot[f"{prefix}.contents"])
    ends = np.cumsum(np.asarray(snapshot[f"{prefix}.lengths"])).tolist()
    starts = [0, *ends[:-1]]
    return {
        keys[_KEY * place : _KEY * (place + 1)]: contents[start:end]
        for place, (start, end) in enumerate(zip(starts, ends, strict=False))
    }
