"""What `--help` shows of commands behind their arguments: options of -o, and examples."""

from __future__ import annotations

from typing import Final

from pyfs.cli.options import GROUPS, options_help

EXAMPLES: Final = """\
examples:
  pyfs init 'aws://[dolt_manifests:my-bucket]/primes'     an empty database on a new remote
  pyfs mount 'aws://[dolt_manifests:my-bucket]/primes' ~/primes
  pyfs mount -o ro,refresh=10 file:///srv/dolt/primes ~/primes
  cat ~/primes/main/primes.csv
  echo 41,13 >> ~/primes/main/primes.csv                  a commit, pushed when it returns
  cat ~/primes/main/.pyfs/status                          the last refused save, and why
  pyfs umount ~/primes
"""

_EXAMPLES_OF: Final = {
    "mount": """\
examples:
  pyfs mount 'aws://[dolt_manifests:my-bucket]/primes' ~/primes
  pyfs mount -o ro,profile=reader 'aws://[dolt_manifests:my-bucket]/primes' ~/primes
  pyfs mount -o 'author=Ada Lovelace <ada@example.com>' file:///srv/dolt/primes ~/primes
  pyfs mount -f -o log-level=debug file:///srv/dolt/primes ~/primes
  mount -t fuse.pyfs file:///srv/dolt/primes /mnt/primes -o ro     also in /etc/fstab
""",
    "umount": """\
examples:
  pyfs umount ~/primes
  pyfs umount -z ~/primes       even while files are open there, or it does not answer
""",
    "status": """\
examples:
  pyfs status ~/primes          the mount: requests, bytes, refused saves
  pyfs status ~/primes/main     a branch: its head, and why a save was refused
""",
    "init": """\
examples:
  pyfs init 'aws://[dolt_manifests:my-bucket]/primes'
  pyfs init -b trunk file:///srv/dolt/primes
""",
    "log": """\
examples:
  pyfs log 'aws://[dolt_manifests:my-bucket]/primes'
  pyfs log -n 3 file:///srv/dolt/primes feature/twin
""",
}
_OPTION_GROUPS: Final = {
    "mount": GROUPS,
    "init": ("commits", "AWS"),
    "log": ("AWS", "local disk"),
}
"""Which options have a meaning for a command."""


def epilog(command: str) -> str:
    """The end of a command's help."""
    groups = _OPTION_GROUPS.get(command)
    options = f"{options_help(groups)}\n\n" if groups else ""
    return options + _EXAMPLES_OF[command]
