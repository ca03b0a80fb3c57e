"""A mount of S3 and DynamoDB: what it asks of them, and what becomes of it when they refuse."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.aws_proxy import DENIED, EDITOR, READER, AwsProxy
from tests.support.dolt import Dolt
from tests.support.mounts import REMOTES, Mount, alive, kill, pyfs, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.servers import Endpoints

pytestmark = [pytest.mark.fuse, pytest.mark.timeout(300)]

OLD: Final = (REMOTES / "primes.expected" / "main" / "primes.csv").read_text()
NEW: Final = OLD + "37,157\n"


def test_a_reader_needs_two_actions(proxy: AwsProxy, on_aws: Callable[..., Mount]) -> None:
    proxy.allowed = READER
    mount = on_aws().mount()
    assert mount.sh("ls -l . ../feature/twin; cat primes.csv; cat .pyfs/log").returncode == 0
    assert (mount / "main/primes.csv").read_text() == OLD
    assert mount.log()
    assert mount.umount().returncode == 0
    assert set(proxy.actions) == {"dynamodb:GetItem", "s3:GetObject"}


def test_a_reader_who_writes_is_told_the_action_that_lacks(
    proxy: AwsProxy, on_aws: Callable[..., Mount]
) -> None:
    proxy.allowed = READER
    mount = on_aws().mount()
    done = mount.sh("cp primes.csv $OUT/x; echo 37,157 >> $OUT/x; cp $OUT/x primes.csv")
    assert "Permission denied" in done.stderr
    assert "s3:PutObject of s3://" in mount.status()
    assert DENIED in mount.status()
    assert [path.read_text() for path in mount.recovered()] == [NEW]
    assert (mount / "main/primes.csv").read_text() == OLD
    proxy.allowed = EDITOR
    assert mount.sh("cp $OUT/x primes.csv").returncode == 0
    assert (mount / "main/primes.csv").read_text() == NEW


def test_an_editor_needs_no_more_than_the_manual_grants(
    proxy: AwsProxy, on_aws: Callable[..., Mount]
) -> None:
    proxy.allowed = EDITOR
    mount = on_aws().mount()
    for script in (
        "echo 37,157 >> primes.csv",
        "printf 'a,b\n1,2\n' > new.csv",
        "mv new.csv newer.csv",
        "rm newer.csv; sync .",
        "mkdir ../side; echo 38,163 >> ../side/primes.csv; rmdir ../side",
    ):
        done = mount.sh(script)
        assert done.returncode == 0, f"{script}: {done.stderr}{mount.status()}"
    assert mount.umount().returncode == 0
    assert set(proxy.actions) == {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "s3:GetObject",
        "s3:PutObject",
    }


def test_what_aws_refuses_makes_a_mount_impossible(
    proxy: AwsProxy, on_aws: Callable[..., Mount]
) -> None:
    mount = on_aws()
    for allowed, named in (
        (READER - {"dynamodb:GetItem"}, "dynamodb:GetItem"),
        (READER - {"s3:GetObject"}, "s3:GetObject"),
    ):
        proxy.allowed = allowed
        done = mount.try_mount()
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert f"AWS refused {named}" in done.stderr
        assert "policy" in done.stderr


def test_servers_that_die_and_return(proxy: AwsProxy, on_aws: Callable[..., Mount]) -> None:
    """EIO after bounded retries, and the mount goes on once they are back."""
    mount = on_aws("primes", "refresh=0", "timeout=500ms").mount()
    assert (mount / "main/primes.csv").read_text() == OLD
    pid = mount.pid
    proxy.alive = False
    with pytest.raises(OSError, match="Input/output error"):
        (mount / "main/primes.csv").read_text()
    with pytest.raises(OSError, match="Input/output error"):
        os.listdir(mount.root)
    proxy.alive = True
    assert (mount / "main/primes.csv").read_text() == OLD
    assert mount.sh("echo 37,157 >> primes.csv").returncode == 0
    assert (mount / "main/primes.csv").read_text() == NEW
    assert mount.pid == pid


def test_an_outage_of_a_moment_is_waited_for(proxy: AwsProxy, on_aws: Callable[..., Mount]) -> None:
    """Connections are broken off, for longer than botocore would go on, and then no more."""
    mount = on_aws("primes", "refresh=0").mount()

    def return_after(requests: int) -> None:
        before = len(proxy.actions)

        def count(_: str) -> None:
            if len(proxy.actions) - before >= requests:
                proxy.alive = True

        proxy.on_request = count
        proxy.alive = False

    return_after(3)
    assert (mount / "main/primes.csv").read_text() == OLD
    assert proxy.alive
    (mount.home / "new.csv").write_text(NEW)
    return_after(6)
    done = mount.sh(f"cp {mount.home}/new.csv primes.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert proxy.alive
    assert (mount / "main/primes.csv").read_text() == NEW
    assert "last failed save: none" in mount.status()


def test_a_save_that_finds_no_server_is_kept(proxy: AwsProxy, on_aws: Callable[..., Mount]) -> None:
    mount = on_aws("primes", "refresh=1h", "timeout=500ms").mount()
    assert (mount / "main/primes.csv").read_text() == OLD
    proxy.alive = False
    (mount.home / "new.csv").write_text(NEW)
    done = mount.sh(f"cp {mount.home}/new.csv primes.csv")
    assert "Input/output error" in done.stderr
    assert [path.read_text() for path in mount.recovered()] == [NEW]
    proxy.alive = True
    wait_until(lambda: (mount / "main/primes.csv").read_text() == OLD, "the old text")
    assert mount.sh(f"cp {mount.home}/new.csv primes.csv").returncode == 0
    assert (mount / "main/primes.csv").read_text() == NEW


@pytest.mark.parametrize(
    ("action", "arrives", "expected"),
    [
        ("s3:PutObject", False, OLD),
        ("s3:PutObject", True, OLD),
        ("dynamodb:PutItem", False, OLD),
        ("dynamodb:PutItem", True, NEW),
    ],
)
def test_a_mount_that_is_killed_while_it_pushes(
    proxy: AwsProxy,
    on_aws: Callable[..., Mount],
    environment: dict[str, str],
    action: str,
    arrives: bool,
    expected: str,
) -> None:
    """The old table or the new one; the next mount works, and dolt finds no fault."""
    mount = on_aws().mount()
    pid = mount.pid

    def end(asked: str) -> None:
        if asked == action:
            kill(pid)
            # What it sent before arrives all the same, or not at all.
            proxy.alive = arrives

    if arrives:
        proxy.on_answer = end
    else:
        proxy.on_request = end
    mount.sh("echo 37,157 >> primes.csv")
    wait_until(lambda: not alive(pid), "the end of the mount process")
    proxy.on_request = proxy.on_answer = lambda _: None
    proxy.alive = True
    assert pyfs("umount", "-z", str(mount.root)).returncode == 0
    mount.mount()
    assert (mount / "main/primes.csv").read_text() == expected
    assert mount.sh("echo 41,179 >> primes.csv").returncode == 0
    assert (mount / "main/primes.csv").read_text() == expected + "41,179\n"
    if Dolt.found():
        clone = Dolt.at(mount.home / "dolt", environment).clone(mount.url, "clone")
        clone.check()
        assert clone.export("primes").decode() == expected + "41,179\n"


def test_a_table_that_is_deleted_is_no_empty_mount(
    servers: Endpoints, on_aws: Callable[..., Mount]
) -> None:
    mount = on_aws("primes", "refresh=0").mount()
    table = mount.url.partition("[")[2].partition(":")[0]
    servers.client("dynamodb").delete_table(TableName=table)
    for path in (mount.root, mount / "main"):
        with pytest.raises(OSError, match="Input/output error"):
            os.listdir(path)
    assert "no such DynamoDB table" in mount.log_file()
