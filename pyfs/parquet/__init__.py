"""Tables as Parquet files, by way of their CSV text. Needs `pyarrow`, which is an extra."""

import re
from importlib.util import find_spec

from pyfs.errors import ConfigurationError, DuplicateKeyError, InvalidTextError

_LINE = re.compile(r"\bline\b")


def check_installed() -> None:
    """Raises `ConfigurationError` where `pyarrow` is missing."""
    if find_spec("pyarrow") is None:
        raise ConfigurationError(
            "format=parquet needs pyarrow, which is not installed: pip install 'pyfs-dolt[parquet]'"
        )


def in_rows(error: InvalidTextError) -> InvalidTextError:
    """*error*, of a build that counts rows, in words that speak of rows."""
    if error.unit == "row":
        return error
    reason = _LINE.sub("row", error.reason).replace("the header", "the file")
    kind = DuplicateKeyError if isinstance(error, DuplicateKeyError) else InvalidTextError
    return kind(reason, error.line, error.column, error.value, unit="row")
