"""`liangrong rules`: what holds on a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from agents.rules.overlay import differences
from agents.rules.presets import Preset, Presets
from agents.rules.schedule import Entry, Parameter, Schedule
from agents.rules.shown import ABSENT, shown
from agents.rules.sources import cited
from schemas.errors import BadRecord
from schemas.units import format_day, format_line, parse_day
from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.errors import UsageError
from streams.rules_file import load_rules
from streams.settings import Settings

_WIDTH = 150
"""Columns where there is no terminal."""


def _day(_: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_day(text, f"--{parameter.name}")
    except BadRecord as bad:
        raise UsageError(
            f"{bad.field} {text} {bad.reason}", advice="For example: liangrong rules --date 2015-07-01"
        ) from bad


@click.command()
@click.option("--date", "date", required=True, metavar="DATE", callback=_day, help="The day, YYYY-MM-DD.")
@click.option("--diff", "diff", metavar="DATE", callback=_day, help="Only what this day has otherwise.")
@click.option("--sources", is_flag=True, help="Say what the cited sources are.")
@json_option
@with_settings(shown=("LIANGRONG_RULES",))
def command(settings: Settings, date: int, diff: int | None, sources: bool, as_json: bool) -> None:
    """Print the dated rules that hold on a trading day: value, first day, confidence, source.

    Confidence: V1 seen in a reprint of the rule, V2 in a secondary source, V3 in public code, D derived,
    R recalled, P this engine's policy. With --rules FILE the broker's own file is laid over them.
    """
    rules = load_rules(settings)
    if diff is not None:
        _differences(rules, date, diff, as_json=as_json, sources=sources)
    elif as_json:
        print_json(_all(rules, date))
    else:
        _print(rules, date)
        _print_sources((entry for _, entry in _in_force(rules, date)), on=sources)


def _in_force(rules: Schedule, day: int) -> Iterator[tuple[Parameter, Entry]]:
    for name, parameter in rules.parameters.items():
        entry = rules.find(name, day)
        if entry is not None:
            yield parameter, entry


def _as_dict(parameter: Parameter, entry: Entry) -> dict[str, Any]:
    return {
        "parameter": parameter.name,
        "section": parameter.section,
        "value": None if entry.value is None else shown(parameter.kind, entry.value),
        "from": format_day(entry.since),
        "to": None if entry.until is None else format_day(entry.until),
        "conf": entry.conf,
        "source": entry.source,
        "stated": parameter.stated,
    }


def _all(rules: Schedule, day: int) -> dict[str, Any]:
    return {
        "date": format_day(day),
        "parameters": [_as_dict(parameter, entry) for parameter, entry in _in_force(rules, day)],
        "sources": cited(entry.source for _, entry in _in_force(rules, day)),
        "boundary": dict(rules.boundary),
        "presets": [_preset(preset) for preset in _presets(rules, day)],
    }


def _presets(rules: Schedule, day: int) -> list[Preset]:
    """Those that hold on a day: none before the business began."""
    presets = Presets(rules)
    known = [presets.at(name, day) for name in rules.presets]
    return [preset for preset in known if preset.valid_from <= day]


def _preset(preset: Preset) -> dict[str, Any]:
    return {
        "preset": preset.name,
        "from": format_day(preset.valid_from),
        "warn": format_line(preset.warn),
        "min": format_line(preset.min),
        "immediate": None if preset.immediate is None else format_line(preset.immediate),
        "immediate_mode": preset.immediate_mode,
        "target": format_line(preset.target),
        "cure_by": preset.cure_by,
        "cure_at": preset.cure_at,
        "liquidate_from": preset.liquidate_from,
    }


def _console() -> Console:
    """As wide as the terminal; a pipe gets lines that need no folding."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def _print(rules: Schedule, day: int) -> None:
    console = _console()
    found = list(_in_force(rules, day))
    if not found:
        raise UsageError(f"no rule is known for {format_day(day)}", advice="the business began on 2006-08-21")
    console.print(f"Rules in force on {format_day(day)}", style="bold")
    name = max(len(parameter.name) for parameter, _ in found)
    value = min(44, max(len(shown(parameter.kind, entry.value)) for parameter, entry in found))
    for section, part in _by_section(rules, found):
        console.print(f"\n{section}", style="bold")
        table = _table("", "", "", "", "")
        table.columns[0].width, table.columns[1].width, table.columns[3].width = name, value, 4
        for parameter, entry in part:
            told = shown(parameter.kind, entry.value)
            table.add_row(parameter.name, told, format_day(entry.since), entry.conf, _plain(entry.source))
        table.show_header = False
        console.print(table)
    stated = [parameter.name for parameter, _ in found if parameter.stated]
    if stated:
        console.print(f"\nOnly stated, nothing here acts on it: {', '.join(stated)}")
    _print_presets(console, rules, day)
    console.print("\nBoundaries", style="bold")
    for reading in ("inclusive", "exclusive"):
        names = [name for name, read in rules.boundary.items() if read == reading]
        console.print(f"  {reading}: {', '.join(names)}", soft_wrap=False)


def _print_presets(console: Console, rules: Schedule, day: int) -> None:
    presets = _presets(rules, day)
    if not presets:
        return
    console.print(
        "\nPresets of lines and deadlines, as the exchanges let them hold on this day", style="bold"
    )
    heads = ("preset", "warn", "min", "immediate", "target", "cure by", "liquidate from", "from")
    table = _table(*heads)
    for found in map(_preset, presets):
        immediate = found["immediate"] and f"{found['immediate']} {found['immediate_mode']}"
        table.add_row(
            found["preset"],
            found["warn"],
            found["min"],
            immediate or ABSENT,
            found["target"],
            f"T+{found['cure_by']}",
            f"T+{found['liquidate_from']}",
            found["from"],
        )
    console.print(table)


def _by_section(
    rules: Schedule, found: Iterable[tuple[Parameter, Entry]]
) -> Iterator[tuple[str, list[tuple[Parameter, Entry]]]]:
    """Parameters under the titles of the rulebook's sections, in the rulebook's order."""
    groups: dict[str, list[tuple[Parameter, Entry]]] = {}
    for parameter, entry in found:
        groups.setdefault(parameter.section, []).append((parameter, entry))
    for section in sorted(groups, key=_order):
        yield f"{section} {rules.sections.get(section, '')}".strip(), groups[section]


def _order(section: str) -> list[int]:
    return [int(part) for part in section.split(".") if part]


def _plain(text: str) -> str:
    """Brackets of sources are not markup."""
    return text.replace("[", "\\[")


def _differences(rules: Schedule, day: int, other: int, *, as_json: bool, sources: bool) -> None:
    found = list(differences(rules, day, other))
    if as_json:
        changes = [
            {
                "parameter": parameter.name,
                "before": None if before is None else _as_dict(parameter, before),
                "after": None if after is None else _as_dict(parameter, after),
            }
            for parameter, before, after in found
        ]
        print_json({"date": format_day(day), "diff": format_day(other), "changes": changes})
        return
    console = _console()
    if not found:
        console.print(f"The same rules hold on {format_day(day)} and {format_day(other)}.")
        return
    table = _table("rule", format_day(day), format_day(other), "from", "conf", "source")
    for parameter, before, after in found:
        told = after or before
        assert told is not None
        since = format_day(after.since) if after is not None else ABSENT
        table.add_row(
            parameter.name, _cell(parameter, before), _cell(parameter, after), since, told.conf,
            _plain(told.source),
        )  # fmt: skip
    console.print(table)
    _print_sources((entry for _, *both in found for entry in both if entry is not None), on=sources)


def _print_sources(entries: Iterable[Entry], *, on: bool) -> None:
    if not on:
        return
    console = _console()
    console.print("\nSources", style="bold")
    for number, text in cited(entry.source for entry in entries).items():
        console.print(f"  {number}  {_plain(text)}", soft_wrap=True)


def _cell(parameter: Parameter, entry: Entry | None) -> str:
    return ABSENT if entry is None else shown(parameter.kind, entry.value)
