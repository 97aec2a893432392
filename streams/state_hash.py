"""The state hash (contract section 3): one number for everything that accounts and securities have come to.

It is SHA-256 over the rows of all cores, accounts sorted by name, then securities by name, then what else
there is. Rows name no offsets, partitions or workers, so the hash is the same for one worker and four, for
`run` and for Kafka. A row that several shards have (a mark) counts once.

Each row goes in as a line ``kind NUL name NUL sha256(content)``. A worker can therefore answer with its
rows' digests instead of their content, and whoever collects the answers of all workers gets the same hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from agents.core import Core, StateRow

Digest = tuple[str, str, str]
"""Kind, name and the hexadecimal SHA-256 of a row's content."""

_ORDER = {"account": 0, "security": 1}


def digest_rows(rows: Iterable[StateRow]) -> list[Digest]:
    """Digests of a core's rows, in the order of the hash, each once."""
    return _sorted((kind, name, hashlib.sha256(content).hexdigest()) for kind, name, content in rows)


def combine(parts: Iterable[Iterable[Digest]]) -> str:
    """The state hash of the cores whose digests are ``parts``, in any order and arrangement; hexadecimal."""
    whole = hashlib.sha256()
    for kind, name, digest in _sorted((str(k), str(n), str(d)) for part in parts for k, n, d in part):
        whole.update(f"{kind}\0{name}\0{digest}\n".encode())
    return whole.hexdigest()


def state_hash(cores: Iterable[Core]) -> str:
    """The state hash of ``cores``: all shards and the financing core of an instance."""
    return combine(digest_rows(core.state_rows()) for core in cores)


def _sorted(digests: Iterable[Digest]) -> list[Digest]:
    return sorted(set(digests), key=lambda row: (_ORDER.get(row[0], len(_ORDER)), *row))
