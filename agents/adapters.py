"""The Faust agents: thin adapters between channels of whole batches and what a batch means.

Faust restarts an agent whose item raised and goes on with the next one: the item would be lost. So whatever
an item raises is handed to `fail`, which ends the process; the next start reads the item again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

Handler = Callable[[Any], Awaitable[None]]
Fail = Callable[[BaseException], None]


class App(Protocol):
    """What is used of a Faust app."""

    def agent(self, channel: Any, *, name: str) -> Callable[[Callable[[Any], Awaitable[None]]], Any]:
        """Register an agent."""
        ...


def attach(app: App, name: str, channel: Any, handle: Handler, fail: Fail) -> None:
    """Register an agent `name` that hands every item of `channel` to `handle`, in order."""

    async def agent(stream: AsyncIterator[Any]) -> None:
        async for item in stream:
            try:
                await handle(item)
            except Exception as error:
                fail(error)
                raise

    agent.__name__ = name
    app.agent(channel, name=name)(agent)
