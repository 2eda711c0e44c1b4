"""What do all tests in a browser share? Debian's Chromium, and one dashboard."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browsing import CHROMIUM, FLAGS, PATIENCE_MS, WITHIN
from tests.serving import serve


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the gate runs, a browser that is missing is a failure."""
    missing = pytest.mark.skipif(
        CHROMIUM is None and "CI" not in os.environ, reason="needs a browser: apt-get install chromium"
    )
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(missing)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Beside what went wrong stands what could be read in the window then, or its source where that was nothing."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.failed and page:
        report.sections.append((page.url, page.inner_text("body") or page.content()))
    return report


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


@pytest.fixture
def page(page: Page, address: str) -> Iterator[Page]:
    """
    A window that reaches the dashboard alone, as behind a wall: neither scripts nor fonts, icons, the tab's picture or
    sockets are asked for anywhere else. Nor is a message only named that the window may have forgotten, nor does a
    script of the page fail.
    """
    own, asked, named, failed = urlsplit(address).netloc, set[str](), list[str](), list[str]()

    def listen(socket: WebSocket) -> None:
        asked.update({socket.url} if urlsplit(socket.url).netloc != own else ())
        socket.on("framereceived", hear)

    def hear(message: str | bytes) -> None:
        assert isinstance(message, bytes)
        named.extend(filter(None, [ForwardMsg.FromString(message).ref_hash]))

    def turn_away(route: Route) -> None:
        asked.add(route.request.url)
        route.abort()

    page.route(lambda url: urlsplit(url).scheme not in WITHIN and urlsplit(url).netloc != own, turn_away)
    page.on("websocket", listen)
    page.on("pageerror", lambda error: failed.append(f"{error.message} {error.stack}"))
    page.set_default_timeout(PATIENCE_MS)
    yield page
    assert (asked, named, failed) == (set(), [], [])
