"""The one exception of this room: a record that cannot be what it claims to be."""

from __future__ import annotations


class BadRecord(ValueError):  # noqa: N818 - it names the record, as contract and dead letters do
    """A record is refused.

    `field` is the path of the offending field (`positions[3].qty`), empty when the record as a whole is
    unreadable; `reason` is a sentence for the publisher, without the field's name.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason

    def __reduce__(self) -> tuple[type[BadRecord], tuple[str, str]]:
        return (type(self), (self.field, self.reason))

    def inside(self, outer: str) -> BadRecord:
        """The same complaint seen from the enclosing object: `qty` inside `positions[3]`."""
        if not self.field:
            return BadRecord(outer, self.reason)
        joint = "" if self.field.startswith("[") else "."
        return BadRecord(f"{outer}{joint}{self.field}", self.reason)


def shown(value: object) -> str:
    """`value` as it may appear in a message: quoted and cut, so that a hostile record cannot flood a log."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
