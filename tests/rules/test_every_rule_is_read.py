"""A dated rule that nothing reads would promise what does not happen: every parameter is read by the cores,
has only one reading, or says that it is only stated.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agents.rules.schedule import built_in

ROOT = Path(__file__).parents[2]
SHOWS_ONLY = ("streams/cli/rules.py", "agents/rules/overlay.py", "agents/explain/")
_LEAST_LETTERS = 4


@dataclass(frozen=True)
class Texts:
    """Every text of the sources that could name a parameter; what an f-string puts in may be anything."""

    whole: frozenset[str]
    made: tuple[re.Pattern[str], ...]

    def name(self, parameter: str) -> bool:
        return parameter in self.whole or any(pattern.fullmatch(parameter) for pattern in self.made)


@cache
def texts_in_code() -> Texts:
    whole, made = set(), set()
    for path in sorted([*ROOT.glob("agents/**/*.py"), *ROOT.glob("streams/**/*.py")]):
        if path.relative_to(ROOT).as_posix().startswith(SHOWS_ONLY):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                made.add(_pattern(node))
    return Texts(frozenset(whole), tuple(re.compile(text) for text in sorted(made) if text))


def _pattern(node: ast.JoinedStr) -> str:
    parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
    if sum(len(str(part)) for part in parts if part is not None) < _LEAST_LETTERS:
        return ""
    return "".join(r"\w+" if part is None else re.escape(str(part)) for part in parts)


def test_every_parameter_is_read_or_has_one_reading_or_is_only_stated() -> None:
    read = texts_in_code()
    unread = [
        parameter.name
        for parameter in built_in().parameters.values()
        if not read.name(parameter.name)
        and not parameter.stated
        and not (parameter.choices is not None and len(parameter.choices) == 1)
    ]
    assert unread == []


def test_what_is_only_stated_is_not_read() -> None:
    stated = [name for name, parameter in built_in().parameters.items() if parameter.stated]
    assert [name for name in stated if texts_in_code().name(name)] == []


def test_every_boundary_is_read() -> None:
    assert set(built_in().boundary) <= texts_in_code().whole
