"""Unsecured claims (无担保债权): what accounts still owe beyond their assets once everything sellable was
sold (rulebook 7.2, SHORTFALL).

An entry begins with a `shortfall` and lives until the assets cover the debt again; each change of its amount
is told on `system.events`, at the shortfall and then at `settled`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from schemas.units import format_day, format_money

if TYPE_CHECKING:
    from agents.books.columns import Snapshot
    from agents.margin.desk import Desk

KIND = "shortfall_ledger"


class ShortfallLedger:
    """Account row -> [day of the shortfall, amount told last (milli), records told]."""

    def __init__(self) -> None:
        self.entries: dict[int, list[int]] = {}

    def amount(self, account: int) -> int:
        """The unsecured claim on an account as it was told last, milli."""
        return self.entries[account][1] if account in self.entries else 0

    def enter(self, desk: Desk, account: int, ts: int) -> None:
        """An account has come to a shortfall."""
        since = self.entries.get(account, [desk.books.day])[0]
        self.entries.setdefault(account, [since, 0, 0])
        self._tell(desk, account, ts)

    def settle(self, desk: Desk, ts: int) -> None:
        """Amounts as of the settled day; what is covered again leaves the ledger."""
        for account in desk.books.accounts.by_name(list(self.entries)):
            self._tell(desk, account, ts)
            since, amount, _ = self.entries[account]
            if not amount and since < desk.books.day:
                del self.entries[account]

    def _tell(self, desk: Desk, account: int, ts: int) -> None:
        accounts, entry = desk.books.accounts, self.entries[account]
        assets, debt = accounts.assets(account), accounts.debt(account)
        unsecured = max(0, debt - assets)
        if unsecured == entry[1]:
            return
        entry[1], entry[2] = unsecured, entry[2] + 1
        name, since = accounts.names[account], format_day(entry[0])
        record = {
            "id": f"{KIND}:{name}:{since}:{entry[2]}",
            "ts": ts,
            "kind": KIND,
            "date": format_day(desk.books.day),
            "account": name,
            "text": f"{format_money(unsecured)} yuan of the debt of {name} are covered by nothing",
            "figures": {
                "unsecured": format_money(unsecured),
                "assets": format_money(assets),
                "debt": format_money(debt),
                "since": since,
            },
        }
        desk.say("system.events", KIND, record)

    def snapshot(self) -> Snapshot:
        """Everything."""
        return {"shortfalls": orjson.dumps(sorted(self.entries.items()))}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        self.entries = dict(orjson.loads(bytes(snapshot["shortfalls"])))
