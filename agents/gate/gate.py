"""The gate of one shard: every request of `account.orders` gets exactly one decision."""

from __future__ import annotations

from agents.books.seen import event_key
from agents.core import Segment
from agents.dead_letters import dead_letter
from agents.gate.answers import digest_of
from agents.gate.case import Case
from agents.gate.day_rules import DayRules
from agents.gate.decision import Record, decide, refuse_unknown
from agents.gate.groups import Groups
from agents.margin.desk import Desk
from agents.margin.evidence import available
from schemas import decode
from schemas.errors import BadRecord
from schemas.orders import AccountOrder
from schemas.topics import ACCOUNT_ORDERS, ORDER_DECISIONS
from schemas.units import shanghai_day


class Gate:
    """Answers requests in the order in which they come; accepted ones reserve at once."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.groups = Groups(desk.books.accounts)
        self._rules = DayRules(desk.rules, -1)

    def take(self, segment: Segment) -> None:
        """Decides a run of requests; what is not a request becomes a dead letter.

        The same id again gets its decision again, the same id with other content is a bad record.
        """
        desk = self.desk
        requests: list[tuple[int, AccountOrder]] = []
        for row, value in enumerate(segment.values):
            try:
                order = decode(ACCOUNT_ORDERS, value)
                if isinstance(order, AccountOrder):
                    requests.append((row, order))
            except BadRecord as error:
                desk.out.append(dead_letter(segment, row, error.field, error.reason))
        margins = self._margins([order for _, order in requests])
        for row, order in requests:
            try:
                desk.say(ORDER_DECISIONS, order.account, self._answer(order, margins))
            except BadRecord as error:
                desk.out.append(dead_letter(segment, row, error.field, error.reason))

    def _margins(self, orders: list[AccountOrder]) -> dict[int, int]:
        """Available margin of the accounts that ask: requests change no books, so once is enough."""
        index = self.desk.books.accounts.index
        rows = list(dict.fromkeys(index[order.account] for order in orders if order.account in index))
        return dict(zip(rows, available(self.desk.books, rows), strict=True)) if rows else {}

    def _answer(self, order: AccountOrder, margins: dict[int, int]) -> Record:
        answers, key, digest = self.desk.answers, event_key(order.account, order.id), digest_of(order)
        known = answers.find(key)
        if known is not None:
            if known[0] != digest:
                raise BadRecord("id", "was used before, with other content")
            return known[1]
        record = self._decide(order, margins)
        answers.keep(key, digest, record)
        return record

    def _decide(self, order: AccountOrder, margins: dict[int, int]) -> Record:
        accounts, day = self.desk.books.accounts, self.desk.books.day
        account = accounts.index.get(order.account, -1)
        if account < 0 or accounts.closed[account]:
            reason = "the account was never opened" if account < 0 else "the account is closed"
            today = day if day >= 0 else shanghai_day(order.ts)
            return refuse_unknown(order, reason, today)
        if self._rules.day != day:
            self._rules = DayRules(self.desk.rules, day)
        return decide(Case(self.desk, self.groups, self._rules, order, account, margins[account]))
