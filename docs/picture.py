"""
The pictures in the README and the guide, made anew. `python -m docs.picture`: every page in a browser, some seconds
after it was opened.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from lstm_core import Experiment
from lstm_core.history.database import store
from lstm_core.history.opening import PLACE, open_history
from lstm_core.kernels.compilation import PRECISIONS
from lstm_core.kernels.pieces import build
from lstm_core.sweep.sweep import train_one
from lstm_core.ui.page import PAGES
from tests.browsing import LAPTOP, chromium, place, window
from tests.serving import serve

FOLDER = Path(__file__).with_name("pictures")
SECONDS, COLOURS = 8, 128
# What has been trained before, for the page that shows the history: cells of three families, from five seeds.
TRAINED = [
    Experiment(cell=cell, length=20, hidden=16, steps=400, lr=0.02, seed=seed)
    for cell in ("rnn", "lstm", "gru")
    for seed in range(5)
]


@contextmanager
def _a_history() -> Iterator[str]:
    """The place of a history with some runs."""
    with tempfile.TemporaryDirectory() as folder:
        place = f"sqlite:///{folder}/history.sqlite"
        history = open_history(place)
        store(history, [train_one(experiment) for experiment in TRAINED])
        history.dispose()
        yield place


def screenshot(browser: Browser, address: str, name: str) -> None:
    """The page `name` of `PAGES` as a small file with few colours."""
    with window(browser, LAPTOP) as page:
        page.goto(place(address, name))
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(1000 * SECONDS)
        taken = Image.open(BytesIO(page.screenshot())).convert("RGB")
    # This way of choosing colours leaves thin lines theirs.
    few = taken.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """All of them."""
    # The first visitors of a server that compiles would race on the reference engine.
    for precision in PRECISIONS:
        build(precision).done.result()
    FOLDER.mkdir(exist_ok=True)
    with _a_history() as history, serve({PLACE: history}) as server, chromium() as browser:
        for name in PAGES:
            screenshot(browser, server.address, name)


if __name__ == "__main__":
    main()
