"""A dated rule that nothing reads would promise what does not happen: every parameter is read by the cores,
has only one reading, or says that it is only stated.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from agents.rules.schedule import Parameter, built_in

ROOT = Path(__file__).parents[2]
SHOWS_ONLY = ("streams/cli/rules.py", "agents/rules/overlay.py", "agents/explain/")
_LEAST_LETTERS = 4


def names_in_code() -> list[re.Pattern[str]]:
    """Every text of the sources that could name a parameter; what an f-string puts in may be anything."""
    found = set()
    for path in sorted([*ROOT.glob("agents/**/*.py"), *ROOT.glob("streams/**/*.py")]):
        if path.relative_to(ROOT).as_posix().startswith(SHOWS_ONLY):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(re.escape(node.value))
            elif isinstance(node, ast.JoinedStr):
                found.add(_pattern(node))
    return [re.compile(text) for text in sorted(found) if text]


def _pattern(node: ast.JoinedStr) -> str:
    parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
    if sum(len(str(part)) for part in parts if part is not None) < _LEAST_LETTERS:
        return ""
    return "".join(r"\w+" if part is None else re.escape(str(part)) for part in parts)


def has_effect(parameter: Parameter, read: list[re.Pattern[str]]) -> bool:
    return any(name.fullmatch(parameter.name) for name in read)


def test_every_parameter_is_read_or_has_one_reading_or_is_only_stated() -> None:
    read = names_in_code()
    unread = [
        parameter.name
        for parameter in built_in().parameters.values()
        if not has_effect(parameter, read)
        and not parameter.stated
        and not (parameter.choices is not None and len(parameter.choices) == 1)
    ]
    assert unread == []


def test_what_is_only_stated_is_not_read() -> None:
    read = names_in_code()
    stated = [parameter for parameter in built_in().parameters.values() if parameter.stated]
    assert [parameter.name for parameter in stated if has_effect(parameter, read)] == []


def test_every_boundary_is_read() -> None:
    read = {pattern.pattern for pattern in names_in_code()}
    assert [name for name in built_in().boundary if re.escape(name) not in read] == []
