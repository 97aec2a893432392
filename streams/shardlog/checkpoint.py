"""A checkpoint.

The state of one log's fold at one log offset. Where it is kept is `streams.checkpoints`' affair.
"""

from __future__ import annotations

from dataclasses import dataclass

from agents.core import Snapshot, Source
from streams.shardlog.fold import Fold, ForeignLogError, check_genesis
from streams.shardlog.records import Genesis


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that a fold is, after the log records before ``offset``.

    ``epoch`` is the log offset of the claim under which it was taken. Positions name their sources, so that
    a later version with more sources reads it. ``rules`` are those in force at ``offset``, ``moved`` is the
    offset after the last frame that had an effect.
    """

    partition: int
    epoch: int
    offset: int
    genesis: Genesis
    nonces: tuple[str, ...]
    rules: str
    moved: int
    positions: dict[Source, int]
    state: Snapshot


def take_checkpoint(fold: Fold, epoch: int) -> Checkpoint:
    """The fold's state now. It must have seen its genesis."""
    if fold.genesis is None:
        raise ForeignLogError("a log without a genesis has no state to keep")
    return Checkpoint(
        fold.layout.partition,
        epoch,
        fold.offset,
        fold.genesis,
        tuple(sorted(fold.nonces)),
        fold.rules,
        fold.moved,
        fold.layout.named(fold.positions),
        fold.core.snapshot(),
    )


def restore_fold(fold: Fold, checkpoint: Checkpoint) -> None:
    """Make an empty fold what the checkpoint describes.

    Raises ForeignLogError for a checkpoint of another instance.
    """
    if checkpoint.partition != fold.layout.partition:
        raise ForeignLogError(
            f"a checkpoint of partition {checkpoint.partition} of the log is no state of partition "
            f"{fold.layout.partition}"
        )
    if fold.expected is not None:
        check_genesis(checkpoint.genesis, fold.expected)
    fold.offset = checkpoint.offset
    fold.genesis = checkpoint.genesis
    fold.nonces = set(checkpoint.nonces)
    fold.rules = checkpoint.rules
    fold.moved = checkpoint.moved
    fold.positions = list(fold.layout.vector(checkpoint.positions))
    fold.core.restore(checkpoint.state)
