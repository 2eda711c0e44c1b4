"""What do all tests in a browser share? Debian's Chromium, and one dashboard."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browsing import CHROMIUM, FLAGS
from tests.serving import serve


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the gate runs, a browser that is missing is a failure."""
    missing = pytest.mark.skipif(
        CHROMIUM is None and "CI" not in os.environ, reason="needs a browser: apt-get install chromium"
    )
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(missing)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return browser_context_args | {"viewport": {"width": 1440, "height": 1000}}


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    """A dashboard of our own; it has to end cleanly in the middle of a race."""
    with serve() as server:
        yield server.address
