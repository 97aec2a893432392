"""Printing: JSON lines for programs, aligned columns for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click
import orjson


def print_json(value: Any) -> None:
    """One JSON value on one line."""
    click.echo(orjson.dumps(value))


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows under a heading, columns aligned; numbers to the right."""
    texts = [list(head), *([str(cell) for cell in row] for row in rows)]
    kinds = list(zip(*texts[1:], strict=True)) if len(texts) > 1 else [()] * len(head)
    widths = [max(len(row[column]) for row in texts) for column in range(len(head))]
    for row in texts:
        cells = [
            text.rjust(width) if kind and all(value.isdigit() for value in kind) else text.ljust(width)
            for text, width, kind in zip(row, widths, kinds, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())
