"""Content hashes of account events: the same id with other content must be recognised (contract section 1).

The digest of a row is a sum over its present fields of a 64-bit mix of value and field, mixed once more. It
depends on the meaning only: neither on how a number was written nor on the order of the JSON fields, and a
field added to the contract later does not change the digest of events without it. Digests are kept in
checkpoints: they never change.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

NDArray = npt.NDArray[Any]
U8 = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


def text_hash(text: str | bytes) -> int:
    """64 bits of BLAKE2b of a string."""
    data = text if isinstance(text, bytes) else text.encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _mixed(values: U8) -> U8:
    """The finaliser of splitmix64: a bijection of 64-bit words that scatters neighbours."""
    values = (values ^ (values >> np.uint64(30))) * _MIX1
    values = (values ^ (values >> np.uint64(27))) * _MIX2
    return values ^ (values >> np.uint64(31))


def string_hashes(strings: list[str]) -> U8:
    """Hash of every string of a pool; one more entry, which index -1 finds, is 0.

    The UTF-8 of a string is folded eight bytes at a time; printable text holds no zero byte, so padding is
    told from content and a hash does not depend on the longest string of the pool.
    """
    hashes = np.zeros(len(strings) + 1, np.uint64)
    if not strings:
        return hashes
    texts = np.array([text.encode() for text in strings])
    width = -(-texts.dtype.itemsize // 8)
    words = texts.astype(f"S{8 * width}").view("<u8").reshape(len(strings), width)
    folded: U8 = np.full(len(strings), _GOLDEN, np.uint64)
    with np.errstate(over="ignore"):
        for i in range(width):
            word = words[:, i]
            folded = np.where(word != 0, _mixed((folded ^ word) + _GOLDEN), folded)
    hashes[:-1] = folded
    return hashes


def digests(fields: dict[str, tuple[NDArray, int]]) -> U8:
    """uint64 digest of every row. `fields`: name -> (integer column, its value for "absent")."""
    total: U8 = np.zeros(len(next(iter(fields.values()))[0]), np.uint64)
    with np.errstate(over="ignore"):
        for name, (column, absent) in fields.items():
            present = column != absent
            if not present.any():
                continue
            salt = np.uint64(text_hash(name))
            mixed = _mixed(_mixed(column.astype(np.uint64) + _GOLDEN) ^ salt)
            total += np.where(present, mixed, np.uint64(0))
        return _mixed(total)
