"""Does a page need anything from another host? A class may sit behind a wall, and nobody is told who looks."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route, expect

from lstm_core.openings.presets import OPENINGS
from lstm_core.ui.page import PAGES
from tests.browsing import CHARTS, ON_STAGE, PATIENCE_MS, place

# What came with the page itself.
WITHIN = {"data", "blob"}


def test_no_page_asks_another_host_for_anything(page: Page, address: str) -> None:
    """Neither for scripts nor fonts, icons, or the tab's picture; nor through a socket. All charts are there."""
    own, others, asked, sockets = urlsplit(address).netloc, set[str](), set[str](), set[str]()

    def turn_away(route: Route) -> None:
        others.add(route.request.url)
        route.abort()

    page.set_default_timeout(PATIENCE_MS)
    page.route(re.compile(rf"^(?!(data|blob):|http://{re.escape(own)}/)"), turn_away)
    page.on("request", lambda request: asked.add(request.url))
    page.on("websocket", lambda socket: sockets.add(urlsplit(socket.url).netloc))
    for name, row in PAGES.items():
        page.goto(place(address, name))
        expect(page.get_by_role("heading", level=1)).to_have_text(row.question, timeout=PATIENCE_MS)
        if name in OPENINGS:
            page.wait_for_function(f"{CHARTS}.length >= {ON_STAGE}")
        page.wait_for_function("document.fonts.status == 'loaded'")
    icon = urlsplit(page.locator("link[rel~=icon]").get_attribute("href") or "missing:")
    assert icon.scheme in WITHIN or icon.netloc == own
    assert (
        others | {url for url in asked if urlsplit(url).scheme not in WITHIN and urlsplit(url).netloc != own} == set()
    )
    assert sockets == {own}
