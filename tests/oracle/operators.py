"""What an operator's commands change (contract section 2, `commands`)."""

from __future__ import annotations

from typing import Any

from tests.oracle.amounts import RefusedError
from tests.oracle.calls import AT_ONCE, CALLED, EXPIRED, LIQUIDATING, Episode, Moment
from tests.oracle.dated import CONTRACT_DECIDES_SINCE
from tests.oracle.presets import Preset

MOST_DAYS_BEFORE_2015 = 2


def change(episode: Episode, command: dict[str, Any], now: Moment, preset: Preset) -> None:
    """Changes an open episode; its next record names the command."""
    what = command["command"]
    if what == "extend_deadline":
        if now.day < CONTRACT_DECIDES_SINCE:
            called = episode.called_on is not None
            days = (episode.terms[0] if called else preset.cure_by) + episode.extra + command["days"]
            if days > MOST_DAYS_BEFORE_2015:
                raise RefusedError("days", "the exchange allows two trading days")
        _extend(episode, command["days"], now)
    elif what == "set_preset":
        episode.terms = preset.cure_by, preset.liquidate_from
    episode.command = {"id": command["id"], "by": command["by"]}
    if what == "hold":
        episode.held = True
    elif what == "resume":
        episode.held = False


def _extend(episode: Episode, days: int, now: Moment) -> None:
    """What had expired is open again if its deadline now lies ahead; not once liquidation has begun."""
    if episode.state in (AT_ONCE, LIQUIDATING):
        return
    episode.extra += days
    if episode.state != EXPIRED:
        return
    cured_by = (episode.called_on or 0) + episode.terms[0] + episode.extra
    if episode.pursued == "expired" and now.day_index < cured_by:
        episode.pursued = None
    waits = not episode.obliged or now.day_index < episode.obliged_on + episode.extra
    if episode.pursued is None and waits and episode.obliged != "freeze":
        episode.state = CALLED
