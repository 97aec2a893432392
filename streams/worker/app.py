"""The Faust app of a worker: supervision, sensors, web server and agents over in-memory channels of whole
batches.

A Faust agent costs about 160 µs an item whatever the item is; so an item is a batch that a reader service
fetched with `getmany`. The app joins a group of its own for the one small topic it consumes itself,
operators' commands: no other worker can make it rebalance. Assignment and offsets of everything else are
the readers' business.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any

import faust

from streams.connections import client_options
from streams.settings import Settings

SESSION_TIMEOUT_SECONDS = 6.0
"""Faust waits half of it at the start on a broker that answers a join late."""
CHANNEL_BATCHES = 4
"""Batches between a reader and its agent; more would only hide that the agent is behind."""


@dataclass(frozen=True, slots=True)
class Channels:
    """In-memory channels, one for each reader."""

    inputs: Any
    market: Any
    log: Any


def build_app(settings: Settings, name: str, bootstrap: str, folder: str) -> tuple[faust.App, Channels, Any]:
    """The app, its channels, and the topic of commands.

    `name` is the worker's own, unique among live workers; `folder` is where Faust would keep files of tables,
    of which there are none.
    """
    host, port = settings.web
    app = faust.App(
        f"{settings.topic_prefix}liangrong-{name}",
        broker=[f"kafka://{address.strip()}" for address in bootstrap.split(",")],
        broker_credentials=_credentials(settings),
        broker_session_timeout=SESSION_TIMEOUT_SECONDS,
        broker_heartbeat_interval=SESSION_TIMEOUT_SECONDS / 3,
        consumer_auto_offset_reset="latest",
        datadir=folder,
        store="memory://",
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_bind=host,
        web_host=host,
        web_port=port,
        web_cors_options=None,
    )
    channels = Channels(*(app.channel(maxsize=CHANNEL_BATCHES) for _ in range(3)))
    commands = app.topic(settings.topic("commands"), value_type=bytes, value_serializer="raw")
    return app, channels, commands


def _credentials(settings: Settings) -> Any:
    """Faust's form of the settings' security; None for a plain connection."""
    options = client_options(settings, settings.kafka.bootstrap or "unused:0")
    context: ssl.SSLContext | None = options["ssl_context"]
    if "sasl_mechanism" in options:
        return faust.SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None
