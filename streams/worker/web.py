"""Pages of a worker's web server: what it holds, an account, and the rows of the state hash.

The server is Faust's own. It listens where LIANGRONG_WEB says, by default on loopback only.
"""

from __future__ import annotations

from typing import Any

import faust
import orjson

from schemas.routing import home_partition
from streams.shardlog.unit import Phase
from streams.state_hash import digest_rows
from streams.worker.desk import Desk
from streams.worker.worker import Worker


def add_pages(app: faust.App, worker: Worker, name: str) -> None:
    """Register the pages on the app."""

    @app.page("/healthz", name="health")
    async def health(web: Any, _request: Any) -> Any:
        return _json(web, {"status": "ok", "worker": name})

    @app.page("/worker", name="worker")
    async def holds(web: Any, _request: Any) -> Any:
        return _json(web, {"worker": name, "sent": worker.outgoing.sent, "partitions": _partitions(worker)})

    @app.page("/accounts/{account:[^/]+}", name="account")  # braces of a tag too
    async def account(web: Any, _request: Any, account: str) -> Any:
        return _account(web, worker, account)

    @app.page("/state", name="state")
    async def state(web: Any, _request: Any) -> Any:
        """Digests by partition: {partition: {"position": log offset, "rows": [[kind, name, sha-256],
        ...]}}."""
        rows = {
            str(p): {"position": desk.unit.log_position, "rows": digest_rows(desk.core.state_rows())}
            for p, desk in worker.desks.items()
        }
        return _json(web, {"worker": name, "partitions": rows})


def _partitions(worker: Worker) -> list[dict[str, Any]]:
    return [
        {
            "partition": partition,
            "phase": desk.phase.value,
            "epoch": desk.unit.epoch,
            "log_position": desk.unit.log_position,
            "unacknowledged": len(desk.unit.outbox),
            "positions": {
                f"{t}-{p}": n for (t, p), n in desk.unit.fold.layout.named(desk.unit.fold.positions).items()
            },
        }
        for partition, desk in sorted(worker.desks.items())
    ]


def _account(web: Any, worker: Worker, account: str) -> Any:
    home = home_partition(account, worker.sources.partitions)
    desk: Desk | None = worker.desks.get(home)
    if desk is None or desk.phase is not Phase.ACTIVE:
        return _json(web, {"error": f"partition {home}, where {account} lives, is not held here"}, status=421)
    try:
        return _json(web, desk.core.account(account))  # type: ignore[attr-defined]
    except KeyError:
        return _json(web, {"error": f"there is no account {account}"}, status=404)


def _json(web: Any, value: Any, status: int = 200) -> Any:
    return web.bytes(orjson.dumps(value), content_type="application/json", status=status)
