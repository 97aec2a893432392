"""`liangrong subscribe`: follow alerts, each once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import click

from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.moments import parse_moment, shanghai_time
from streams.settings import Settings
from streams.subscriber import ALERT_TOPICS, Alert, Subscriber

_ORDER = ("business", "security", "qty", "amount", "price")
_PLAN = ("event", "needed", "planned", "ratio_after")
_FACTS = {
    "margin.ratios": ("level", "ratio", "unpriced"),
    "margin.calls": ("event", "reason", "ratio", "shortfall"),
    "liquidation.orders": (*_PLAN, *_ORDER),
    "order.decisions": ("order", "decision", "limit"),
    "security.signals": ("business", "signal", "indicator", "effective"),
    "financing.balances": ("financing_balance", "lending_qty", "accounts"),
    "dead.letters": ("field",),
    "system.events": (),
}
"""Fields of each alert topic that a person wants to see first; `text` or `reason` follows them. Of what was
published to us, the fields of an order."""


@click.command(epilog=f"Alert topics: {', '.join(ALERT_TOPICS)}.")
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--from-beginning", is_flag=True, help="Begin with everything the broker holds.")
@click.option("--since", metavar="MOMENT", help="Begin at a market time: 2025-04-07T10:30, 10:30, 15m (ago).")
@click.option(
    "--account", "accounts", multiple=True, metavar="ACCOUNT", help="Only this account; may be repeated."
)
@click.option("--no-follow", is_flag=True, help="End at what is there now.")
@click.option("--limit", type=click.IntRange(min=1), help="End after so many alerts.")
@json_option
@with_settings()
def command(
    settings: Settings,
    topics: tuple[str, ...],
    from_beginning: bool,
    since: str | None,
    accounts: tuple[str, ...],
    no_follow: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Follow alert topics (default: all) without duplicates, until Ctrl-C."""
    subscriber = Subscriber(
        *topics,
        settings=settings,
        from_beginning=from_beginning,
        since=None if since is None else parse_moment(since, datetime.now(UTC)),
        accounts=accounts,
        follow=not no_follow,
    )
    with suppress(KeyboardInterrupt):  # Ctrl-C is how following ends
        asyncio.run(_follow(subscriber, limit, as_json))


async def _follow(subscriber: Subscriber, limit: int | None, as_json: bool) -> None:
    count = 0
    async with subscriber:
        async for alert in subscriber:
            if as_json:
                print_json({"topic": alert.topic, "key": alert.key, "value": alert.value})
            else:
                click.echo(describe(alert))
            count += 1
            if count == limit:
                return


def describe(alert: Alert) -> str:
    """One line for a person: time, topic, key, and the fields that say most."""
    value: dict[str, Any] = alert.value
    ts = value.get("ts")
    when = shanghai_time(ts) if isinstance(ts, int) else "-"
    names = _FACTS.get(alert.topic, _ORDER)
    facts = [f"{name}={_plain(value[name])}" for name in names if value.get(name) is not None]
    text = "" if "reason" in names else value.get("text") or value.get("reason") or ""
    return "  ".join(part for part in (when, alert.topic, alert.key, " ".join(facts), str(text)) if part)


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
