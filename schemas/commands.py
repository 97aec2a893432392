"""An operator's word (contract section 2, `commands`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from schemas.errors import BadRecord
from schemas.fields import ACCOUNT, Choice, Codec, Identifier, JsonSchema, Text, Ts, Whole, Words

COMMANDS = ("acknowledge", "extend_deadline", "approve", "hold", "resume", "set_preset")

CommandName = Annotated[str, Choice(COMMANDS)]
ExtraDays = Annotated[int, Whole(1, 250, "trading days")]


class _Target(Text):
    """An account, or `*` for all."""

    __slots__ = ()

    def fits(self, value: str) -> bool:
        return value == "*" or ACCOUNT.fits(value)

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"const": "*"}, ACCOUNT.schema()]}


_TARGET: Codec = _Target("an account, or * for all", 66)
Target = Annotated[str, _TARGET]


@dataclass(frozen=True, slots=True)
class Command:
    """What an operator wants: `acknowledge`, `extend_deadline`, `approve`, `hold`, `resume`, `set_preset`.

    `account` repeats the record's key (an account, or `*` for all); `alert` is the id of the alert or of the
    episode meant (without it: the account's open one); `days` lengthens a deadline by so many trading days.
    """

    id: Identifier
    ts: Ts
    by: Identifier
    command: CommandName
    account: Target | None = None
    alert: Words | None = None
    days: ExtraDays | None = None
    preset: Identifier | None = None
    note: Words | None = None

    def check(self) -> None:
        """Each command carries what it is about."""
        if self.command == "extend_deadline" and self.days is None:
            raise BadRecord("days", "is missing for extend_deadline")
        if self.command == "set_preset" and self.preset is None:
            raise BadRecord("preset", "is missing for set_preset")
