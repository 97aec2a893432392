"""Where an account lives: murmur2 of its tag, or of its name, modulo the partitions (contract section 2).

Java's clients and aiokafka place a keyed record by this hash of the whole key; librdkafka's default differs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Kafka's murmur2 with its sign bit cleared, 0 to 2^31-1."""
    length = len(data)
    h = (0x9747B28C ^ length) & _MASK
    tail = length & ~3
    for i in range(0, tail, 4):
        k = (int.from_bytes(data[i : i + 4], "little") * _M) & _MASK
        k = ((k ^ (k >> 24)) * _M) & _MASK
        h = ((h * _M) & _MASK) ^ k
    if tail < length:
        h = ((h ^ int.from_bytes(data[tail:], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return (h ^ (h >> 15)) & 0x7FFFFFFF


def account_tag(name: str) -> bytes:
    """What of an account's name is hashed: `{G7}A1` -> `G7` (a tag in front), else the whole name."""
    if name.startswith("{"):
        end = name.find("}")
        if end > 1:
            return name[1:end].encode()
    return name.encode()


def home_partition(name: str, partitions: int) -> int:
    """The partition of the account topics, and so the shard, in which account `name` lives."""
    return murmur2(account_tag(name)) % partitions


def home_partitions(names: Sequence[str], partitions: int) -> npt.NDArray[np.int64]:
    """`home_partition` of many accounts at once, int64[n]. Names hold no zero byte."""
    if not names:
        return np.empty(0, np.int64)
    tags = [account_tag(name) for name in names]
    lengths = np.fromiter(map(len, tags), np.int64, len(tags))
    width = -(-int(lengths.max()) // 4)
    words = np.array(tags, f"S{4 * width}").view("<u4").reshape(len(tags), width)
    m, h = np.uint32(_M), (0x9747B28C ^ lengths).astype(np.uint32)
    for i in range(width):
        k = words[:, i] * m
        k = (k ^ (k >> np.uint32(24))) * m
        whole, part = lengths >= 4 * i + 4, lengths > 4 * i
        h = np.where(whole, (h * m) ^ k, np.where(part, (h ^ words[:, i]) * m, h))
    h = (h ^ (h >> np.uint32(13))) * m
    return ((h ^ (h >> np.uint32(15))) & np.uint32(0x7FFFFFFF)).astype(np.int64) % partitions
