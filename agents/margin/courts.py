"""Freezes ordered by courts (司法冻结): what of an account a court holds, so that the order is known to be
in force (rulebook 7.1: the broker's claim comes first, the whole debt falls due).

A `freeze` event whose reason is one of COURT_REASONS is such an order. It is in force until as much is
released, by whatever event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agents.books.book import Books
from agents.books.columns import Snapshot
from agents.books.rows import EventRows
from schemas.account import KINDS

COURT_REASONS = frozenset({"court", "seizure"})

_FREEZE = KINDS.index("freeze")
_CASH = ""


class Courts:
    """Per account and security ("" = cash) what courts froze: shares, or milli."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, int]] = {}

    def note(self, books: Books, events: EventRows, row: int, account: int) -> None:
        """Takes an event already applied to the books."""
        name = books.accounts.names[account]
        if events.kind[row] == _FREEZE and _reason(events, row) in COURT_REASONS:
            held = self._held.setdefault(name, {})
            cash = events.security[row] < 0
            thing = _CASH if cash else events.security_name(row)
            held[thing] = held.get(thing, 0) + (events.amount[row] if cash else events.qty[row])
        if name in self._held:
            self._cap(books, account, name)

    def _cap(self, books: Books, account: int, name: str) -> None:
        """No more is held by courts than is frozen at all."""
        held = {thing: min(much, _frozen(books, account, thing)) for thing, much in self._held[name].items()}
        self._held[name] = {thing: much for thing, much in held.items() if much > 0}
        if not self._held[name]:
            del self._held[name]

    def hold(self, name: str) -> bool:
        """Whether a court's order on the account is in force."""
        return name in self._held

    def of(self, name: str) -> dict[str, int]:
        """What courts hold of an account."""
        return self._held.get(name, {})

    def snapshot(self) -> Snapshot:
        """Everything."""
        return {"courts": orjson.dumps(self._held, option=orjson.OPT_SORT_KEYS)}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        self._held = orjson.loads(bytes(snapshot["courts"]))


def _reason(events: EventRows, row: int) -> object:
    return orjson.loads(events.batch.raw_of(row)).get("reason")


def _frozen(books: Books, account: int, thing: str) -> int:
    if thing == _CASH:
        return books.accounts.frozen_cash[account]
    position = books.positions.find(account, books.security(thing))
    return books.positions.rows.frozen[position] if position >= 0 else 0
