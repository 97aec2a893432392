"""The command `liangrong`. Each subcommand is a module of this package, imported when it is called."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

import click

from streams.errors import UserError, expected
from streams.settings import DESCRIPTIONS

COMMANDS = {
    "demo": ("streams.cli.demo", "watch the crash of 7 April 2025: broker, books, worker, live view"),
    "broker": ("streams.cli.broker", "the embedded broker in the foreground; prints its address"),
    "topics": ("streams.cli.topics", "create, list, describe the topics of the contract"),
    "worker": ("streams.cli.worker", "the processor: intake, market, margin and financing agents"),
    "publish": ("streams.cli.publish", "validate and publish JSON lines, CSV or Parquet"),
    "subscribe": ("streams.cli.subscribe", "follow alert topics without duplicates"),
    "import": ("streams.cli.import_day", "turn a vendor's files into a recorded day"),
    "books": ("streams.cli.books", "make synthetic account books"),
    "replay": ("streams.cli.replay", "publish a recorded day, at any speed"),
    "run": ("streams.cli.run", "the same day through the same cores, without a broker"),
    "report": ("streams.cli.report", "a finished run day by day: debts, calls, forced sales"),
    "record": ("streams.cli.record", "record topics to a day directory"),
    "account": ("streams.cli.account", "an account now: assets, debt, ratio, lines, calls"),
    "explain": ("streams.cli.explain", "the arithmetic of an alert, line by line"),
    "rules": ("streams.cli.rules", "the dated rules that hold on a day, and what changed between two"),
    "doctor": ("streams.cli.doctor", "check broker, topics, lag, checkpoints, clock, settings"),
}
"""Module (with an attribute `command`) and one-line help of every subcommand."""

INTERRUPTED = 130
_AGAIN_SECONDS = 30.0


class LazyGroup(click.Group):
    """A group that lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of the table."""
        return [name for name, (module, _) in COMMANDS.items() if find_spec(module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, its module imported now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line a command, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The settings, which every command takes from the environment or as options."""
        with formatter.section("Settings (environment, or options such as --topic-prefix)"):
            formatter.write_dl(list(DESCRIPTIONS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        # `--KAFKA_BOOTSTRAP` is understood as `--kafka-bootstrap`.
        "token_normalize_func": lambda token: token.lower().replace("_", "-"),
        "max_content_width": 110,
    },
)
@click.version_option(package_name="liangrong")
def root() -> None:
    """Supervision of margin trading and securities lending (两融), driven by events.

    Exit codes: 0 done, 1 failed, 2 wrong usage.
    """


class _Seldom(logging.Filter):
    """Lets a message of the Kafka client pass once in half a minute: without a broker it says the same ten
    times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is said."""
        if not record.name.startswith("aiokafka"):
            return True
        if record.created - self._passed.get(str(record.msg), 0.0) < _AGAIN_SECONDS:
            return False
        self._passed[str(record.msg)] = record.created
        return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; an expected error is one message on standard error, no traceback."""
    handler = logging.StreamHandler()
    handler.addFilter(_Seldom())
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", handlers=[handler]
    )
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # its retries are routine
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal's own encoding may lack a sign
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        outcome = root.main(args=arguments, prog_name="liangrong", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except SystemExit as ended:
        # So click and rich end when the reader of our output has had enough: `liangrong subscribe | head`.
        if isinstance(ended.__context__, BrokenPipeError):
            return 0
        raise
    except (UserError, OSError) as error:
        said = expected(error)
        if said is None:
            raise
        return _say(said)
    return outcome if isinstance(outcome, int) else 0


def _say(error: UserError) -> int:
    click.echo(f"liangrong: {error.message}", err=True)
    if error.advice:
        click.echo(error.advice, err=True)
    return error.exit_code
