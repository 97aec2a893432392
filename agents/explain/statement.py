"""An explanation as data: sections of lines that add up, the rules behind them, and what does not add up.

Nothing is printed here; `lines()` is the plain text that a terminal or a page shows, `as_dict()` the same
for programs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from textwrap import wrap
from typing import Any

from agents.explain.citations import Citation
from schemas.units import MILLI, RATE_SCALE, format_day, format_money, shanghai_day, shanghai_ms

AGREES = "✓"
DIFFERS = "✗"
_WIDTH = 100


def yuan(milli: int) -> str:
    """0.001 yuan as a person reads it: `1,076,850.00`."""
    sign = "-" if milli < 0 else ""
    whole, _, fraction = format_money(abs(milli)).partition(".")
    return f"{sign}{int(whole):,}.{fraction}"


def exact(milli: Fraction) -> str:
    """Yuan with all digits: at least two, at most nine decimals."""
    billionths = milli * RATE_SCALE
    sign = "−" if billionths < 0 else ""
    whole, rest = divmod(abs(int(billionths)), RATE_SCALE * MILLI)
    digits = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole:,}.{digits}"


def moment(ts: int) -> str:
    """`2025-04-07 09:45:00` in Shanghai; milliseconds only where there are some."""
    seconds, ms = divmod(shanghai_ms(ts), 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{format_day(shanghai_day(ts))} {clock}" + (f".{ms:03d}" if ms else "")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what it is, how it comes about, what comes out; `agrees` tells of a comparison with the
    record, `rule` of what it rests on.
    """

    label: str
    working: str = ""
    result: str = ""
    agrees: bool | None = None
    total: bool = False
    rule: Citation | None = None


@dataclass(slots=True)
class Section:
    """Rows under a title."""

    title: str
    rows: list[Row] = field(default_factory=list)

    def add(
        self,
        label: str,
        working: str = "",
        result: str = "",
        *,
        total: bool = False,
        rule: Citation | None = None,
    ) -> None:
        """A line that is not compared with anything."""
        self.rows.append(Row(label, working, result, total=total, rule=rule))


@dataclass(slots=True)
class Explanation:
    """The arithmetic of one record. `problems` is empty when everything in it follows from its own figures;
    `beside` are rules that stand behind the whole, not behind one line.
    """

    id: str
    headline: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    beside: list[Citation] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)

    @property
    def adds_up(self) -> bool:
        """Whether every figure that can be recomputed from the record agrees with it."""
        return not self.problems

    @property
    def rules(self) -> list[Citation]:
        """Every rule once, in the order in which lines rest on them."""
        rows = (row for section in self.sections for row in section.rows)
        cited = [row.rule for row in rows if row.rule is not None]
        return list(dict.fromkeys([*cited, *self.beside]))

    def section(self, title: str) -> Section:
        """A new section at the end."""
        made = Section(title)
        self.sections.append(made)
        return made

    def compare(
        self,
        section: Section,
        label: str,
        working: str,
        found: str,
        recorded: str,
        *,
        total: bool = True,
        rule: Citation | None = None,
    ) -> None:
        """A line whose outcome the record names as well."""
        agrees = found == recorded
        section.rows.append(Row(label, working, found, agrees, total, rule))
        if not agrees:
            self.problems.append(f"{label}: the record says {recorded}, its own figures give {found}")

    def claim(
        self, section: Section, label: str, working: str, *, holds: bool, rule: Citation | None = None
    ) -> None:
        """A comparison that must be true for the record to be right."""
        section.rows.append(Row(label, working, "yes" if holds else "no", holds, rule=rule))
        if not holds:
            self.problems.append(f"{label}: not so by the record's own figures ({working})")

    def as_dict(self) -> dict[str, Any]:
        """For programs; texts as a person sees them. A row's `rule` is the place of its rule in `rules`,
        from 1.
        """
        places = {citation: place for place, citation in enumerate(self.rules, 1)}
        return {
            "id": self.id,
            "headline": self.headline,
            "facts": dict(self.facts),
            "sections": [
                {
                    "title": section.title,
                    "rows": [
                        {
                            "label": r.label,
                            "working": r.working,
                            "result": r.result,
                            "agrees": r.agrees,
                            "total": r.total,
                            "rule": None if r.rule is None else places[r.rule],
                        }
                        for r in section.rows
                    ],
                }
                for section in self.sections
            ],
            "rules": [
                {
                    "name": c.name,
                    "rule": c.text,
                    "from": c.since,
                    "source": c.source,
                    "confidence": c.confidence,
                }
                for c in self.rules
            ],
            "adds_up": self.adds_up,
            "problems": self.problems,
            "unproven": self.unproven,
        }

    def lines(self) -> Iterator[str]:
        """Plain text, columns aligned over all sections."""
        yield f"{self.headline}  [{self.id}]"
        wide = max((len(name) for name, _ in self.facts), default=0)
        for name, text in self.facts:
            yield f"  {name.ljust(wide)}  {text}"
        rows = [row for section in self.sections for row in section.rows]
        label = max((_width(row.label) for row in rows), default=0)
        working = max((_width(row.working) for row in rows if row.result), default=0)
        result = max((_width(row.result) for row in rows), default=0)
        places = {citation: place for place, citation in enumerate(self.rules, 1)}
        for section in self.sections:
            yield ""
            yield section.title
            yield from (_text(row, label, working, result, places) for row in section.rows)
        yield from self._rule_lines()
        yield ""
        yield from self._verdict()

    def _rule_lines(self) -> Iterator[str]:
        if self.rules:
            yield ""
            yield "rules"
            for place, citation in enumerate(self.rules, 1):
                text = f"[{place}] {citation}"
                yield from wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="      ")

    def _verdict(self) -> Iterator[str]:
        for text in self.unproven:
            yield f"Not recomputed: {text}."
        if self.adds_up:
            yield "Adds up: every figure marked ✓ follows from the records themselves."
        for problem in self.problems:
            yield f"DOES NOT ADD UP: {problem}."


def _text(row: Row, label: int, working: int, result: int, places: dict[Citation, int]) -> str:
    mark = "" if row.agrees is None else f"  {AGREES if row.agrees else DIFFERS}"
    if row.rule is not None:
        mark = f"{mark or '   '} [{places[row.rule]}]"
    head = f"{'=' if row.total else ' '} {_padded(row.label, label)}  {_padded(row.working, working)}"
    return f"{head}  {row.result.rjust(result)}{mark}".rstrip()


def _width(text: str) -> int:
    """Columns in a terminal: Chinese characters take two."""
    return sum(2 if "\u2e80" <= letter <= "\uffef" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
