"""The default message of a commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Rows added, removed and modified."""

    added: int = 0
    removed: int = 0
    modified: int = 0

    def __add__(self, other: "RowChanges") -> "RowChanges":
        return RowChanges(
            self.added + other.added, self.removed + other.removed, self.modified + other.modified
        )

    def __str__(self) -> str:
        return f"+{self.added} -{self.removed} ~{self.modified} rows"


def default_message(
    updated: Mapping[str, RowChanges],
    dropped: Sequence[str],
    created: Sequence[str] = (),
    altered: Sequence[str] = (),
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """`Update primes: +11 -0 ~0 rows`, `Drop t`, `Rename t to u` …, with names in byte order."""
    parts = [f"Rename {old} to {renamed[old]}" for old in sorted(renamed, key=str.encode)]
    if created:
        parts.append(f"Create {_names(created)}")
    if altered:
        parts.append(f"Alter {_names(altered)}")
    if updated:
        total = sum(updated.values(), RowChanges())
        parts.append(f"Update {_names(updated)}: {total}")
    if dropped:
        parts.append(f"Drop {_names(dropped)}")
    return "; ".join(parts)


def _names(names: Mapping[str, RowChanges] | Sequence[str]) -> str:
    return ", ".join(sorted(names, key=str.encode))
