"""`liangrong broker`: the embedded broker in the foreground."""

from __future__ import annotations

import signal
import threading

import click

from streams.brokers import EmbeddedBroker, announce
from streams.cli.options import json_option
from streams.cli.output import print_json
from streams.errors import BrokerError


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port of 127.0.0.1 (default: a free one).")
@json_option
def command(port: int | None, as_json: bool) -> None:
    """Run the embedded broker until Ctrl-C. Its records are in memory and gone when it ends.

    Other commands of the same user find it by themselves while KAFKA_BOOTSTRAP is not set.
    """
    ended = threading.Event()
    codes: list[int] = []

    def died(code: int) -> None:
        codes.append(code)
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with EmbeddedBroker(port) as broker, announce(broker.bootstrap):
        broker.process.on_death(died)
        if as_json:
            print_json({"bootstrap": broker.bootstrap, "pid": broker.process.pid})
        else:
            click.echo(f"KAFKA_BOOTSTRAP={broker.bootstrap}")
            click.echo("Ctrl-C ends it.", err=True)
        ended.wait()
        if codes:
            raise BrokerError(f"the embedded broker ended with code {codes[0]}:\n{broker.process.tail()}")
