"""Options that commands share: `--json`, and every setting of the instance as an option."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import click

from streams.settings import DESCRIPTIONS, Settings, load

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for other programs.")

_META = "liangrong.settings"
_SHOWN = ("KAFKA_BOOTSTRAP", "LIANGRONG_TOPIC_PREFIX")


def with_settings(*, shown: Collection[str] = (), own: Collection[str] = ()) -> Callable[[F], F]:
    """Give a command all settings as options, and call it with `settings: Settings`.

    `--help` shows the broker, the prefix and the variables in `shown`; the others work as well. A
    variable in `own` has no short form (`--partitions`), because the command has an option of that name.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = click.get_current_context().meta.get(_META, {})
            return function(*args, settings=_settings(given), **kwargs)

        decorated: Any = call
        for name in reversed(DESCRIPTIONS):
            visible = name in _SHOWN or name in shown
            decorated = _option(name, visible=visible, short=name not in own)(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate


def _settings(given: dict[str, str]) -> Settings:
    return load(given)


def _option(name: str, *, visible: bool, short: bool) -> Callable[[Any], Any]:
    def remember(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.meta.setdefault(_META, {})[name] = value

    long = "--" + name.lower().replace("_", "-")
    brief = long.replace("--liangrong-", "--")
    declarations = [brief, long] if short and brief != long else [long]
    return click.option(
        *dict.fromkeys(declarations),
        metavar="TEXT",
        expose_value=False,
        callback=remember,
        hidden=not visible,
        help=DESCRIPTIONS[name] + ".",
    )
