"""Does an address say what is set, in the words of the command line, and does a page do what its address says?"""

import re
import time
from html import escape
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lstm_core import options
from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.experiment import Experiment
from lstm_core.openings.presets import OPENINGS
from lstm_core.openings.starts import STARTS
from lstm_core.streams import CURRENT
from lstm_core.ui import address
from lstm_core.ui.controls import CONTROLS
from lstm_core.ui.former import FORMER
from lstm_core.ui.page import PAGES
from lstm_core.ui.session import ADDRESS, PROJECTOR, SHOWING
from lstm_core.ui.showing import Showing
from tests.visits import check, moved, open_page

STREAM = {address.STREAM: str(CURRENT)}
SHORT = {"steps": "100", "hidden": "4", "length": "10"}


def raced(visit: AppTest) -> dict[str, Experiment]:
    shown: Showing = visit.session_state[SHOWING]
    return dict(shown.experiments)


def settings(visit: AppTest) -> dict[str, str]:
    """What the address says once a race has been looked at."""
    check(visit.run())
    return {name: text for name, text in visit.query_params.items() if name not in address.BESIDE}


def told(visit: AppTest) -> str:
    return "\n".join(note.value for note in visit.caption if note.value.startswith(address.LINK))


def come_back(visit: AppTest, name: str, **link: str) -> AppTest:
    """To a page, by a link of the navigation, or by the browser's back to an address."""
    visit.query_params.clear()
    visit.query_params.update(link)
    return check(visit.switch_page(PAGES[name].path).run())


def progress_text(visit: AppTest) -> str:
    """What stands in the bar, once something was trained."""
    race, until = visit.session_state[SHOWING].race, time.monotonic() + 30
    while not all(racer.steps for racer in race.racers) and time.monotonic() < until:
        time.sleep(0.02)
    texts = [text.value for text in check(visit.run()).caption]
    return next(text for text in texts if re.match("step|finished", text))


def test_an_exact_link_names_stream_and_engine() -> None:
    assert address.exact({"length": "20"}, [FUSED, FUSED]) == {"length": "20", **STREAM, "engine": FUSED}


@pytest.mark.parametrize("engines", [(), (FUSED, REFERENCE_ENGINE)], ids=str)
def test_a_link_names_no_engine_where_not_one_has_computed_it_all(engines: tuple[str, ...]) -> None:
    assert address.exact({}, engines) == STREAM


def test_the_link_to_keep_has_the_engine_of_the_race_in_a_frame_too(visits: list[AppTest]) -> None:
    visit = open_page(visits, "gates", **SHORT, **STREAM)
    link, frame = [code.value for code in visit.code if "?" in code.value]
    assert escape(f"{link}&embed=true") in frame
    assert f"engine={FUSED}" in link
    assert f"stream={CURRENT}" in link


def test_a_race_on_another_engine_than_the_links_says_so_until_it_is_another_race(visits: list[AppTest]) -> None:
    visit = open_page(visits, "gates", engine=REFERENCE_ENGINE, **SHORT, **STREAM)
    assert f"made on the {REFERENCE_ENGINE} engine" in progress_text(visit)
    check(visit.select_slider(key="hidden").set_value(8).run())
    assert "the link was made" not in progress_text(visit)
    assert address.ENGINE not in visit.query_params


def test_a_race_on_the_links_engine_has_nothing_to_say(visits: list[AppTest]) -> None:
    assert "the link was made" not in progress_text(open_page(visits, "gates", engine=FUSED, **SHORT, **STREAM))


def test_an_engine_that_there_is_not_is_passed_over(visits: list[AppTest]) -> None:
    assert "the link was made" not in progress_text(open_page(visits, "gates", engine="quantum", **SHORT, **STREAM))


@pytest.mark.parametrize("name", OPENINGS)
def test_where_nothing_is_changed_the_address_says_nothing(name: str, visits: list[AppTest]) -> None:
    assert settings(open_page(visits, name)) == {}


@pytest.mark.parametrize("name", OPENINGS)
def test_every_control_moves_its_word_opens_the_same_race_and_one_click_leads_back(
    name: str, visits: list[AppTest]
) -> None:
    """By the address to a second visitor; to a race to start from, and to the opening."""
    visit = open_page(visits, name)
    assert len(moved(visit)) >= 12
    if SHOWING in visit.session_state:
        said = settings(visit)
        other = open_page(visits, name, **said, **STREAM)
        assert (raced(other), told(other), settings(other)) == (raced(visit), "", said)
    check(visit.toggle(key=PROJECTOR).set_value(False).run())
    start = next(row for row in STARTS if row.page == name)
    check(visit.button(key=f"start {start.name}").click().run())
    assert raced(visit) == start.experiments()
    assert visit.session_state[SHOWING].seeds == 1
    check(visit.button(key="opening").click().run())
    assert raced(visit) == OPENINGS[name].experiments()
    assert settings(visit) == {}


# Numbers and words that a page offers, for each field that it can set.
WORDS = {
    "task": "copy",
    "length": "70",
    "cell": "gru",
    "activation": "relu",
    "gates": "io",
    "coupled": "true",
    "peephole": "true",
    "layer_norm": "true",
    "zoneout_h": "0.05",
    "zoneout_c": "0.5",
    "forget_bias": "2.5",
    "hidden": "16",
    "optimizer": "sgd",
    "lr": "0.003",
    "seed": "7",
    "steps": "700",
    "batch": "8",
    "clip": "value",
    "clip_at": "0.3",
    "init": "identity",
    "gain": "1.5",
    "layers": "3",
    "sequences": "64",
    "precision": "float64",
    "horizon": "5",
    "log": "true",
    "difference": "true",
}


def test_every_field_that_a_page_sets_is_tried() -> None:
    assert set(WORDS) == set(CONTROLS)


@pytest.mark.parametrize(("field", "word"), [*WORDS.items(), ("forget_bias", "chrono"), ("gates", "")])
def test_an_address_and_the_command_line_say_the_same(field: str, word: str) -> None:
    option = "--" + field.replace("_", "-")
    switch = word == "true"
    asked = vars(options.parser().parse_args(["train", option] if switch else ["train", f"{option}={word}"]))
    value, fits = address.read(CONTROLS[field], field, [word], None)
    assert fits
    assert ("".join(value) if field == "gates" else value) == asked[field]
    assert CONTROLS[field].write(value) == word


@pytest.mark.parametrize(
    ("said", "taken", "lengths"),
    [
        ({"length": "300"}, "length=300", {"length": 200}),
        ({"lr": "0.0016"}, "lr=0.0016", {"lr": 0.002}),
        ({"seed": "123.7"}, "seed=123.7", {"seed": 0}),
        ({"optimizer": "adamw"}, "optimizer=adamw", {"optimizer": "adam"}),
        ({"length": ("20", "40")}, "length=20&length=40", {"length": 40}),
        ({"horizon": "3"}, "horizon", {}),
    ],
    ids=str,
)
def test_what_a_link_says_and_the_page_cannot_use_is_told_with_what_was_taken_until_something_else_is_set(
    said: dict[str, str | tuple[str, ...]], taken: str, lengths: dict[str, Any], visits: list[AppTest]
) -> None:
    visit = open_page(visits, "dashboard", **said, **STREAM)
    assert f"`{taken}`" in told(visit)
    first = next(iter(raced(visit).values()))
    for field, value in lengths.items():
        assert getattr(first, field) == value
        assert f"`{CONTROLS[field].write(value)}` is taken" in told(visit)
    assert told(check(visit.run())) == told(visit) != ""
    check(visit.slider(key="steps").set_value(2000).run())
    assert told(visit) == ""


def test_what_strangers_write_into_a_link_is_shown_as_it_is(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", task="`![x](https://example.org/x.png)`\n# Title", **STREAM)
    assert "`task='![x](https://example.org/x.png)' # Title` cannot be used" in told(visit)


def test_a_link_full_of_nonsense_is_answered_in_a_few_lines(visits: list[AppTest]) -> None:
    said = told(open_page(visits, "dashboard", **{f"x{number}": "y" * 500 for number in range(40)}, **STREAM))
    assert len(said) < 1000
    assert "35 more" in said


@pytest.mark.parametrize("name", OPENINGS)
def test_a_page_that_is_come_back_to_has_what_was_set_on_it(name: str, visits: list[AppTest]) -> None:
    visit = open_page(visits, name, seed="5", hidden="8", **STREAM)
    before, said = raced(visit), settings(visit)
    other = "depth" if name != "depth" else "gates"
    come_back(visit, other)
    assert raced(visit) == OPENINGS[other].experiments()
    come_back(visit, name)
    assert raced(visit) == before
    assert settings(visit) == said == {"seed": "5", "hidden": "8"}


def test_a_link_within_a_visit_wins_over_what_was_set(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", seed="5", **STREAM)
    settings(visit)
    come_back(visit, "gates")
    come_back(visit, "dashboard", length="30", **STREAM)
    assert {(one.seed, one.length) for one in raced(visit).values()} == {(0, 30)}


def test_back_within_a_page_sets_what_the_address_says(visits: list[AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "LAG_SECONDS", 0.0)
    visit = open_page(visits, "dashboard", **STREAM)
    settings(visit)
    check(visit.slider(key="length").set_value(40).run())
    assert settings(visit) == {"length": "40"}
    visit.query_params.clear()
    check(visit.run())
    assert raced(visit) == OPENINGS["dashboard"].experiments()


def test_a_hand_is_not_set_back_by_an_address_that_lags_behind(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", length="30", **STREAM)
    settings(visit)
    check(visit.slider(key="length").set_value(40).run())
    assert settings(visit) == {"length": "40"}
    visit.query_params["length"] = "30"
    check(visit.run())
    assert visit.slider(key="length").value == 40
    visit.query_params["length"] = "30"
    check(visit.slider(key="length").set_value(50).run())
    assert visit.slider(key="length").value == 50


def test_whoever_goes_back_twice_at_once_is_taken_at_his_word(visits: list[AppTest]) -> None:
    """From another page to what was set, and from there to what was set before."""
    visit = open_page(visits, "dashboard", length="30", **STREAM)
    settings(visit)
    check(visit.slider(key="length").set_value(40).run())
    assert settings(visit) == {"length": "40"}
    come_back(visit, "depth")
    come_back(visit, "dashboard", length="40", **STREAM)
    assert visit.slider(key="length").value == 40
    visit.query_params["length"] = "30"
    check(visit.run())
    assert visit.slider(key="length").value == 30


def test_places_on_the_way_of_a_hand_leave_nothing_for_the_browsers_back(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", steps="3000", **STREAM)
    settings(visit)
    check(visit.slider(key="length").set_value(90).run())
    check(visit.slider(key="length").set_value(80).run())
    assert "length" not in visit.query_params
    assert settings(visit)["length"] == "80"


def test_a_control_that_is_hidden_for_a_while_keeps_its_value(visits: list[AppTest]) -> None:
    visit = open_page(visits, "depth", layers="3", **STREAM)
    for look in ("time", "stacks"):
        check(visit.segmented_control(key="look").set_value(look).run())
    assert visit.slider(key="layers").value == 3


def test_a_control_that_was_hidden_when_the_page_was_left_has_its_value_again(visits: list[AppTest]) -> None:
    visit = open_page(visits, "depth", layers="3", **STREAM)
    check(visit.segmented_control(key="look").set_value("time").run())
    assert settings(visit) == {"look": "time"}
    come_back(visit, "gates")
    come_back(visit, "depth")
    assert told(visit) == ""
    check(visit.segmented_control(key="look").set_value("stacks").run())
    assert visit.slider(key="layers").value == 3


FORMER_LABELS = [(key, label) for key, labels in FORMER.items() for label in labels]


@pytest.mark.parametrize("name", OPENINGS)
def test_every_label_of_former_links_still_means_what_it_meant(name: str, visits: list[AppTest]) -> None:
    placed = open_page(visits, name).session_state[ADDRESS].placed
    for key, label in FORMER_LABELS:
        if key in placed:
            control, default = placed[key]
            by_label, by_word = (address.read(control, key, [text], default) for text in (label, FORMER[key][label]))
            assert by_label == by_word
            assert by_label[1], (key, label)


def test_every_former_name_is_still_a_control_of_some_page(visits: list[AppTest]) -> None:
    placed = {key for name in OPENINGS for key in open_page(visits, name).session_state[ADDRESS].placed}
    looks = open_page(visits, "depth", look="time", **STREAM).session_state[ADDRESS].placed
    assert set(FORMER) <= placed | set(looks)


def test_a_former_link_with_chrono_and_several_gates_opens_its_race(visits: list[AppTest]) -> None:
    old = {
        "gates": ("input gate", "output gate"),
        "chrono": "true",
        "optimizer": "RMSprop",
        "variants": ("V", "no gates"),
    }
    new = {"gates": "io", "forget_bias": "chrono", "optimizer": "rmsprop", "variants": "with_peepholes,no_gates"}
    one, other = (open_page(visits, "gates", **link, **STREAM) for link in (old, new))
    assert raced(one) == raced(other) != OPENINGS["gates"].experiments()
    assert told(one) == told(other) == ""


def test_a_run_that_was_left_behind_says_nothing_of_controls_that_are_gone() -> None:
    st.session_state["spot"] = 3
    assert address._written(address._Book(drawn=["hidden"], spots={"hidden": "spot"}), ["hidden"]) == {}
