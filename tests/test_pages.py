"""Does every page open on its calibrated race, and survive whatever a visitor does?"""

import threading
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lstm_core import Experiment
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.equations import latex
from lstm_core.charts.points import Curve, looked_at
from lstm_core.measurements.lengths import longer
from lstm_core.openings.presets import GATE_SETS, OPENINGS
from lstm_core.race import turns
from lstm_core.race.race import Race
from lstm_core.ui import page, showing
from lstm_core.ui.folded import MORE
from lstm_core.ui.page import PAGES
from lstm_core.ui.pins import MOST_PINS
from lstm_core.ui.session import PINS, SHOWING
from lstm_core.ui.showing import GHOST_STEPS, Showing, curves_of
from tests.trainings import begun_from_now, wait_for
from tests.visits import ROOT, check, controls, open_page, settled, unfolded

OPENING_LENGTH = OPENINGS["dashboard"].base.length


def experiments(visit: AppTest) -> dict[str, Experiment]:
    showing: Showing = visit.session_state[SHOWING]
    return dict(showing.experiments)


def captions(visit: AppTest) -> set[str]:
    """Of the charts that are shown, which unfold beside their titles."""
    return {text.proto.help for text in visit.markdown}


def test_every_page_has_a_file_and_every_file_is_a_page() -> None:
    pages = {"dashboard.py", *(f"pages/{file.name}" for file in (ROOT / "pages").glob("*.py"))}
    assert pages == {row.path for row in PAGES.values()}


def test_the_first_visitor_of_all_reads_the_question_while_all_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever comes later does not."""
    seen: list[str] = []
    loaded = threading.Event()

    def load() -> None:
        seen.append("loaded")
        loaded.set()

    monkeypatch.setattr(page, "_loaded", loaded)
    monkeypatch.setattr(page, "_load", load)
    for name in ("title", "caption"):
        monkeypatch.setattr(st, name, lambda text, **_: seen.append(text))
    monkeypatch.setattr(st, "set_page_config", lambda **_: None)
    monkeypatch.setattr(st, "rerun", lambda: seen.append("again"))
    page.begin("gates")
    question, explanation, *rest = seen
    assert question == PAGES["gates"].question
    assert "prepared" in explanation
    assert rest == ["loaded", "again"]
    page.begin("gates")
    assert seen[4:] == ["loaded"]


def test_every_opening_race_is_that_of_the_page_that_asks_for_it() -> None:
    asking = {name for name, page in PAGES.items() if f'OPENINGS["{name}"]' in (ROOT / page.path).read_text()}
    assert asking == set(OPENINGS)


@pytest.mark.parametrize("name", OPENINGS)
def test_a_page_opens_on_its_calibrated_race(name: str, visits: list[AppTest]) -> None:
    visit = open_page(visits, name)
    assert visit.title[0].value == PAGES[name].question
    assert experiments(visit) == OPENINGS[name].experiments()
    assert visit.session_state[SHOWING].race.running


def test_the_sections_of_the_gradients_flow_show_every_measurement_of_one_race(visits: list[AppTest]) -> None:
    visit = open_page(visits, "gradient_flow", seed="3")
    race, shown = visit.session_state[SHOWING].race, set[str]()
    for section in visit.selectbox(key="section").options:
        check(visit.selectbox(key="section").set_value(section).run())
        shown |= captions(visit)
        assert visit.session_state[SHOWING].race is race
    of_the_page = {"reach", "growth", "eigenvalues", "singular_values", "powers", "highway", "state_growth"}
    of_the_page |= {"memory_ruler", "states", "state_change", "clipping", "direction", "clipped_through_time"}
    assert {CHARTS[name].help for name in of_the_page} <= shown


def test_more_charts_are_drawn_once_they_are_opened(visits: list[AppTest]) -> None:
    visit = open_page(visits, "gates")
    assert CHARTS["ablation"].help not in captions(visit)
    assert CHARTS["ablation"].help in captions(unfolded(visit, MORE))


QUICK = {"steps": "100", "hidden": "4", "batch": "8", "length": "10"}


def test_longer_sequences_are_measured_of_every_racer_once_their_chart_is_looked_at(visits: list[AppTest]) -> None:
    visit = settled(open_page(visits, "dashboard", task="running_parity", **QUICK))
    race = visit.session_state[SHOWING].race
    assert not any(what is longer for racer in race.racers for what, _step in racer.run.measured)
    visit = settled(unfolded(visit, MORE))
    assert CHARTS["lengths"].help in captions(visit)
    for racer in race.racers:
        assert (longer, racer.run.snapshots[-1].step) in racer.run.measured


def test_of_a_series_there_are_no_longer_sequences(visits: list[AppTest]) -> None:
    visit = open_page(visits, "depth", task="forecast", **QUICK)
    assert CHARTS["lengths"].help not in captions(unfolded(visit, MORE))


@pytest.mark.parametrize("name", OPENINGS)
def test_every_page_writes_out_the_equations_of_its_racers(name: str, visits: list[AppTest]) -> None:
    visit = unfolded(open_page(visits, name), "Equations")
    texts = [shown.value for shown in visit.markdown]
    for experiment in experiments(visit).values():
        assert any(latex(experiment) in text for text in texts)


@pytest.mark.parametrize("name", OPENINGS)
def test_a_link_with_empty_values_opens(name: str, visits: list[AppTest]) -> None:
    keys = [key for _, key in controls(open_page(visits, name))]
    open_page(visits, name, **dict.fromkeys(keys, ""))


@pytest.mark.parametrize(
    ("name", "address", "changes"),
    [
        ("dashboard", {"length": "100", "seed": "7", "racers": "GRU"}, {"length": 100, "seed": 7, "cell": "gru"}),
        ("gates", {"gates": "input gate", "forget_bias": "2.5"}, {"gates": "i", "forget_bias": 2.5}),
        ("gates", {"chrono": "true", "peephole": "true"}, {"forget_bias": "chrono", "peephole": True}),
        ("concatenation", {"cell": "GRU", "lr": "0.1"}, {"cell": "gru", "lr": 0.1}),
        ("activations", {"activation": "SiLU", "task": "Parity"}, {"activation": "silu", "task": "parity"}),
    ],
)
def test_a_link_reproduces_its_race(
    name: str, address: dict[str, str], changes: dict[str, Any], visits: list[AppTest]
) -> None:
    first = next(iter(experiments(open_page(visits, name, **address)).values()))
    for field, value in changes.items():
        assert getattr(first, field) == value


def test_a_changed_control_starts_a_new_race_and_leaves_ghosts(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard")
    before: Showing = visit.session_state[SHOWING]
    while before.race.racers[0].steps < GHOST_STEPS:
        check(visit.run())
    check(visit.slider(key="length").set_value(20).run())
    after: Showing = visit.session_state[SHOWING]
    assert not before.race.running
    assert after.race.running
    assert {experiment.length for _, experiment in after.experiments} == {20}
    assert {(ghost.label, ghost.experiment.length) for ghost in after.ghosts} >= {("vanilla RNN", OPENING_LENGTH)}


def test_quick_changes_keep_the_last_race_that_got_somewhere_as_ghost(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = open_page(visits, "dashboard")
    while visit.session_state[SHOWING].race.racers[0].steps < GHOST_STEPS:
        check(visit.run())
    monkeypatch.setattr(Race, "start", lambda race, after=0.0: None)
    for length in (200, 195, 190):
        check(visit.slider(key="length").set_value(length).run())
    assert {ghost.experiment.length for ghost in visit.session_state[SHOWING].ghosts} == {OPENING_LENGTH}


def test_another_task_leaves_no_ghosts_whose_losses_mean_something_else(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard")
    while visit.session_state[SHOWING].race.racers[0].steps < GHOST_STEPS:
        check(visit.run())
    check(visit.selectbox(key="task").set_value("latch").run())
    assert visit.session_state[SHOWING].ghosts == ()


def test_tasks_with_classes_show_the_accuracy(visits: list[AppTest]) -> None:
    assert CHARTS["accuracy"].help in captions(open_page(visits, "dashboard", task="Latch"))
    assert CHARTS["accuracy"].help not in captions(open_page(visits, "dashboard"))


def test_pause_and_go_on_and_start_over(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard")
    race = visit.session_state[SHOWING].race
    check(visit.button(key="pause").click().run())
    assert not race.running
    check(visit.button(key="pause").click().run())
    assert race.running
    check(visit.button(key="restart").click().run())
    assert visit.session_state[SHOWING].race is not race
    assert not race.running


def test_another_page_stops_the_race_of_the_one_before(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard")
    race = visit.session_state[SHOWING].race
    check(visit.switch_page(PAGES["gates"].path).run())
    assert not race.running
    assert visit.session_state[SHOWING].page == "gates"
    assert experiments(visit) == OPENINGS["gates"].experiments()


def test_a_finished_race_says_who_solved_the_task(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", length="10", steps="100", task="Latch", racers="LSTM")
    settled(visit)
    check(visit.run())
    assert any("solved&nbsp;at" in text.value for text in visit.markdown)


def test_a_diverged_race_is_a_result_not_an_error(visits: list[AppTest]) -> None:
    visit = open_page(visits, "activations", activation="identity", lr="10", clip="off")
    while not visit.session_state[SHOWING].race.racers[0].ended:
        check(visit.run())
    check(visit.run())
    assert any("exploded" in text.value for text in visit.markdown)


def test_too_many_racers_get_a_word_and_the_first_ones_run(visits: list[AppTest]) -> None:
    visit = open_page(visits, "gates")
    pills = visit.pills(key="variants")
    check(pills.set_value(list(GATE_SETS)).run())
    assert len(visit.session_state[SHOWING].race.racers) == 6
    assert "the first 6 run" in visit.warning[0].value


def test_no_racers_get_a_word(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard")
    check(visit.pills(key="racers").set_value([]).run())
    assert "Choose" in visit.info[0].value


def test_ten_quick_changes_start_one_training(visits: list[AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    visit = open_page(visits, "dashboard")
    opening, begun = visit.slider(key="length").value, begun_from_now(monkeypatch)
    monkeypatch.setattr(showing, "REST_SECONDS", 3)
    for length in range(15, 65, 5):
        check(visit.slider(key="length").set_value(length).run())
    last = visit.session_state[SHOWING].race
    while not all(racer.steps for racer in last.racers):
        check(visit.run())
    lengths = [experiment.length for experiment in begun if experiment.length != opening]
    assert lengths == [60] * len(last.racers)


def test_a_racer_that_stays_when_another_one_goes_trains_on(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begun_from_now(monkeypatch)
    visit = open_page(visits, "dashboard", steps="3000", length="100", hidden="64", lr="0.0001", seed="23")
    contest = visit.session_state[SHOWING].race
    while not all(racer.steps for racer in contest.racers):
        check(visit.run())
    contest.pause()
    wait_for(lambda: not turns.TURNS._under_way)
    staying = contest.racers[-1]
    check(visit.pills(key="racers").set_value([staying.label]).run())
    (racer,) = visit.session_state[SHOWING].race.racers
    seen = len(racer.run.snapshots)
    while len(racer.snapshots) <= seen:
        check(visit.run())
    assert begun.count(staying.experiment) == 1


def test_a_race_that_asks_for_too_much_is_refused_with_a_word(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", hidden="128", batch="128")
    assert any("Lower the length" in warning.value for warning in visit.warning)
    assert SHOWING not in visit.session_state
    check(visit.select_slider(key="hidden").set_value(32).run())
    assert SHOWING in visit.session_state


def test_a_paused_race_goes_step_by_step(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", seed="21")
    contest = visit.session_state[SHOWING].race
    while not all(racer.steps for racer in contest.racers):
        check(visit.run())
    check(visit.button(key="pause").click().run())
    before = [len(racer.snapshots) for racer in contest.racers]
    check(visit.button(key="step").click().run())
    while contest.moving:
        check(visit.run())
    assert [len(racer.snapshots) for racer in contest.racers] == [number + 1 for number in before]


def test_up_to_four_races_are_pinned_and_let_go(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", seed="22")
    for number in range(1, MOST_PINS + 1):
        assert not visit.button(key="pin").disabled
        check(visit.button(key="pin").click().run())
        assert visit.button(key=f"unpin {number}").label == f"Unpin {number}"
    assert visit.button(key="pin").disabled
    check(visit.button(key="unpin 2").click().run())
    check(visit.button(key="pin").click().run())
    assert [pin.number for pin in visit.session_state[PINS]] == [1, 3, 4, 2]


def drawn(visit: AppTest, name: str) -> pd.DataFrame:
    """The table that the page has sent for a row of `CHARTS`."""
    (chart,) = [one for one in visit.get("vega_lite_chart") if one.proto.alt.startswith(CHARTS[name].description)]
    return pa.ipc.open_stream(chart.proto.data.data).read_all().to_pandas()


def looked_back(visits: list[AppTest], step: int) -> tuple[AppTest, tuple[Curve, ...]]:
    """A finished race that is shown as of a step, and all its curves."""
    visit = open_page(visits, "dashboard", seed="23", length="20", steps="100")
    contest = visit.session_state[SHOWING].race
    settled(visit)
    check(visit.slider(key="moment").set_value(step).run())
    return visit, curves_of(contest)


def test_a_look_back_shows_the_gradient_through_time_as_it_was(visits: list[AppTest]) -> None:
    visit, curves = looked_back(visits, 10)
    then = CHARTS["gradient_through_time"].table([curve.at(10) for curve in curves])
    pd.testing.assert_frame_equal(drawn(visit, "gradient_through_time"), then.to_pandas())


def test_a_look_back_leaves_the_whole_loss_and_marks_the_step(visits: list[AppTest]) -> None:
    visit, curves = looked_back(visits, 10)
    shown = looked_at(CHARTS["loss"].table(curves), 10).to_pandas()
    pd.testing.assert_frame_equal(drawn(visit, "loss"), shown, check_categorical=False)
