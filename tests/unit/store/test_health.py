"""What is remembered of a remote's failures."""

import pytest
import trio

from pyfs.errors import AccessError, NotFoundError
from pyfs.store.watched import watched
from tests.support.memory_remote import MemoryRemote


def test_failures_are_remembered_and_answers_end_them(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = MemoryRemote()
    remote = watched(memory.as_remote())
    health = remote.health
    denied = AccessError("AWS refused dynamodb:GetItem; renew the credentials")

    async def refuse(*_: object) -> None:
        raise denied

    async def main() -> None:
        await remote.manifests.read()
        with pytest.raises(NotFoundError):
            await remote.files.read("none", 0, 1)
        assert (health.error, health.failing) == (None, False)
        for owner, name, ask in (
            (memory.manifests, "read", lambda: remote.manifests.read()),
            (memory.manifests, "swap", lambda: remote.manifests.swap(None, None)),  # type: ignore[arg-type]
            (memory.files, "read", lambda: remote.files.read("f", 0, 1)),
            (memory.files, "read_tail", lambda: remote.files.read_tail("f", 1)),
            (memory.files, "create", lambda: remote.files.create("f", b"x")),
        ):
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, refuse)
                with pytest.raises(AccessError):
                    await ask()
            assert (health.error, health.failing) == (denied, True)
            assert health.failed_at > 0
            await remote.manifests.read()
            assert (health.error, health.failing) == (denied, False)

    trio.run(main)
