"""`liangrong doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio
import sys

import click

from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.doctor import Finding, examine
from streams.settings import Settings

_MARKS = {"ok": ("ok", "green"), "warning": ("!!", "yellow"), "failed": ("XX", "red")}


@click.command()
@json_option
@with_settings(shown=("LIANGRONG_PARTITIONS", "LIANGRONG_CHECKPOINTS"))
def command(settings: Settings, as_json: bool) -> None:
    """Check settings, broker, topics, lag, checkpoints and clock; exit code 1 if something must be done."""
    if asyncio.run(_examine(settings, as_json)):
        sys.exit(1)


async def _examine(settings: Settings, as_json: bool) -> bool:
    found: list[Finding] = []
    async for finding in examine(settings):
        found.append(finding)
        if not as_json:
            mark, colour = _MARKS[finding.verdict]
            click.echo(f"{click.style(mark, fg=colour)}  {finding.check}: {finding.text}")
            if finding.advice:
                click.echo(f"    {finding.advice}")
    failed = any(finding.verdict == "failed" for finding in found)
    if as_json:
        names = ("check", "verdict", "text", "advice")
        checks = [{name: getattr(finding, name) for name in names} for finding in found]
        print_json({"ok": not failed, "checks": checks})
    return failed
