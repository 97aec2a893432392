"""`liangrong explain`: the arithmetic of an alert."""

from __future__ import annotations

import asyncio
import sys

import click

from agents.explain import EXPLAINED, Explanation, explain
from agents.explain.statement import AGREES, DIFFERS
from agents.rules.schedule import Schedule
from schemas.errors import BadRecord
from schemas.fields import ACCOUNT, SECURITY
from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.errors import UsageError, UserError
from streams.lookup import NotFoundError, Value, account_alerts, signals
from streams.rules_file import load_rules
from streams.settings import Settings

_FORMS = (
    "An alert id begins with its account or security: A0000017:2025-04-07:1:2 (liangrong subscribe --json)."
)


@click.command()
@click.argument("alert_id")
@json_option
@with_settings(shown=("LIANGRONG_RULES",))
def command(settings: Settings, alert_id: str, as_json: bool) -> None:
    """Print the arithmetic of ALERT_ID line by line, with the rules it stands on and their dates.

    ALERT_ID is the id of a margin call, a liquidation order, a liquidation plan, a decision on an order or
    a security signal. An episode (an id without its last part) is shown step by step. Exit code 1 if a
    figure does not follow from the record's own evidence.
    """
    subject, colon, _ = alert_id.partition(":")
    if not colon or not (ACCOUNT.fits(subject) or SECURITY.fits(subject)):
        raise UsageError(f"{alert_id} is no alert id", advice=_FORMS)
    search = signals if SECURITY.fits(subject) else account_alerts
    known = asyncio.run(search(settings, subject))
    found = [(topic, value) for topic, value in known if value.get("id") == alert_id]
    episode = [(topic, value) for topic, value in known if value.get("episode") == alert_id]
    if not found and not episode:
        raise NotFoundError(
            f"there is no alert {alert_id} in {', '.join(EXPLAINED)}", advice=_near(subject, known)
        )
    rules = load_rules(settings)
    told = [_explained(topic, value, known, rules) for topic, value in found or _calls(episode)]
    if as_json:
        print_json(told[0].as_dict() if found else [one.as_dict() for one in told])
    else:
        for place, one in enumerate(told):
            click.echo("\n" if place else "", nl=False)
            _print(one)
    if not all(one.adds_up for one in told):
        sys.exit(1)


def _calls(episode: list[tuple[str, Value]]) -> list[tuple[str, Value]]:
    return [(topic, value) for topic, value in episode if topic == "margin.calls"]


def _explained(topic: str, value: Value, known: list[tuple[str, Value]], rules: Schedule) -> Explanation:
    try:
        return explain(topic, value, known, rules)
    except BadRecord as bad:
        raise UserError(f"{value.get('id')} on {topic} is not a record of its schema: {bad}") from bad


def _near(subject: str, known: list[tuple[str, Value]]) -> str:
    """Ids that are there, newest last, for a person who mistyped one."""
    known = [(topic, value) for topic, value in known if topic in EXPLAINED]
    if not known:
        return f"Nothing was published about {subject} on these topics."
    latest = sorted(known, key=lambda alert: alert[1].get("ts") or 0)[-5:]
    return f"About {subject} there is: {', '.join(str(value['id']) for _, value in latest)}"


def _print(told: Explanation) -> None:
    """Marks in colour where there is a terminal; click leaves colours out of pipes."""
    for place, line in enumerate(told.lines()):
        if place == 0 or (line and not line.startswith((" ", "="))):
            click.secho(line, bold=True, fg="red" if line.startswith("DOES NOT") else None)
        elif f"  {DIFFERS}" in line:
            click.secho(line, fg="red")
        else:
            click.echo(line.replace(f"  {AGREES}", "  " + click.style(AGREES, fg="green")))
