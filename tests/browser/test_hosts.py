"""Does a page need anything from another host? No test in this folder does, and these look at what is left."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from lstm_core.ui.page import PAGES
from tests.browsing import PATIENCE_MS, WITHIN, place


def test_no_page_asks_another_host_for_anything(page: Page, address: str) -> None:
    """Its fonts are there, and its icon; pages with a race are looked at by other tests in the same way."""
    for name in ("claims", "sweeps"):
        page.goto(place(address, name))
        expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[name].question, timeout=PATIENCE_MS)
        page.wait_for_function("document.fonts.status == 'loaded'")
    icon = urlsplit(page.locator("link[rel~=icon]").get_attribute("href") or "missing:")
    assert icon.scheme in WITHIN or icon.netloc == urlsplit(address).netloc
