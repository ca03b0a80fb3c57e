"""`ModelLoader`: botocore's descriptions of services, loaded with half the work.

They are most of what a client costs to make, and making two of them is a good part of the time
until a mount is usable.
"""

import json
import os
import zlib
from typing import Any, Final

from botocore.loaders import JSONFileLoader, Loader

GZIP_WBITS: Final = 31
"""Tells zlib to expect a header as gzip writes it."""


class ModelLoader(Loader):
    """Finds what botocore's own loader finds, in the same places."""

    def __init__(self, data_path: str | None) -> None:
        """*data_path* is what `AWS_DATA_PATH` holds: folders with other descriptions."""
        folders = data_path.split(os.pathsep) if data_path else []
        super().__init__(
            extra_search_paths=[os.path.expanduser(os.path.expandvars(path)) for path in folders],
            file_loader=_Files(),
        )

    def list_available_services(self, type_name: str) -> list[str]:
        """The services that may have a description of this type.

        botocore looks into each of their 400 folders to leave out those that have none. One that is
        asked for and has none is told by the search for its newest version.
        """
        names: set[str] = set()
        for path in self.search_paths:
            try:
                with os.scandir(path) as entries:
                    names.update(entry.name for entry in entries if entry.is_dir())
            except OSError:
                continue
        return sorted(names)


class _Files(JSONFileLoader):
    """JSON files with or without compression, as plain dictionaries.

    botocore makes an `OrderedDict` of each object, which a dictionary has been as good as since
    Python 3.7; that takes twice the time.
    """

    def load_file(self, file_path: str) -> Any:
        """The contents of *file_path* with a suffix; None where it is not there."""
        try:
            with open(f"{file_path}.json", "rb") as file:
                return json.loads(file.read())
        except FileNotFoundError:
            pass
        try:
            with open(f"{file_path}.json.gz", "rb") as file:
                return json.loads(zlib.decompress(file.read(), GZIP_WBITS))
        except FileNotFoundError:
            return None
