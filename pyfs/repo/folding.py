"""Folds small storage files into one, so that manifests and indexes stay small.

Each commit adds a file of a few kilobytes. Files of one order of magnitude are folded when there
are `FILES_OF_A_KIND` of them: each byte is written again once for every order of magnitude that
its file grows through, and a few dozen files hold any number of commits. What is folded goes into
the file of the commit that finds it so, and the same swap of the manifest names that file instead
of the others. Those stay where they are: a reader with an older manifest may still want them.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyfs._core import Chunk, Manifest
from pyfs.errors import PyfsError
from pyfs.repo.chunk_set import ChunkSet

log = logging.getLogger(__name__)

FILES_OF_A_KIND: Final = 8
"""Files that are folded together; also the ratio of the lengths that make a kind."""
FOLDED_BYTES_MAX: Final = 4 * 1024 * 1024
"""Longer files are left alone: folding them would make one commit in many a slow one."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Files that a new one stands for, and their chunks."""

    names: Sequence[str] = ()
    chunks: Sequence[Chunk] = ()


async def fold(manifest: Manifest, chunks: ChunkSet) -> Fold:
    """What the next file can take in of those that *manifest* names."""
    names = files_to_fold(chunks.file_lengths(), {name for name, _ in manifest.appendix})
    if not names:
        return Fold()
    try:
        return Fold(names, await chunks.get_many(chunks.addresses_in(names)))
    except PyfsError as exc:
        # There is another commit to do it with.
        log.warning("small files are not folded together: %s", exc)
        return Fold()


def files_to_fold(lengths: Mapping[str, int], kept: set[str]) -> list[str]:
    """The names of the files to fold, by their lengths in bytes; none of *kept*."""
    kinds: dict[int, list[str]] = defaultdict(list)
    for name, length in lengths.items():
        if name not in kept and length <= FOLDED_BYTES_MAX:
            kinds[_kind(length)].append(name)
    folded: list[str] = []
    for kind in sorted(kinds):
        # What smaller ones are folded into may be what makes these enough.
        if len(kinds[kind]) + bool(folded) >= FILES_OF_A_KIND:
            folded += kinds[kind]
    return folded


def _kind(length: int) -> int:
    kind, end = 0, 8192
    while length > end:
        kind, end = kind + 1, end * FILES_OF_A_KIND
    return kind
