"""Where checkpoints are kept: a directory or an object store, one file a checkpoint (design, decision 4).

A checkpoint of partition 3 of the log is `3/<log offset>-<epoch>.checkpoint`, so a worker that wakes up
late never overwrites its successor's. It is written under a name that no reader looks at and becomes valid
by a rename (on an object store, where a put is atomic, by the put itself), after every output of its prefix
of the log is acknowledged.

A file, all numbers little endian:

| at | bytes | what |
|---|---|---|
| 0 | 4 | `LRCP` |
| 4 | 4 | version, `VERSION` |
| 8 | 8 | length of the header, h |
| 16 | h | header: JSON with partition, epoch, offset, genesis, nonces, rules, moved, positions, and of each |
| | | part name, dtype (`bytes` for a byte string), shape and length |
| | | zeros up to a multiple of 64; so after every part |
| | | the parts, one after another |
| end - 4 | 4 | CRC-32 of everything before |
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import fsspec
import numpy as np
import orjson
from numpy.typing import NDArray

from agents.core import Snapshot
from streams.errors import SettingsError, UserError
from streams.shardlog.checkpoint import Checkpoint
from streams.shardlog.records import Genesis

VERSION = 3
MAGIC = b"LRCP"
_PREFIX = struct.Struct("<4sIQ")
_CRC = struct.Struct("<I")
_ALIGN = 64
_SUFFIX = ".checkpoint"
_UNFINISHED = ".part"


class CheckpointError(UserError):
    """A checkpoint that must not be used, with what to do about it."""


class OtherVersionError(CheckpointError):
    """Another version of the program wrote the checkpoint: its arrays are not ours."""


class ForeignCheckpointError(CheckpointError):
    """The checkpoint belongs to another log.

    Another broker, another prefix, or a broker that lost its data.
    """


class DamagedCheckpointError(ValueError):
    """The bytes of a checkpoint are not what was written; an older one is used instead."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checkpoint that is written but not visible yet."""

    path: str
    final: str


@dataclass(frozen=True, slots=True)
class Found:
    """The newest valid checkpoint, if there is one, and what was wrong with newer ones, in words."""

    checkpoint: Checkpoint | None
    messages: tuple[str, ...]


class CheckpointStore:
    """The checkpoints of an instance below ``url`` (a local path, or any URL that fsspec knows).

    ``keep`` newest ones of each partition are kept. SettingsError for a URL of an unknown kind.
    """

    def __init__(self, url: str, keep: int = 3) -> None:
        try:
            self._fs, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:  # a package for this kind of store is not installed
            raise SettingsError(f"LIANGRONG_CHECKPOINTS={url}: {error}") from error
        self._root = self._root.rstrip("/")
        self._keep = max(keep, 1)

    def prepare(self, checkpoint: Checkpoint) -> Prepared:
        """Write a checkpoint that no reader sees yet.

        Blocks while it writes; call it outside the event loop.
        """
        folder = self._folder(checkpoint.partition)
        self._fs.makedirs(folder, exist_ok=True)
        final = f"{folder}/{checkpoint.offset:020d}-{checkpoint.epoch:020d}{_SUFFIX}"
        path = final + _UNFINISHED
        with self._fs.open(path, "wb") as file:
            for chunk in _chunks(checkpoint):
                file.write(chunk)
        return Prepared(path, final)

    def publish(self, prepared: Prepared) -> None:
        """Make a prepared checkpoint valid; call it only once `Unit.is_valid` says so."""
        self._fs.mv(prepared.path, prepared.final)

    def discard(self, prepared: Prepared) -> None:
        """Give up a prepared checkpoint."""
        self._fs.rm_file(prepared.path)

    def newest(self, partition: int) -> Found:
        """The newest valid checkpoint of a partition; damaged ones are passed over with a message.

        Raises OtherVersionError if another version of the program wrote it.
        """
        messages: list[str] = []
        for path in reversed(self._paths(partition)):
            try:
                return Found(decode_checkpoint(self._fs.cat_file(path), path), tuple(messages))
            except DamagedCheckpointError as error:
                messages.append(f"{path} is damaged and was passed over: {error}")
        return Found(None, tuple(messages))

    def rules(self, partition: int) -> str | None:
        """The rules in force at a partition's newest checkpoint, by its header alone; nothing is verified.

        None if there is none, or none that this version reads.
        """
        paths = self._paths(partition)
        if not paths:
            return None
        with self._fs.open(paths[-1], "rb") as file:
            start = file.read(_PREFIX.size)
            if len(start) < _PREFIX.size or start[:4] != MAGIC:
                return None
            _, version, length = _PREFIX.unpack(start)
            if version != VERSION:
                return None
            try:
                return str(orjson.loads(file.read(length))["rules"])
            except ValueError:
                return None

    def prune(self, partition: int) -> int | None:
        """Remove all but the newest checkpoints; returns the log offset of the oldest one kept.

        Log records before that offset are needed no more.
        """
        paths = self._paths(partition)
        for path in paths[: -self._keep]:
            self._fs.rm_file(path)
        kept = paths[-self._keep :]
        if not kept:
            return None
        oldest = _offset(kept[0])
        for path in self._paths(partition, _SUFFIX + _UNFINISHED):
            if _offset(path) < oldest:  # left behind by a worker that died
                self._fs.rm_file(path)
        return oldest

    def _folder(self, partition: int) -> str:
        return f"{self._root}/{partition}"

    def _paths(self, partition: int, suffix: str = _SUFFIX) -> list[str]:
        """Valid checkpoints (or those that end otherwise), oldest first."""
        folder = self._folder(partition)
        if not self._fs.exists(folder):
            return []
        names = self._fs.ls(folder, detail=False)
        return sorted(name for name in names if name.endswith(suffix))


def _offset(path: str) -> int:
    return int(path.rsplit("/", 1)[-1].split("-", maxsplit=1)[0])


def check_log(checkpoint: Checkpoint, first: Genesis | None, start: int, end: int) -> None:
    """Refuse a checkpoint that does not belong to the log at hand, before anything is read or written.

    ``start`` and ``end`` are the log partition's first and next offset; ``first`` is the genesis found at
    offset 0, None if records were deleted since (then it cannot be compared). Raises
    ForeignCheckpointError.
    """
    place = f"the checkpoint of partition {checkpoint.partition} at log offset {checkpoint.offset}"
    advice = (
        "If the broker was restarted empty or the topics were made anew, move the checkpoints away "
        "(setting LIANGRONG_CHECKPOINTS) or use another LIANGRONG_TOPIC_PREFIX."
    )
    if end < checkpoint.offset:
        raise ForeignCheckpointError(f"{place} lies beyond the end of shard.log, {end}", advice=advice)
    if start > checkpoint.offset:
        raise ForeignCheckpointError(
            f"shard.log begins at {start}, after {place}: records it needs were deleted",
            advice="Restore a newer checkpoint, or begin anew with another LIANGRONG_TOPIC_PREFIX.",
        )
    if first is not None and first.uuid != checkpoint.genesis.uuid:
        raise ForeignCheckpointError(f"{place} is not one of the broker's shard.log", advice=advice)


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The file's bytes, as the module describes them."""
    return b"".join(_chunks(checkpoint))


def _chunks(checkpoint: Checkpoint) -> Iterator[bytes | memoryview]:
    """The file piece by piece, so that a large state is not copied as a whole."""
    parts = {name: _as_part(value) for name, value in sorted(checkpoint.state.items())}
    header = orjson.dumps(
        {
            "partition": checkpoint.partition,
            "epoch": checkpoint.epoch,
            "offset": checkpoint.offset,
            "genesis": asdict(checkpoint.genesis),
            "nonces": checkpoint.nonces,
            "rules": checkpoint.rules,
            "moved": checkpoint.moved,
            "positions": [[topic, number, at] for (topic, number), at in checkpoint.positions.items()],
            "parts": [[name, dtype, shape, len(data)] for name, (dtype, shape, data) in parts.items()],
        }
    )
    crc = at = 0
    pieces: list[bytes | memoryview] = [_PREFIX.pack(MAGIC, VERSION, len(header)), header]
    for _, _, data in parts.values():
        written = at + sum(map(len, pieces))
        pieces += [bytes(-written % _ALIGN), data]
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
            at += len(piece)
            yield piece
        pieces = []
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
        yield piece
    yield _CRC.pack(crc)


def _as_part(value: bytes | NDArray[Any]) -> tuple[str, list[int], bytes | memoryview]:
    if not isinstance(value, np.ndarray):
        return "bytes", [len(value)], value
    array = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    return array.dtype.str, list(value.shape), memoryview(array.reshape(-1).view(np.uint8).data)


def decode_checkpoint(data: bytes, name: str = "the checkpoint") -> Checkpoint:
    """The checkpoint in these bytes; its arrays are writable and its own.

    Raises DamagedCheckpointError, or OtherVersionError for a version other than this one's.
    """
    if len(data) < _PREFIX.size + _CRC.size or data[:4] != MAGIC:
        raise DamagedCheckpointError("it is no checkpoint")
    _, version, length = _PREFIX.unpack_from(data)
    (crc,) = _CRC.unpack_from(data, len(data) - _CRC.size)
    if zlib.crc32(memoryview(data)[: -_CRC.size]) != crc:
        raise DamagedCheckpointError("its checksum does not match")
    if version != VERSION:
        raise OtherVersionError(
            f"{name} has version {version}, this program reads {VERSION}",
            advice="Start the version that wrote it, or move the checkpoints away to begin anew.",
        )
    header = orjson.loads(data[_PREFIX.size : _PREFIX.size + length])
    return Checkpoint(
        header["partition"],
        header["epoch"],
        header["offset"],
        Genesis(**header["genesis"]),
        tuple(header["nonces"]),
        header["rules"],
        header["moved"],
        {(topic, number): at for topic, number, at in header["positions"]},
        _decode_parts(data, _PREFIX.size + length, header["parts"]),
    )


def _decode_parts(data: bytes, at: int, described: list[list[Any]]) -> Snapshot:
    state: Snapshot = {}
    for name, dtype, shape, length in described:
        at += -at % _ALIGN
        if dtype == "bytes":
            state[name] = data[at : at + length]
        else:
            count = length // np.dtype(dtype).itemsize
            state[name] = np.frombuffer(data, dtype, count, at).reshape(shape).copy()
        at += length
    return state
