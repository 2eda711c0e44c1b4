"""Does a link say whose numbers it means, and does the page say where others come?"""

import re
import time

import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.streams import CURRENT
from lstm_core.ui import address
from lstm_core.ui.session import SHOWING
from tests.visits import check, open_page

STREAM = {address.STREAM: str(CURRENT)}
SHORT = {"steps": "100", "hidden": "4", "length": "10"}


def progress_text(visit: AppTest) -> str:
    """What stands in the bar, once something was trained."""
    race, until = visit.session_state[SHOWING].race, time.monotonic() + 30
    while not all(racer.steps for racer in race.racers) and time.monotonic() < until:
        time.sleep(0.02)
    texts = [text.value for text in check(visit.run()).caption]
    return next(text for text in texts if re.match("step|finished", text))


def test_an_exact_link_names_stream_and_engine() -> None:
    assert address.exact({"length": "20"}, [FUSED, FUSED]) == {"length": "20", **STREAM, "engine": FUSED}
    assert address.exact({"engine": FUSED}, [REFERENCE_ENGINE]) == {**STREAM, "engine": REFERENCE_ENGINE}


@pytest.mark.parametrize("engines", [(), (FUSED, REFERENCE_ENGINE)], ids=str)
def test_a_link_names_no_engine_where_not_one_has_computed_it_all(engines: tuple[str, ...]) -> None:
    assert address.exact({"engine": FUSED}, engines) == STREAM


def test_the_link_to_keep_has_the_engine_of_the_race(visits: list[AppTest]) -> None:
    visit = open_page(visits, "gates", **SHORT, **STREAM)
    (link,) = [code.value for code in visit.code if "?" in code.value]
    assert f"engine={FUSED}" in link
    assert f"stream={CURRENT}" in link


def test_a_race_on_another_engine_than_the_links_says_so_until_it_is_another_race(visits: list[AppTest]) -> None:
    visit = open_page(visits, "gates", engine=REFERENCE_ENGINE, **SHORT, **STREAM)
    assert f"made on the {REFERENCE_ENGINE} engine" in progress_text(visit)
    visit.select_slider(key="hidden").set_value(8)
    assert "the link was made" not in progress_text(visit)
    assert address.ENGINE not in visit.query_params


def test_a_race_on_the_links_engine_has_nothing_to_say(visits: list[AppTest]) -> None:
    assert "the link was made" not in progress_text(open_page(visits, "gates", engine=FUSED, **SHORT, **STREAM))


def test_an_engine_that_there_is_not_is_passed_over(visits: list[AppTest]) -> None:
    assert "the link was made" not in progress_text(open_page(visits, "gates", engine="quantum", **SHORT, **STREAM))
