"""Every alert of a finished run explained: the figures of each must follow from its own evidence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from agents.explain import EXPLAINED, explain
from agents.rules.schedule import Schedule
from schemas.errors import BadRecord
from schemas.events import class_for
from schemas.records import spec_of

Value = dict[str, Any]
_SHOWN, _NAMED = 20, 5
"""Up to so many alerts that do not add up are named, for programs and for people."""


@dataclass(slots=True)
class Check:
    """How many alerts of each topic were explained, and the ids of those whose figures do not follow."""

    explained: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        """As published."""
        return {
            "explained": dict(self.explained),
            "wrong": self.wrong[:_SHOWN],
            "wrong_count": len(self.wrong),
        }

    def words(self) -> str:
        """For people: what was explained, and the first that do not add up."""
        counts = ", ".join(f"{count:,} {topic}" for topic, count in sorted(self.explained.items()))
        if not self.wrong:
            return f"explained {counts}: every figure follows from the records themselves"
        return f"explained {counts}: {len(self.wrong):,} do not add up: {', '.join(self.wrong[:_NAMED])}"


def check(results: Path, rules: Schedule | None = None) -> Check:
    """Explain every alert of a finished run, a day at a time. `rules`: those the run was made with."""
    found = Check()
    for day in sorted(results.glob("date=*")):
        by_account: dict[str, list[tuple[str, Value]]] = defaultdict(list)
        for topic in EXPLAINED:
            for value in published(day, topic):
                by_account[value["key"]].append((topic, value))
        for known in by_account.values():
            _explain_all(known, found, rules)
    return found


def _explain_all(known: list[tuple[str, Value]], found: Check, rules: Schedule | None) -> None:
    bare = [(topic, {name: part for name, part in value.items() if name != "key"}) for topic, value in known]
    for topic, value in bare:
        found.explained[topic] += 1
        try:
            adds_up = explain(topic, value, bare, rules).adds_up
        except BadRecord:  # a record of another version of the program: its figures prove nothing
            adds_up = False
        if not adds_up:
            found.wrong.append(value["id"])


def published(day: Path, topic: str) -> Iterator[Value]:
    """The records of a topic on a day of a run, as they were published."""
    path = day / f"{topic}.parquet"
    if not path.is_file():
        return
    for row in pq.read_table(path).to_pylist():
        value = {name: _parsed(part) for name, part in row.items() if part is not None}
        for needed in spec_of(class_for(topic, value)).fields:
            if needed.required:
                value.setdefault(needed.wire, None)
        yield value


def _parsed(value: Any) -> Any:
    """Lists and objects are kept as JSON text."""
    return orjson.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value
