"""`liangrong account`: an account now, asked of the worker that owns it."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from agents.explain.statement import moment, yuan
from schemas.fields import ACCOUNT
from schemas.units import parse_scaled
from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.errors import UsageError
from streams.lookup import ask_account
from streams.settings import Settings

Record = dict[str, Any]
_LEVEL_COLOURS = {"normal": "green", "warn": "yellow", "below_min": "yellow", "immediate": "red"}


@click.command()
@click.argument("account")
@json_option
@with_settings()
def command(settings: Settings, account: str, as_json: bool) -> None:
    """Show ACCOUNT as it stands now: assets, debt, ratio, margin, lines, call, capacity, holdings."""
    if not ACCOUNT.fits(account):
        raise UsageError(f"{account} is no account name", advice="1 to 32 characters of A-Z a-z 0-9 _ -")
    view = asyncio.run(ask_account(settings, account))
    if as_json:
        print_json(view)
        return
    for line in _head(view):
        click.echo(line)
    rows = [*_positions(view), *_contracts(view)]
    widths = [max((len(row[place]) for row in rows), default=0) for place in range(4)]
    for label, working, value, note in rows:
        click.echo(f"  {label:<{widths[0]}}  {working:>{widths[1]}}  {value:>{widths[2]}}  {note}".rstrip())


def _head(view: Record) -> list[str]:
    level = click.style(view["level"], fg=_LEVEL_COLOURS.get(view["level"]), bold=True)
    lines = "  ".join(f"{name} {line}" for name, line in view["lines"].items() if line is not None)
    head = [
        f"{click.style(view['account'], bold=True)}  {level}  {moment(view['ts'])} (Shanghai)",
        f"  ratio             {view['ratio'] or '-'}",
        f"  assets            {_money(view['assets'])}",
        f"  debt              {_money(view['debt'])}",
        f"  available margin  {_money(view['available_margin'])}",
        f"  lines             {lines}  ({view['rule']})",
    ]
    if view.get("unpriced"):
        head.append(f"  without a price   {', '.join(view['unpriced'])}")
    if view.get("flags"):
        head.append(f"  flags             {', '.join(view['flags'])}")
    call = view.get("call")
    if view.get("episode") and call:
        held = ", held" if call["held"] else ""
        head.append(
            f"  call              {view['episode']}: {call['state']}{held}, {call['steps']} steps so far"
        )
        due = call.get("obligations")
        if due:
            names = ", ".join(due["contracts"])
            head.append(f"  due               {due['money']} ({due['reason']}): {names}")
        if call["orders"]:
            head.append(f"  open orders       {', '.join(call['orders'])}")
    else:
        head.append("  call              none is open")
    return head + _capacity(view["capacity"])


def _capacity(capacity: Record) -> list[str]:
    """What could still be borrowed and withdrawn, and the requests that are open."""
    lines = [
        f"  could finance     {_money(capacity['max_new_financing'])} at {capacity['financing_margin']}",
        f"  could sell short  {_money(capacity['max_new_lending'])} at {capacity['lending_margin']}",
        f"  could withdraw    {_money(capacity['withdrawable_cash'])} in cash",
    ]
    for order in capacity["open_orders"]:
        what = f"{order['qty']:,} {order['security']}" if "security" in order else _money(order["amount"])
        lines.append(f"  open request      {order['order']}: {order['business']} {what}")
    return lines


def _positions(view: Record) -> list[tuple[str, str, str, str]]:
    evidence = view["evidence"]
    rows = [("", "", "", ""), ("cash", "", _money(evidence["cash"]), "")]
    if parse_scaled(view.get("frozen_cash", 0), 3, "frozen_cash"):
        rows.append(("", "", "", f"of which frozen {_money(view['frozen_cash'])}"))
    for held in evidence["positions"]:
        price = held["price"] or "no price"
        rows.append((held["security"], f"{held['qty']:,} × {price}", _money(held["value"]), ""))
    for name, label in (("other_collateral", "other collateral"), ("in_transit", "in transit")):
        if parse_scaled(evidence.get(name, 0), 3, name):
            rows.append((label, "", _money(evidence[name]), ""))
    return rows


def _contracts(view: Record) -> list[tuple[str, str, str, str]]:
    rows = [("", "", "", "")]
    for contract in view["evidence"]["contracts"]:
        label = f"{contract['type']} {contract['contract']}"
        interest = f"interest {_money(contract['interest'])}"
        if contract["type"] == "financing":
            owed = _money(contract["principal"])
            rows.append((label, contract["security"], owed, interest))
        else:
            working = f"{contract['qty']:,} × {contract['price'] or 'no price'}"
            rows.append((label, working, "", f"{contract['security']}, {interest}"))
    return rows if len(rows) > 1 else []


def _money(text: str) -> str:
    return yuan(parse_scaled(text, 3, "amount"))
