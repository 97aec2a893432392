"""The rules of the house, checked on the source itself.

Money is integers; cores know no clock and no chance; rooms depend on each other in one direction; a file
holds one idea; names say something; nothing is left half done.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("schemas", "agents", "streams")
MAX_LINES = 400

FLOATS_ALLOWED = {
    "schemas/units.py": "a JSON number arrives as a float and is accepted only where it is exactly a decimal",
    "schemas/fields.py": "the same for single fields; bounds of numbers in JSON Schema",
    "schemas/columns.py": "the same for whole columns",
}
"""Files of money paths that may name floats, and why."""

MAY_IMPORT = {
    "schemas": ("schemas",),
    "agents": ("agents", "schemas"),
    "streams": ("streams", "agents", "schemas"),
    "agents/kernels": ("agents.kernels",),
    "streams/days": (
        "streams.days",
        "streams.errors",
        "streams.headers",
        "streams.routes",
        "agents",
        "schemas",
    ),
}
"""What of ours a folder may import. Kernels know no types of ours, only arrays; recorded days do not know who
makes or plays them.
"""

CHANCE_AND_CLOCK = {"time", "random", "secrets", "uuid", "threading", "asyncio", "socket"}
CLOCK_CALLS = {"now", "utcnow", "today", "time_ns", "monotonic", "perf_counter", "urandom", "default_rng"}
OUTSIDE_WORLD = {
    "socket",
    "pathlib",
    "click",
    "rich",
    "aiokafka",
    "asyncio",
    "subprocess",
    "os",
    "sys",
    "fsspec",
}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "stuff"}


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name_of(path))


def nodes(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Every node with its place, `file:line`."""
    for node in ast.walk(parsed(path)):
        yield f"{name_of(path)}:{getattr(node, 'lineno', 1)}", node


def imports(*folders: str) -> Iterator[tuple[Path, str, str]]:
    """File, place and full name of every module imported in the folders."""
    for path in files(*folders):
        for place, node in nodes(path):
            if isinstance(node, ast.Import):
                yield from ((path, place, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                yield path, place, module
                yield from ((path, place, f"{module}.{alias.name}") for alias in node.names)


def float_in(node: ast.AST) -> str | None:
    """How a node brings in a float; None when it does not."""
    if isinstance(node, ast.Constant) and isinstance(node.value, float):
        return f"the literal {node.value}"
    if isinstance(node, ast.Name) and node.id == "float":
        return "float"
    if isinstance(node, ast.Attribute) and re.fullmatch(r"float\d*|double|true_divide", node.attr):
        return node.attr
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return None if _is_text(node.right) else "true division"
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
        return "true division"
    return None


def _is_text(node: ast.expr) -> bool:
    """What follows the slash that joins a path."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_no_float_is_in_a_money_path() -> None:
    found = [
        f"{place}: {how}"
        for path in files("schemas", "agents")
        if name_of(path) not in FLOATS_ALLOWED
        for place, node in nodes(path)
        if (how := float_in(node))
    ]
    assert found == []


def test_every_file_excused_from_the_rule_on_floats_needs_the_excuse() -> None:
    unneeded = [name for name in FLOATS_ALLOWED if not any(float_in(node) for _, node in nodes(ROOT / name))]
    assert unneeded == []


def test_no_clock_and_no_chance_is_in_a_core() -> None:
    cores = ("agents", "streams/shardlog", "schemas")
    found = [
        f"{place} {module}"
        for _, place, module in imports(*cores)
        if module.split(".")[0] in CHANCE_AND_CLOCK
    ]
    for path in files(*cores):
        for place, node in nodes(path):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr
            if called in CLOCK_CALLS:
                found.append(f"{place} {called}()")
    assert found == []


def test_rooms_depend_on_each_other_in_one_direction() -> None:
    found = []
    for path, place, module in imports(*ROOMS):
        folder = max((f for f in MAY_IMPORT if name_of(path).startswith(f + "/")), key=len)
        ours = module.startswith(".") or module.split(".")[0] in (*ROOMS, "tests")
        if ours and not any(f"{module}.".startswith(base + ".") for base in MAY_IMPORT[folder]):
            found.append(f"{place}: {folder} imports {module}")
    assert found == []


def test_rules_are_plain_integers_without_arrays() -> None:
    arrays = {"numpy", "numba"}
    assert [
        f"{place} {module}" for _, place, module in imports("agents/rules") if module.split(".")[0] in arrays
    ] == []


def test_agents_know_no_files_sockets_or_commands() -> None:
    found = [
        f"{place} {module}" for _, place, module in imports("agents") if module.split(".")[0] in OUTSIDE_WORLD
    ]
    assert found == []


def test_a_file_holds_one_idea_and_says_which() -> None:
    found = []
    for path in files(*ROOMS, "tests"):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > MAX_LINES:
            found.append(f"{name_of(path)} has {text.count(chr(10))} lines: what second idea lives in it?")
        if text.strip() and not ast.get_docstring(parsed(path)):
            found.append(f"{name_of(path)} does not say what it is")
    assert found == []


def test_names_of_files_say_something() -> None:
    found = [
        name_of(path)
        for path in files(*ROOMS, "tests")
        if EMPTY_NAMES & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
    ]
    assert found == []


def test_only_commands_print() -> None:
    found = [
        place
        for path in files(*ROOMS)
        if not name_of(path).startswith("streams/cli/")
        for place, node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


@cache
def written_lines() -> list[tuple[str, str]]:
    """Place and text of every line that people write and read, this file apart."""
    suffixes = {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".xml", ".lock", ".json", ".cfg", ""}
    generated = {"__pycache__", "target", ".venv"}
    found = [path for folder in (*ROOMS, "tests", "deploy", ".ci") for path in (ROOT / folder).rglob("*")]
    return [
        (f"{name_of(path)}:{number}", line)
        for path in sorted([*found, *ROOT.iterdir()])
        if path.is_file() and path.suffix in suffixes and path != Path(__file__)
        if not generated & set(path.relative_to(ROOT).parts) and path.parent.name != "data"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"\b(TODO|FIXME|XXX|HACK)\b", id="something to do later"),
        pytest.param(
            r"(?i)\bfor now\b|\bplaceholder\b|\bnot implemented\b|\bsimplified\b", id="something half done"
        ),
    ],
)
def test_no_line_mentions(pattern: str) -> None:
    words = re.compile(pattern)
    assert [place for place, line in written_lines() if words.search(line)] == []


def test_every_dependency_is_locked_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = [block for block in re.split(r"\n(?=[A-Za-z0-9])", lock) if "==" in block.split("\n")[0]]
    locked = {block.split("==")[0].lower() for block in blocks}
    wishes = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    wanted = {re.split(r"[^A-Za-z0-9_.-]", wish)[0].lower() for wish in wishes}
    assert wanted - locked == set(), "run `make lock`"
    assert [block.split("\n")[0] for block in blocks if "--hash=sha256:" not in block] == []
