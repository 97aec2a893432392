"""What the events mean: pure state machines over integer arrays, and `Book`, the same core for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.margin.notebook import Book

__all__ = ["Book"]


def __getattr__(name: str) -> object:
    """`Book`, loaded when it is asked for: it brings numba along."""
    if name == "Book":
        from agents.margin.notebook import Book

        return Book
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
