"""Checkpoints: what is written is read again, damaged ones passed over, foreign and newer ones refused."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.checkpoints import (
    CheckpointStore,
    DamagedCheckpointError,
    ForeignCheckpointError,
    OtherVersionError,
    check_log,
    decode_checkpoint,
    encode_checkpoint,
)
from streams.shardlog.checkpoint import Checkpoint
from streams.shardlog.records import Genesis

GENESIS = Genesis("u-1", 8, 4, "t.")
ARRAYS: dict[str, NDArray[Any]] = {
    "cash": np.arange(5, dtype=np.int64),
    "flags": np.array([[1, 0], [0, 1]], dtype=np.int8),
    "none": np.empty(0, dtype=np.uint64),
}
STATE: dict[str, NDArray[Any] | bytes] = {**ARRAYS, "names": b"A1\nA2"}
CHECKPOINT = Checkpoint(
    3, 7, 100, GENESIS, ("n1", "n2"), "rules 1", 99, {("account.events", 3): 42, ("commands", 0): 1}, STATE
)


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(str(tmp_path / "checkpoints"), keep=2)


def written(store: CheckpointStore, checkpoint: Checkpoint) -> None:
    store.publish(store.prepare(checkpoint))


def test_a_checkpoint_is_read_as_it_was_written(store: CheckpointStore) -> None:
    written(store, CHECKPOINT)
    found = store.newest(3)
    assert found.messages == ()
    read = found.checkpoint
    assert read is not None
    assert replace(read, state={}) == replace(CHECKPOINT, state={})
    assert read.state.keys() == STATE.keys()
    assert read.state["names"] == b"A1\nA2"
    for name, kept in ARRAYS.items():
        array = read.state[name]
        assert isinstance(array, np.ndarray)
        assert array.dtype == kept.dtype
        assert array.flags.writeable
        np.testing.assert_array_equal(array, kept)


def test_a_prepared_checkpoint_is_seen_only_once_published(store: CheckpointStore) -> None:
    prepared = store.prepare(CHECKPOINT)
    assert store.newest(3).checkpoint is None
    store.publish(prepared)
    assert store.newest(3).checkpoint is not None


def test_a_discarded_checkpoint_leaves_nothing(store: CheckpointStore, tmp_path: Path) -> None:
    store.discard(store.prepare(CHECKPOINT))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_partitions_do_not_see_each_others_checkpoints(store: CheckpointStore) -> None:
    written(store, CHECKPOINT)
    assert store.newest(2).checkpoint is None


def test_the_greatest_log_offset_is_the_newest(store: CheckpointStore) -> None:
    for offset, epoch in ((100, 9), (1_000, 2), (999, 8)):
        written(store, replace(CHECKPOINT, offset=offset, epoch=epoch))
    found = store.newest(3).checkpoint
    assert found is not None
    assert (found.offset, found.epoch) == (1_000, 2)


def test_a_late_worker_does_not_overwrite_its_successors_checkpoint(
    store: CheckpointStore, tmp_path: Path
) -> None:
    written(store, replace(CHECKPOINT, epoch=7))
    written(store, replace(CHECKPOINT, epoch=50))
    assert len(list(tmp_path.rglob("*.checkpoint"))) == 2


def test_the_last_ones_are_kept_and_the_log_may_be_cut_before_them(
    store: CheckpointStore, tmp_path: Path
) -> None:
    assert store.prune(3) is None
    for offset in (10, 20, 30, 40):
        written(store, replace(CHECKPOINT, offset=offset))
    assert store.prune(3) == 30
    assert len(list(tmp_path.rglob("*.checkpoint"))) == 2


def test_what_a_dead_worker_left_unfinished_goes_with_the_old_ones(store: CheckpointStore) -> None:
    store.prepare(replace(CHECKPOINT, offset=5))
    unfinished = store.prepare(replace(CHECKPOINT, offset=99))
    written(store, replace(CHECKPOINT, offset=10))
    assert store.prune(3) == 10
    store.publish(unfinished)
    found = store.newest(3).checkpoint
    assert found is not None
    assert found.offset == 99
    assert store.prune(3) == 10


@pytest.mark.parametrize("damage", ["cut short", "one bit", "empty", "other file"])
def test_a_damaged_checkpoint_is_passed_over_with_a_message(
    store: CheckpointStore, tmp_path: Path, damage: str
) -> None:
    written(store, CHECKPOINT)
    written(store, replace(CHECKPOINT, offset=200))
    path = next(tmp_path.rglob("*200-*.checkpoint"))
    data = path.read_bytes()
    flipped = data[:150] + bytes([data[150] ^ 4]) + data[151:]
    path.write_bytes(
        {"cut short": data[:-9], "one bit": flipped, "empty": b"", "other file": b"PK" * 400}[damage]
    )
    found = store.newest(3)
    assert found.checkpoint is not None
    assert found.checkpoint.offset == 100
    assert len(found.messages) == 1
    assert "damaged" in found.messages[0]


@pytest.mark.parametrize("version", [1, 99])
def test_another_version_is_refused_and_says_what_to_do(
    store: CheckpointStore, tmp_path: Path, version: int
) -> None:
    written(store, CHECKPOINT)
    path = next(tmp_path.rglob("*.checkpoint"))
    data = bytearray(path.read_bytes()[:-4])
    struct.pack_into("<I", data, 4, version)
    path.write_bytes(bytes(data) + struct.pack("<I", zlib.crc32(data)))
    with pytest.raises(OtherVersionError, match=f"version {version}") as refused:
        store.newest(3)
    assert refused.value.advice


def test_a_checkpoint_without_parts_is_whole() -> None:
    empty = replace(CHECKPOINT, state={})
    assert decode_checkpoint(encode_checkpoint(empty)) == empty
    with pytest.raises(DamagedCheckpointError):
        decode_checkpoint(encode_checkpoint(empty)[:-1])


def test_an_object_store_works_as_well_as_a_disk() -> None:
    store = CheckpointStore("memory://checkpoints-of-a-test")
    written(store, CHECKPOINT)
    found = store.newest(3).checkpoint
    assert found is not None
    assert found.offset == 100


def test_a_checkpoint_of_the_log_at_hand_is_accepted() -> None:
    check_log(CHECKPOINT, GENESIS, 0, 100)
    check_log(CHECKPOINT, None, 60, 500)


@pytest.mark.parametrize(
    ("first", "start", "end", "message"),
    [
        (replace(GENESIS, uuid="u-2"), 0, 500, "is not one of"),
        (None, 0, 0, "beyond the end"),
        (GENESIS, 0, 99, "beyond the end"),
        (None, 101, 500, "were deleted"),
    ],
)
def test_a_checkpoint_of_another_log_is_refused(
    first: Genesis | None, start: int, end: int, message: str
) -> None:
    with pytest.raises(ForeignCheckpointError, match=message) as refused:
        check_log(CHECKPOINT, first, start, end)
    assert refused.value.advice
