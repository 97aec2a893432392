"""`liangrong publish`: validate and publish records from a file or a pipe."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import click

from streams.cli.options import json_option, with_settings
from streams.cli.output import print_json
from streams.errors import PublishError
from streams.lines import Chunk, csv_chunks, json_chunks, read_chunks
from streams.publisher import BadLineError, Publisher, check_input_topic
from streams.settings import Settings


@click.command()
@click.argument("topic")
@click.argument("source", metavar="[FILE|-]", default="-")
@click.option("--csv", "as_csv", is_flag=True, help="Standard input is CSV with a heading, not JSON lines.")
@click.option("--frames", is_flag=True, help="Send trades, quotes and account events as binary frames.")
@click.option("--no-validate", is_flag=True, help="Send everything on; bad records become dead letters.")
@json_option
@with_settings()
def command(
    settings: Settings, topic: str, source: str, as_csv: bool, frames: bool, no_validate: bool, as_json: bool
) -> None:
    """Publish the records of FILE (.jsonl, .csv, each also .gz, .parquet), or JSON lines of standard input.

    The first bad record is named by its line and stops the command; the records before it are published.

    \b
    echo '{"security":"600519.SH","ts":1743987600000,"price":"1499.50","qty":100}' |
      liangrong publish market.trades
    """
    check_input_topic(topic)
    if source != "-":
        chunks = read_chunks(Path(source), topic)
    else:
        # Unbuffered: a reading thread left behind by Ctrl-C holds no lock that the interpreter's end needs.
        stream = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115
        chunks = csv_chunks(stream, topic) if as_csv else json_chunks(stream)
    publisher = Publisher(settings, frames=frames, validate=not no_validate)
    published = asyncio.run(_publish(publisher, topic, chunks))
    if as_json:
        print_json({"topic": topic, "published": published})
    else:
        click.echo(f"Published to {settings.topic(topic)}: {published}.")


async def _publish(publisher: Publisher, topic: str, chunks: Iterator[Chunk]) -> int:
    published = 0
    async with publisher:
        async for numbers, values in _in_background(chunks):
            try:
                await publisher.publish_many(topic, values, numbers=numbers)
            except BadLineError as bad:
                await publisher.flush()
                published += numbers.index(bad.number)
                advice = f"Published before it: {published}. With --no-validate bad ones are sent on as well."
                raise PublishError(bad.message, advice=advice) from None
            published += len(values)
    return published


async def _in_background(chunks: Iterator[Chunk]) -> AsyncIterator[Chunk]:
    """Chunks read by a thread, since reading may wait for a slow pipe while what was read must go out.

    The thread is a daemon: Ctrl-C does not wait for the other end of the pipe.
    """
    loop = asyncio.get_running_loop()
    ready: asyncio.Queue[Chunk | BaseException | None] = asyncio.Queue(maxsize=4)

    def read() -> None:
        outcome: BaseException | None = None
        try:
            for chunk in chunks:
                asyncio.run_coroutine_threadsafe(ready.put(chunk), loop).result()
        except BaseException as error:  # noqa: BLE001 - handed over to who waits for the chunks
            outcome = error
        asyncio.run_coroutine_threadsafe(ready.put(outcome), loop)

    threading.Thread(target=read, name="reading records", daemon=True).start()
    while (item := await ready.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item
