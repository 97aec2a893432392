"""The margin core of one shard: a pure state machine over account events, commands, reference data, marks
and sessions.

Outputs of one evaluation come in the order of account names, never of rows: the same day gives the same
records however the accounts are spread over shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.books.columns import Snapshot
from agents.books.loading import open_new
from agents.books.rows import EventRows
from agents.books.seen import NEW, OTHER_CONTENT, SAME, event_key
from agents.core import Output, Segment, StateRow
from agents.dead_letters import dead_letter
from agents.gate.gate import Gate
from agents.gate.use import note_use
from agents.margin.calls import Calls
from agents.margin.canonical import state_rows
from agents.margin.commands import obey
from agents.margin.custody import Custody
from agents.margin.day import Day
from agents.margin.desk import Desk, Moment, ShardConfig
from agents.margin.evidence import available
from agents.margin.liquidation import Liquidation
from agents.margin.marks import absorb
from agents.margin.progress import note_progress
from agents.margin.reference import Reference
from agents.margin.view import account_view, level_counts, worst_accounts
from schemas import decode
from schemas.batches import MarkBatch
from schemas.errors import BadRecord
from schemas.market import Session
from schemas.topics import ACCOUNT_EVENTS, ACCOUNT_ORDERS, COMMANDS, FIRM_TOTALS, REFERENCE_CUSTODY

__all__ = ["MarginShard", "ShardConfig"]


class MarginShard:
    """Implements `agents.core.Core` for the sources account.events, account.orders, commands,
    security.signals, firm.totals and reference.*.
    """

    def __init__(self, config: ShardConfig | None = None) -> None:
        self.desk = Desk(config or ShardConfig())
        self.calls = Calls(self.desk)
        self.liquidation = Liquidation(self.desk, self.calls)
        self.reference = Reference(self.desk)
        self.gate = Gate(self.desk)
        self.custody = Custody(self.desk)
        self.day = Day(self.desk, self.calls, self.liquidation, self.reference, self.custody)

    # -- the core's protocol

    def apply_events(self, segment: Segment) -> list[Output]:
        """Applies a run of events in order; refused ones become dead letters and change nothing."""
        if segment.topic == ACCOUNT_EVENTS:
            self._account_events(segment)
        elif segment.topic == ACCOUNT_ORDERS:
            self.gate.take(segment)
        elif segment.topic == FIRM_TOTALS:
            for value in segment.values:
                self.reference.take_totals(value)
        else:
            for row, value in enumerate(segment.values):
                try:
                    event = decode(segment.topic, value)
                    if segment.topic == COMMANDS:
                        obey(self.desk, self.calls, self.liquidation, event)
                    elif segment.topic == REFERENCE_CUSTODY:
                        self.custody.take(event, value)
                    else:
                        self.reference.take(segment.topic, event, value)
                except BadRecord as error:
                    self.desk.out.append(dead_letter(segment, row, error.field, error.reason))
            self.reference.flush()
        return self.desk.take_outputs()

    def apply_marks(self, marks: MarkBatch, evaluate: bool) -> list[Output]:
        """Takes newer observations; with `evaluate`, evaluates the accounts they and earlier ones touched."""
        absorb(self.desk, marks)
        if evaluate:
            self.day.evaluate_touched(Moment(self.desk.calendar.market_ts))
        return self.desk.take_outputs()

    def apply_session(self, session: Session) -> list[Output]:
        """Applies a phase, a halt or the clock."""
        self.day.apply(session)
        return self.desk.take_outputs()

    def snapshot(self) -> Snapshot:
        """The whole state."""
        return {**self.desk.snapshot(), **self.reference.snapshot(), **self.custody.snapshot()}

    def restore(self, snapshot: Mapping[str, bytes | NDArray[Any]]) -> None:
        """Become the state of a snapshot."""
        self.desk.restore(snapshot)
        self.reference.restore(snapshot)
        self.custody.restore(snapshot)
        self.calls.due = []

    def state_rows(self) -> Iterable[StateRow]:
        """Accounts and securities in canonical form."""
        return state_rows(self.desk)

    # -- what a person looks up

    def account(self, name: str) -> dict[str, Any]:
        """An account now. Raises KeyError for one never opened."""
        return account_view(self.desk, name)

    def counts(self) -> dict[str, Any]:
        """How many accounts there are at each level, and how many owe something."""
        return level_counts(self.desk)

    def worst(self, n: int) -> list[dict[str, Any]]:
        """The `n` indebted accounts with the lowest ratios."""
        return worst_accounts(self.desk, n)

    # -- account events

    def _account_events(self, segment: Segment) -> None:
        batch = segment.batch
        if batch is None or not len(batch):
            return
        desk, events = self.desk, EventRows(batch)
        if desk.books.day < 0:
            self.day.turn_to(events.day[0])
        pool = batch.pool
        keys = [event_key(pool[a], pool[e]) for a, e in zip(events.account, events.id, strict=True)]
        found = desk.books.seen.look_up(keys, batch.digest)
        digests: list[int] = batch.digest.tolist()
        unseen = np.fromiter((known == NEW for known in found), np.bool_, len(found))
        opened = open_new(desk.fold, batch, unseen)
        margins = self._margins(opened)
        fresh: dict[bytes, int] = {}
        applied: list[int] = []
        for row, key in enumerate(keys):
            known = found[row]
            if known == NEW and key in fresh:
                known = SAME if fresh[key] == digests[row] else OTHER_CONTENT
            if known == SAME:
                continue
            try:
                if row in margins:
                    self._evaluate(events, row, int(opened[row]), money_in=True, margin=margins[row])
                else:
                    self._account_event(events, row, repeated=known == OTHER_CONTENT)
            except BadRecord as error:
                desk.out.append(dead_letter(segment, row, error.field, error.reason))
                continue
            fresh[key] = digests[row]
            applied.append(row)
        desk.books.seen.add([keys[row] for row in applied], np.ascontiguousarray(batch.digest[applied]))

    def _margins(self, opened: NDArray[np.int32]) -> dict[int, int]:
        """Available margin of the accounts opened just now, by row of their opening."""
        rows = np.flatnonzero(opened >= 0).tolist()
        if not rows:
            return {}
        return dict(zip(rows, available(self.desk.books, opened[rows].tolist()), strict=True))

    def _account_event(self, events: EventRows, row: int, *, repeated: bool) -> None:
        if repeated:
            raise BadRecord("id", "was used before, with other content")
        desk = self.desk
        account, money_in = desk.fold.apply(events, row)
        desk.courts.note(desk.books, events, row, account)
        self._evaluate(events, row, account, money_in=money_in)

    def _evaluate(
        self, events: EventRows, row: int, account: int, *, money_in: bool, margin: int | None = None
    ) -> None:
        desk = self.desk
        accounts = desk.books.accounts
        if events.day[row] <= desk.calendar.settled:
            accounts.late[account] = 1
        if money_in:
            accounts.written_off[account] = 0
        if desk.reservations:
            note_use(desk.reservations, desk.books.securities.index, events, row, account)
        moment = Moment(events.ts[row], own=True, money_in=money_in)
        if accounts.episode[account] >= 0 and note_progress(desk, events, row, account):
            moment.progressed = frozenset({account})
        if accounts.closed[account]:
            return
        self.calls.evaluate(account, moment, margin)
        if self.calls.due:
            self.liquidation.plan_due(moment)
