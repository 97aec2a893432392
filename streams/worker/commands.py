"""The agent of operators' commands: writes down who said what.

What a command does is decided by the shards, which read it as one of their sources; this agent leaves a
line in the worker's log for the people who look after it.
"""

from __future__ import annotations

import logging

from schemas import decode
from schemas.commands import Command
from schemas.errors import BadRecord

logger = logging.getLogger(__name__)


async def note_command(value: bytes) -> None:
    """Log one command; a bad one becomes a dead letter where the shards read it."""
    try:
        command = decode("commands", value)
    except BadRecord as error:
        logger.warning("refused a command: %s", error)
        return
    if isinstance(command, Command):
        logger.info("command %s of %s: %s %s", command.id, command.by, command.command, command.account)
