"""Do the pages behave in a real browser, which keeps addresses, redraws charts, and remembers what was set?"""

import csv
import math
import re
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from lstm_core.charts.colours import SYMBOLS, slots
from lstm_core.claims import ROWS
from lstm_core.openings.presets import OPENINGS
from lstm_core.ui.page import PAGES
from tests.browsing import CHARTS, LONG, PATIENCE_MS

OWN_SERIES = "forecast?series=Your+own+file&steps=200&hidden=8&activations=tanh"


def visit(page: Page, address: str, query: str = "") -> None:
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{address}/{query}")


def expect_opening_race(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[name].question, timeout=PATIENCE_MS)
    opening = OPENINGS[name]
    for label, slot in slots(list(opening.racers)).items():
        expect(page.get_by_text(f"{SYMBOLS[slot]} {label}").first).to_be_visible(timeout=PATIENCE_MS)
    progress = re.compile(rf"^(step|paused at step) [\d,]+ of {opening.base.steps:,}|^finished after")
    expect(page.get_by_text(progress)).to_be_visible(timeout=PATIENCE_MS)


def turn_to(page: Page, name: str) -> None:
    """By the navigation."""
    if PAGES[name].group:
        page.get_by_role("button", name=PAGES[name].group, exact=True).click()
    page.get_by_role("link", name=PAGES[name].label, exact=True).first.click()


def test_every_page_opens_on_its_own_race_wherever_one_comes_from(page: Page, address: str) -> None:
    """Also after a control was moved on another page, with a clean address; what was moved is there again."""
    visit(page, address)
    expect_opening_race(page, "dashboard")
    page.get_by_role("slider", name="Length T, in time steps").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/?length=105&stream=2")
    for name in list(OPENINGS)[1:]:
        turn_to(page, name)
        expect_opening_race(page, name)
        assert "?" not in page.url
    turn_to(page, "dashboard")
    page.wait_for_url("**/?length=105&stream=2")
    expect(page.get_by_role("slider", name="Length T, in time steps")).to_have_value("105")


def test_the_browsers_back_leads_to_what_was_set(page: Page, address: str) -> None:
    """On the page before, and on the same one."""
    visit(page, address, "gates?steps=200")
    slider = page.get_by_role("slider", name="Forget bias b")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/gates?forget_bias=1.1*")
    turn_to(page, "depth")
    expect_opening_race(page, "depth")
    page.go_back()
    page.wait_for_url("**/gates?forget_bias=1.1*")
    expect(slider).to_have_value("1.1", timeout=PATIENCE_MS)
    page.go_back()
    expect(slider).to_have_value("1", timeout=PATIENCE_MS)
    assert "forget_bias" not in page.url
    page.go_forward()
    expect(slider).to_have_value("1.1", timeout=PATIENCE_MS)


def test_no_live_chart_is_redrawn_while_it_grows_or_after_a_changed_slider(page: Page, address: str) -> None:
    """Over ten seconds of training; and the page does not jump."""
    visit(page, address, f"{LONG}&length=200&hidden=64&batch=64")
    expect(page.get_by_text(re.compile(r"^step [\d,]+ of 3,000"))).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_function(f"{CHARTS}.length == 4")
    page.wait_for_timeout(2000)
    page.evaluate(f"{CHARTS}.forEach(node => node.dataset.seen = 'yes')")
    page.wait_for_timeout(6000)
    page.get_by_role("slider", name="Length T, in time steps").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/?length=195*")
    page.wait_for_timeout(4000)
    assert page.evaluate(f"{CHARTS}.filter(node => node.dataset.seen).length") == 4
    assert page.evaluate("window.scrollY") == 0


def test_a_race_can_be_paused_stepped_pinned_and_taken_home(page: Page, address: str) -> None:
    # A race that lasts, even where clicks are slow.
    visit(page, address, "?seed=12&steps=3000&length=200&hidden=64&batch=64")
    expect(page.get_by_text(re.compile(r"^step [1-9][\d,]* of 3,000"))).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Pause", exact=True).click()
    paused = page.get_by_text(re.compile(r"^paused at step [\d,]+ of 3,000"))
    expect(paused).to_be_visible(timeout=PATIENCE_MS)
    before = paused.inner_text()
    page.get_by_role("button", name=re.compile(r"\+\d+$")).click()
    expect(paused).not_to_have_text(before, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Pin", exact=True).click()
    page.get_by_role("button", name="1 pinned").click(timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Unpin 1")).to_be_visible(timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="link icon").click()
    expect(page.get_by_test_id("stCode").first).to_contain_text("seed=12")
    with page.expect_download() as download:
        page.get_by_role("button", name="All curves, CSV").click()
    with open(download.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["racer"] for row in rows} == set(OPENINGS["dashboard"].racers)
    assert {"loss", "hidden_grad_norms", "openness"} <= {row["quantity"] for row in rows}
    with page.expect_download() as download:
        page.get_by_role("button", name="Everything, ZIP").click()
    with zipfile.ZipFile(download.value.path()) as packed:
        assert {"LSTM.py", "LSTM.onnx", "race.ipynb", "curves.csv"} <= set(packed.namelist())
        told = packed.read("README.txt").decode()
        assert f"{address}?" in told
        assert "seed=12&" in told


def test_an_explosion_is_a_word_and_charts_that_can_be_read(page: Page, address: str) -> None:
    visit(page, address, "activations?activation=identity&lr=10&others=ReLU")
    expect(page.get_by_text(re.compile(r"exploded\sat")).first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(re.compile("^finished after"))).to_be_visible(timeout=PATIENCE_MS)
    shapes = (
        "[...document.querySelectorAll('[data-testid=stVegaLiteChart] svg path')].map(p => p.getAttribute('d') || '')"
    )
    page.wait_for_function(f"{shapes}.filter(shape => shape.split('L').length > 5).length >= 2")
    assert not page.evaluate(f"{shapes}.some(shape => shape.includes('NaN'))")


def test_a_file_is_raced_on_and_its_forecasts_are_taken_home(page: Page, address: str, tmp_path: Path) -> None:
    lines = [f"{1900 + i};{math.sin(i / 7):.4f}".replace(".", ",") for i in range(150)]
    (tmp_path / "own.csv").write_text("\n".join(["year;height", *lines]))
    (tmp_path / "bad.csv").write_text("year;height\n1900;1\n1901;=1+1\n")
    visit(page, address, OWN_SERIES)
    expect(page.get_by_text("Choose a file with a series.")).to_be_visible(timeout=PATIENCE_MS)
    page.locator("input[type=file]").set_input_files(tmp_path / "bad.csv")
    message = "line 3, column 'height': '=1+1' is a formula, not a number"
    expect(page.get_by_text(message)).to_be_visible(timeout=PATIENCE_MS)
    page.locator("input[type=file]").set_input_files(tmp_path / "own.csv")
    expect(page.get_by_text(re.compile("150 values. Read as UTF-8.*There are no gaps"))).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect(page.get_by_text(re.compile("is the best network on validation"))).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("tab", name="Take it home").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="All forecasts, CSV").click()
    with open(download.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["time"] for row in rows] == [*(str(1900 + i) for i in range(127, 150)), *[""] * 11]
    assert [row["place"] for row in rows][-11:] == [str(place) for place in range(151, 162)]
    assert float(rows[0]["truth"]) == round(math.sin(127 / 7), 4)
    assert {"last value", "tanh", "tanh, free-running"} < set(rows[0])


def test_a_statement_is_put_to_the_test_in_place_and_another_row_opens_at_a_click(page: Page, address: str) -> None:
    """Its charts stay, nodes and all, while it trains."""
    visit(page, address, "claims?claim=A13")
    expect(page.get_by_text(re.compile("^under test: 0 of 5 seeds are done"))).to_be_visible(timeout=PATIENCE_MS)
    charts = len(ROWS["A13"].questions) + len(ROWS["A13"].charts)
    page.wait_for_function(f"{CHARTS}.length == {charts}")
    page.evaluate(f"{CHARTS}.forEach(node => node.dataset.seen = 'yes')")
    expect(page.get_by_text("5 seeds are done", exact=True)).to_be_visible(timeout=3 * PATIENCE_MS)
    assert page.evaluate(f"{CHARTS}.filter(node => node.dataset.seen).length") == charts
    expect(page.get_by_text(re.compile("Now: ")).first).to_be_visible()
    page.get_by_text("The L2 norm of a matrix is its largest eigenvalue.").click()
    expect(page.get_by_text("False: the norm is the largest singular value.")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Both train to the same loss.")).to_have_count(0, timeout=PATIENCE_MS)
    assert page.url.endswith("/claims?claim=A4&stream=2")


def test_a_race_to_start_from_sets_controls_that_move_to_another_place_too(page: Page, address: str) -> None:
    visit(page, address, "gradient_flow")
    page.get_by_role("button", name="Start from ...").click(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Explode", exact=True).click()
    page.wait_for_url("**/gradient_flow?section=clipping&activation=relu&init=identity&*")
