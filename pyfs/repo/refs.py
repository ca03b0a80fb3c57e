"""The branches and tags of a store root."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

from pyfs._core import Address, branch_name_error
from pyfs.errors import AlreadyExistsError, InvalidNameError

BRANCHES: Final = "refs/heads/"
TAGS: Final = "refs/tags/"
WORKING_SETS: Final = "workingSets/heads/"


@dataclass(frozen=True)
class Refs:
    """The datasets of one store root. An edit gives another `Refs`; all others are carried over."""

    datasets: Mapping[str, Address]

    @cached_property
    def branches(self) -> Mapping[str, Address]:
        """Branch name to head commit."""
        return self._under(BRANCHES)

    @cached_property
    def tags(self) -> Mapping[str, Address]:
        """Tag name to tag object."""
        return self._under(TAGS)

    @property
    def default_branch(self) -> str | None:
        """The branch that `dolt clone` checks out: main, else master, else the first by name."""
        for name in ("main", "master"):
            if name in self.branches:
                return name
        return min(self.branches, key=str.encode, default=None)

    def with_branch(self, name: str, head: Address) -> "Refs":
        """Sets a branch, new or not.

        A working set of it stays as it is, as after a push of dolt's: in a backup it may hold
        changes that are nowhere else.
        """
        return Refs({**self.datasets, BRANCHES + name: head})

    def without_branch(self, name: str) -> "Refs":
        """Deletes a branch and its working set."""
        gone = (BRANCHES + name, WORKING_SETS + name)
        return Refs({k: v for k, v in self.datasets.items() if k not in gone})

    def check_new_branch(self, name: str) -> None:
        """`InvalidNameError` or `AlreadyExistsError` if no branch may be created as *name*."""
        reason = branch_name_error(name)
        if reason is not None:
            raise InvalidNameError(f"no branch can be named {name!r}: {reason}")
        for other in self.branches:
            if other == name:
                raise AlreadyExistsError(f"branch {name!r} is there already")
            if other.lower() == name.lower():
                raise AlreadyExistsError(
                    f"branch {name!r} differs only by case from {other!r}, which dolt refuses"
                )

    def _under(self, prefix: str) -> Mapping[str, Address]:
        return MappingProxyType(
            {k.removeprefix(prefix): v for k, v in self.datasets.items() if k.startswith(prefix)}
        )


NO_REFS: Final = Refs({})
