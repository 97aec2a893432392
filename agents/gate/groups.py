"""Groups of related accounts: those that carry a common tag in front (`{G7}A1`) live in one shard."""

from __future__ import annotations

from agents.books.accounts import Accounts
from schemas.routing import account_tag


class Groups:
    """Members of each tag. Follows the accounts as they are opened; nothing of it is state."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._known = 0
        self._names: list[str] = accounts.names
        self._members: dict[bytes, list[int]] = {}

    def of(self, account: int) -> list[int]:
        """Rows of the accounts related to one, itself included, as they were opened."""
        names = self._accounts.names
        if self._names is not names:
            self._names, self._known, self._members = names, 0, {}
        for row in range(self._known, len(names)):
            if names[row].startswith("{"):
                self._members.setdefault(account_tag(names[row]), []).append(row)
        self._known = len(names)
        name = names[account]
        return self._members[account_tag(name)] if name.startswith("{") else [account]
