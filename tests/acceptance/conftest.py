"""A firm on each broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.acceptance.firm import Firm, firm_on
from tests.brokers import Broker


@pytest_asyncio.fixture
async def firm(broker: Broker, tmp_path: Path) -> AsyncIterator[Firm]:
    """Topics on the broker and no worker yet."""
    async with firm_on(broker, tmp_path) as made:
        yield made
