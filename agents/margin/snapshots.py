"""Evidence between the records of a call: when its notice is acknowledged, and daily while it is open.

`margin.calls` carries the evidence of `called`, `immediate` and of the end; these two moments are no step of
a call's life and go to `system.events`, kind `evidence`, with the episode among their figures.
"""

from __future__ import annotations

from typing import Any

from agents.margin.desk import Desk
from agents.margin.evidence import evidence, shown_ratio
from agents.rules.topup import shortfall_milli
from schemas.topics import SYSTEM_EVENTS
from schemas.units import format_day, format_money

EVIDENCE = "evidence"
ACKNOWLEDGED, DAILY = "acknowledged", "daily"

_TEXTS = {
    ACKNOWLEDGED: "evidence when the notice of {episode} was acknowledged",
    DAILY: "evidence of {episode} at the end of {day}",
}


def tell_evidence(desk: Desk, row: int, moment: str, ts: int, **more: Any) -> None:
    """Publishes the evidence of an open episode now; `moment` is acknowledged or daily."""
    episodes, accounts = desk.episodes, desk.books.accounts
    episodes.snapshots[row] += 1
    account, episode = episodes.account[row], desk.episode_name(row)
    assets, debt = accounts.assets(account), accounts.debt(account)
    day = format_day(desk.books.day)
    desk.say(
        SYSTEM_EVENTS,
        EVIDENCE,
        {
            "id": f"{episode}:e{episodes.snapshots[row]}",
            "ts": ts,
            "kind": EVIDENCE,
            "date": day,
            "account": accounts.names[account],
            "text": _TEXTS[moment].format(episode=episode, day=day),
            "figures": {
                "episode": episode,
                "step": episodes.step[row],
                "moment": moment,
                "ratio": shown_ratio(assets, debt),
                "assets": format_money(assets),
                "debt": format_money(debt),
                "shortfall": format_money(shortfall_milli(assets, debt, desk.preset(account).target)),
                "evidence": evidence(desk.books, account),
                **more,
            },
        },
    )
