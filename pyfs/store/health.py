"""`Health`: when a remote last failed, and with what."""

import time

from pyfs.errors import PyfsError


class Health:
    """What is known of how a remote does. Times are `time.time()`."""

    def __init__(self) -> None:
        self.error: PyfsError | None = None
        """The last failure; its text names action and resource, and what to do."""
        self.failed_at = 0.0
        self.failing = False
        """Whether nothing was answered since."""

    def failed(self, error: PyfsError) -> None:
        """The remote could not do what it was asked."""
        self.error, self.failed_at, self.failing = error, time.time(), True

    def answered(self) -> None:
        """The remote did what it was asked."""
        self.failing = False
