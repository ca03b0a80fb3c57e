"""`RequestCounts`: what a mount asked of its remote."""

from dataclasses import dataclass


@dataclass(slots=True)
class RequestCounts:
    """Requests and bytes since the remote was opened. Retries inside one request count once."""

    file_reads: int = 0
    file_read_bytes: int = 0
    file_writes: int = 0
    file_written_bytes: int = 0
    manifest_reads: int = 0
    manifest_writes: int = 0
