"""What does a page in a browser say when its server was started anew?"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, expect

from tests.browsing import PATIENCE_MS
from tests.serving import serve


def test_a_file_has_to_be_chosen_again_when_the_server_was_started_anew(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("\n".join(["height", *map(str, range(150))]))
    with browser.new_page() as page:
        with serve() as server:
            page.goto(f"{server.address}/forecast?series=own&steps=200&hidden=8&activations=tanh")
            page.locator("input[type=file]").set_input_files(tmp_path / "own.csv", timeout=PATIENCE_MS)
            expect(page.get_by_text(re.compile("150 values. .*There are no gaps"))).to_be_visible(timeout=PATIENCE_MS)
        with serve(port=urlsplit(server.address).port or 0):
            expect(page.get_by_text("Choose a file with a series.")).to_be_visible(timeout=PATIENCE_MS)
            expect(page.get_by_text("own.csv")).to_have_count(0)
            page.locator("input[type=file]").set_input_files(tmp_path / "own.csv")
            expect(page.get_by_text(re.compile("150 values. .*There are no gaps"))).to_be_visible(timeout=PATIENCE_MS)
