"""Folds small storage files into one, so that manifests and indexes stay small.

Each commit adds a file of a few kilobytes. When there are `FIRST_FILES` of them they are folded
into one, and so are `NEXT_FILES` of those, and so on: a few dozen files hold any number of commits.
Commits repeat most of each other's nodes, and a folded file stores what they have in common once,
so that folding writes little again (see `StorageWriter`).

What is folded goes into the file of the commit that finds it so, and the same swap of the manifest
names that file instead of the others. Those stay where they are: a reader with an older manifest
may still want them.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pyfs._core import Chunk, Manifest
from pyfs.errors import PyfsError
from pyfs.repo.chunk_set import ChunkSet

log = logging.getLogger(__name__)

FIRST_FILES: Final = 16
"""Files of single commits that are folded together: what they share is stored again each time."""
NEXT_FILES: Final = 8
"""Folded files that are folded together, also the ratio of the chunks that make a kind."""
COMMIT_CHUNKS_MAX: Final = 32
"""Chunks of a file of the first kind."""
FOLDED_CHUNKS_MAX: Final = COMMIT_CHUNKS_MAX * NEXT_FILES**2
"""Longer files are left alone: folding them would make one commit in many a slow one."""
FOLDED_BYTES_MAX: Final = 1024 * 1024
"""The same for files of few and long chunks, or of such as have little in common."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Files that a new one stands for, and their chunks."""

    names: Sequence[str] = ()
    chunks: Sequence[Chunk] = ()


async def fold(manifest: Manifest, chunks: ChunkSet) -> Fold:
    """What the next file can take in of those that *manifest* names."""
    kept = {name for name, _ in manifest.appendix}
    lengths = chunks.file_lengths()
    files = [(n, count) for n, count in manifest.specs if lengths.get(n, 0) <= FOLDED_BYTES_MAX]
    names = files_to_fold([(name, count) for name, count in files if name not in kept])
    if not names:
        return Fold()
    try:
        return Fold(names, await chunks.get_many(chunks.addresses_in(names)))
    except PyfsError as exc:
        # There is another commit to do it with.
        log.warning("small files are not folded together: %s", exc)
        return Fold()


def files_to_fold(files: Sequence[tuple[str, int]]) -> list[str]:
    """The names of those of *files*, each a name and its chunks, that are to be folded."""
    kinds: dict[int, list[str]] = defaultdict(list)
    for name, count in files:
        if count <= FOLDED_CHUNKS_MAX:
            kinds[_kind(count)].append(name)
    folded: list[str] = []
    for kind in sorted(kinds):
        # What smaller ones are folded into may be what makes these enough.
        enough = NEXT_FILES if kind else FIRST_FILES
        if len(kinds[kind]) + bool(folded) >= enough:
            folded += kinds[kind]
    return folded


def _kind(count: int) -> int:
    kind, most = 0, COMMIT_CHUNKS_MAX
    while count > most:
        kind, most = kind + 1, most * NEXT_FILES
    return kind
