"""The meaning of a schedule in a few characters: equal where every parameter, boundary word and preset that a
core may read is equal on every day, whatever the files looked like.
"""

import hashlib

from agents.rules.presets import versions_of
from agents.rules.schedule import Schedule

DIGITS = 12


def fingerprint(schedule: Schedule) -> str:
    """The first digits of the SHA-256, in hexadecimal, of what the schedule says.

    Days, units and defaults are read first, and order, comments, sources and degrees of confidence do not
    count: they change no record. Parameters that are only stated do not count either.
    """
    meaning = (
        sorted(
            (name, [(entry.since, entry.until, entry.value) for entry in parameter.entries])
            for name, parameter in schedule.parameters.items()
            if not parameter.stated
        ),
        sorted(schedule.boundary.items()),
        sorted((name, versions_of(name, raw)) for name, raw in schedule.presets.items()),
    )
    return hashlib.sha256(repr(meaning).encode()).hexdigest()[:DIGITS]
