"""What a push does to a remote's branches.

Each edit may be called again: another writer was first, or the answer of a round was lost, so that
its work may be on the remote already.
"""

from collections.abc import Awaitable, Callable

from pyfs._core import Address
from pyfs.errors import NotFoundError, NotPermittedError
from pyfs.repo.push import Edit, Stored
from pyfs.repo.refs import Refs

BranchEdit = Callable[[Stored], Awaitable[Edit | None]]


def creating(name: str, head: Address) -> BranchEdit:
    """Makes branch *name* at *head*; `InvalidNameError`, `AlreadyExistsError`."""
    tried = False

    async def edit(stored: Stored) -> Edit | None:
        nonlocal tried
        if tried and stored.refs.branches.get(name) == head:
            return None
        stored.refs.check_new_branch(name)
        tried = True
        return Edit(stored.refs.with_branch(name, head), [])

    return edit


def deleting(name: str) -> BranchEdit:
    """Deletes a branch; `NotFoundError`, `NotPermittedError` for the default branch."""
    tried = False

    async def edit(stored: Stored) -> Edit | None:
        nonlocal tried
        if tried and name not in stored.refs.branches:
            return None
        head_of(stored.refs, name)
        _check_not_default(stored.refs, name)
        tried = True
        return Edit(stored.refs.without_branch(name), [])

    return edit


def renaming(name: str, new_name: str) -> BranchEdit:
    """Renames a branch, whose head at that moment goes along."""
    moved: Address | None = None

    async def edit(stored: Stored) -> Edit | None:
        nonlocal moved
        branches = stored.refs.branches
        if moved and name not in branches and branches.get(new_name) == moved:
            return None
        head = head_of(stored.refs, name)
        _check_not_default(stored.refs, name)
        rest = stored.refs.without_branch(name)
        rest.check_new_branch(new_name)
        moved = head
        return Edit(rest.with_branch(new_name, head), [])

    return edit


def head_of(refs: Refs, branch: str) -> Address:
    """The commit that *branch* is at; `NotFoundError`."""
    head = refs.branches.get(branch)
    if head is None:
        raise NotFoundError(f"there is no branch {branch!r}")
    return head


def _check_not_default(refs: Refs, branch: str) -> None:
    if branch == refs.default_branch:
        raise NotPermittedError(
            f"branch {branch!r} is the default branch and stays: clones begin with it"
        )
