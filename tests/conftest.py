import signal
from collections.abc import Iterator

import pytest

from tests.support.servers import Endpoints, running_servers


@pytest.fixture(scope="session")
def servers() -> Iterator[Endpoints]:
    """S3 and DynamoDB on this machine, one pair for all tests."""
    with running_servers() as endpoints:
        yield endpoints


def pytest_configure() -> None:
    # A shell has what it runs in the background ignore Ctrl-C, and so would all that tests run.
    signal.signal(signal.SIGINT, signal.default_int_handler)
