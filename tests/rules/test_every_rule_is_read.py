"""A dated rule that nothing reads would promise what does not happen: every parameter is applied, or read by
a formula that nothing applies yet, or has only one reading, or says that it is only stated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from agents.rules.schedule import built_in

ROOT = Path(__file__).parents[2]
RULES = "agents.rules"
SHOWS_ONLY = ("streams/cli/rules.py", "agents/rules/overlay.py", "agents/explain/")
KEPT = ("behaviour_", "eligibility_", "hft_", "index_breaker", "ipo_", "option_", "spoof_", "stock_halt_")
"""Beginnings of the parameters whose formulas are kept for what is not there yet (README, Limits)."""
KEPT_BOUNDARIES = {
    "behaviour_at", "breaker_at", "deviation_above", "eligibility_at", "hft_at", "option_within",
    "quote_within", "spoof_at", "stock_halt_at", "turnover_below", "volatility_above",
}  # fmt: skip
_LEAST_LETTERS = 4


@dataclass
class Texts:
    """Every text of some code that could name a parameter; what an f-string puts in may be anything."""

    whole: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)

    def add(self, tree: ast.AST) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                self.whole.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                self.made.add(_pattern(node))

    def name(self, parameter: str) -> bool:
        return parameter in self.whole or any(re.fullmatch(text, parameter) for text in self.made if text)


def _pattern(node: ast.JoinedStr) -> str:
    parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
    if sum(len(str(part)) for part in parts if part is not None) < _LEAST_LETTERS:
        return ""
    return "".join(r"\w+" if part is None else re.escape(str(part)) for part in parts)


def parsed(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Every module of the folders that does more than show rules."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(SHOWS_ONLY):
                yield name.removesuffix(".py").replace("/", "."), ast.parse(path.read_text(encoding="utf-8"))


def taken(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """What a module takes from the rules: its name there, module and name."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(RULES)
        for alias in node.names
    }


def definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    """What a module defines, by name."""
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))
            found.update(dict.fromkeys(names, node))
    return found


@cache
def read() -> Texts:
    """What any code names."""
    texts = Texts()
    for _, tree in parsed("agents", "streams"):
        texts.add(tree)
    return texts


@cache
def applied() -> Texts:
    """What agents and streams name themselves, and every definition of the rules that they come to."""
    texts, rules = Texts(), dict(parsed("agents/rules"))
    wanted: list[tuple[str, str]] = []
    for name, tree in parsed("agents", "streams"):
        if name not in rules:
            texts.add(tree)
            wanted += taken(tree).values()
    seen: set[tuple[str, str]] = set()
    while wanted:
        module, name = place = wanted.pop()
        if place in seen or module not in rules:
            continue
        seen.add(place)
        own, others = definitions(rules[module]), taken(rules[module])
        if name not in own:
            continue
        texts.add(own[name])
        for node in ast.walk(own[name]):
            if isinstance(node, ast.Name):
                wanted.append(others.get(node.id, (module, node.id)))
    return texts


def test_every_parameter_is_read_or_has_one_reading_or_is_only_stated() -> None:
    unread = [
        parameter.name
        for parameter in built_in().parameters.values()
        if not read().name(parameter.name)
        and not parameter.stated
        and not (parameter.choices is not None and len(parameter.choices) == 1)
    ]
    assert unread == []


def test_what_is_only_stated_is_not_read() -> None:
    stated = [name for name, parameter in built_in().parameters.items() if parameter.stated]
    assert [name for name in stated if read().name(name)] == []


def test_what_is_read_but_not_applied_belongs_to_the_formulas_kept_for_later() -> None:
    later = [name for name in built_in().parameters if read().name(name) and not applied().name(name)]
    assert [name for name in later if not name.startswith(KEPT)] == []
    assert [start for start in KEPT if not any(name.startswith(start) for name in later)] == []


def test_every_boundary_is_applied_or_belongs_to_the_formulas_kept_for_later() -> None:
    boundaries = set(built_in().boundary)
    assert boundaries <= read().whole
    assert boundaries - applied().whole == KEPT_BOUNDARIES
