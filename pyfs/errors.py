"""What can go wrong, by what the caller could do about it.

What is below `PyfsError` is what handlers map to an errno (`pyfs.fuse.errors`).
`pyfs._core` raises `CorruptionError`, `UnsupportedError`, `InvalidTextError`, `DuplicateKeyError`
and `ReadAnewError` from here.
"""


class PyfsError(Exception):
    """Anything that pyfs itself reports. The text is one clear sentence."""


class RemoteError(PyfsError):
    """The remote did not answer, or answered nonsense, after all retries."""


class NoAnswerError(RemoteError):
    """The remote was asked for as long as a request may take, in vain."""


class CorruptionError(PyfsError):
    """Stored bytes are not what their address or format promises."""


class AccessError(PyfsError):
    """The remote refused an action for want of permission or credentials."""


class ReadOnlyError(PyfsError):
    """A write to something that cannot be written: a mount with -o ro, a tag, a commit."""


class UnsupportedError(PyfsError):
    """Valid, but something that pyfs cannot read or maintain."""


class InvalidTextError(PyfsError):
    """A text is not a valid table for its schema.

    Attributes:
        line: line on which the offending record starts, from 1; 0 where none is to blame.
        unit: what is counted: "line", or "row" of a file that has no lines.
        column: the column's name, or "" where the record as a whole is wrong.
        value: the field as it stood in the text, cut after 64 characters.
        reason: why it does not fit.
    """

    def __init__(
        self,
        reason: str,
        line: int = 0,
        column: str = "",
        value: str = "",
        *,
        unit: str = "line",
    ) -> None:
        where = f"{unit} {line}" if line else ""
        if column:
            where += f", column {column!r}: {value!r}"
        super().__init__(f"{where}: {reason}" if where else reason)
        self.line = line
        self.unit = unit
        self.column = column
        self.value = value
        self.reason = reason


class DuplicateKeyError(InvalidTextError):
    """Two rows of a text have the same primary key."""


class ReadAnewError(Exception):
    """A text has to be read again from its start, in another way. Never leaves a build."""


class InvalidNameError(PyfsError):
    """A name that Dolt refuses for a branch or a table."""


class ConflictError(PyfsError):
    """Another client changed the same table meanwhile."""


class NotFoundError(PyfsError):
    """No such branch, table, commit or file."""


class AbsentRemoteError(NotFoundError):
    """The bucket or the DynamoDB table that the remote's URL names is not there."""


class AlreadyExistsError(PyfsError):
    """A branch, table or file of that name is there already."""


class DirectoryExpectedError(PyfsError):
    """A file where a directory was wanted."""


class FileExpectedError(PyfsError):
    """A directory where a file was wanted."""


class NotEmptyError(PyfsError):
    """A directory that still holds something which cannot be removed with it."""


class NotPermittedError(PyfsError):
    """An operation that this file or directory never allows."""


class CrossDirectoryError(PyfsError):
    """A move that has to be a copy and a removal, such as one from branch to branch."""


class SupersededError(PyfsError):
    """The file's name means another version by now; looking it up again finds that one."""


class SpaceError(PyfsError):
    """The disk of the spool or the cache is full."""


class DiskError(PyfsError):
    """The disk of the spool or the cache failed, other than by being full."""


class ConfigurationError(PyfsError):
    """What was asked for on the command line or in the environment cannot work as it stands."""
