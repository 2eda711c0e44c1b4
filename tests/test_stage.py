"""Does a race page show what was asked for: seeds, steps, pins, a class, a frame, one look at a time?"""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Widget

from lstm_core.charts.catalogue import CHARTS
from lstm_core.network import parameter_count
from lstm_core.race import race
from lstm_core.ui import live, navigation, pace, page, room, showing, stage, view
from lstm_core.ui.session import SHOWING, STEP_SHOWN
from lstm_core.ui.showing import GHOST_STEPS, Showing
from tests.visits import check, open_page, redrawn_from_now, settled

SHORT = {"steps": "100", "length": "10", "hidden": "8", "seed": "50"}
RACERS = ["vanilla RNN", "LSTM"]


def shown(visit: AppTest) -> Showing:
    showing: Showing = visit.session_state[SHOWING]
    return showing


def open_dashboard(visits: list[AppTest], **address: str) -> AppTest:
    return open_page(visits, "dashboard", **SHORT | address)


def come_to(visit: AppTest, step: int) -> AppTest:
    """The same visit when every racer has come so far."""
    while not all(racer.steps >= step for racer in shown(visit).race.racers):
        shown(visit).race.renew()
        time.sleep(0.02)
    return check(visit.run())


def in_sight(block: Block) -> Iterator[Any]:
    """All that does not lie in a popover."""
    for child in block.children.values():
        if child.type != "popover":
            yield child
            if isinstance(child, Block):
                yield from in_sight(child)


def controls(visit: AppTest) -> set[str | None]:
    """The keys of what can be touched without opening anything, but for the guess, which has one for each race."""
    keys = {one.key for one in in_sight(visit._tree) if isinstance(one, Widget)}
    return {key for key in keys if not (key or "").startswith("guess ")}


def charts(visit: AppTest) -> int:
    return len(visit.get("vega_lite_chart"))


@pytest.mark.parametrize(("key", "value", "last"), [("steps", 200, 200), ("length", 15, 100)])
def test_a_new_race_is_seen_to_its_end_though_one_has_gone_back_in_the_last(
    key: str, value: int, last: int, visits: list[AppTest]
) -> None:
    visit = come_to(open_dashboard(visits), GHOST_STEPS)
    check(visit.slider(key=STEP_SHOWN).set_value(10).run())
    assert visit.session_state[STEP_SHOWN] == 10
    check(visit.slider(key=key).set_value(value).run())
    assert visit.slider(key=STEP_SHOWN).value == visit.slider(key=STEP_SHOWN).max == last


@pytest.mark.parametrize(("steps", "first"), [("200", "+1"), ("1000", "+5"), ("3000", "+15")])
def test_the_step_button_says_how_many_steps_it_adds(steps: str, first: str, visits: list[AppTest]) -> None:
    """Paused on a multiple of what is shown; see `test_outcome` for the first step and the last."""
    visit = come_to(open_dashboard(visits, steps=steps, length="100", hidden="64"), 15)
    contest = shown(visit).race
    check(visit.button(key="pause").click().run())
    button, before = visit.button(key="step"), max(racer.steps for racer in contest.racers)
    assert (button.label, button.disabled) == (first, False)
    check(button.click().run())
    while contest.moving:
        contest.renew()
        time.sleep(0.01)
    assert max(racer.steps for racer in contest.racers) == before + int(first)


def test_while_a_race_goes_it_makes_no_single_steps(visits: list[AppTest]) -> None:
    visit = open_dashboard(visits, steps="3000")
    assert visit.button(key="step").disabled


def test_a_class_sees_two_charts_and_no_tabs(visits: list[AppTest]) -> None:
    plain, projected = open_dashboard(visits), open_dashboard(visits, projector="true")
    assert (charts(projected), len(projected.tabs)) == (2, 0)
    assert charts(plain) > 2
    assert len(plain.tabs) > 0
    assert controls(plain) == controls(projected)


def test_a_class_sees_larger_type(visits: list[AppTest]) -> None:
    plain, projected = open_dashboard(visits), open_dashboard(visits, projector="true")
    styles = ["".join(html.proto.body for html in visit.get("html")) for visit in (plain, projected)]
    sizes = [re.findall(r"font-size: ([\d.]+)px", style) for style in styles]
    assert sizes == [[], [str(st.get_option("theme.baseFontSize") * room.LARGER)]]


def test_a_page_says_what_to_touch_and_leads_to_all_others(visits: list[AppTest]) -> None:
    visit = open_dashboard(visits)
    assert any("**Drag the length**" in text.value for text in visit.caption)
    assert len(visit.get("page_link")) == len(page.PAGES)


def test_in_a_frame_there_are_one_control_and_two_charts_and_nothing_else(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (live, navigation, stage):
        monkeypatch.setattr(module, "embedded", lambda: True)
    visit = open_dashboard(visits)
    assert controls(visit) == {"length"}
    assert (charts(visit), len(visit.tabs), len(visit.get("page_link"))) == (2, 0, 0)
    assert not any("**Drag the length**" in text.value for text in visit.caption)


def test_where_there_is_right_and_wrong_the_share_that_is_right_comes_second(visits: list[AppTest]) -> None:
    plain, classes = open_dashboard(visits), open_dashboard(visits, task="Latch")
    first, second, third, *_ = described(plain)
    assert described(classes)[: live.ON_STAGE] == [first, CHARTS["accuracy"].description, second, third]


def described(visit: AppTest) -> list[str]:
    """What each chart says that it is, without what came out."""
    return [re.split(r"(?<=\.) ", chart.proto.alt)[0] for chart in visit.get("vega_lite_chart")]


def test_a_chart_at_rest_says_where_its_lines_begin_and_end_to_those_who_cannot_see_it(visits: list[AppTest]) -> None:
    visit = settled(open_dashboard(visits, **SHORT))
    spoken = next(chart.proto.alt for chart in visit.get("vega_lite_chart"))
    for racer in shown(visit).race.racers:
        last = racer.snapshots[-1]
        assert re.search(rf"{racer.label}: [\d.]+ at \d+, {last.mean_loss:.3g} at {last.step}\.", spoken)


def test_while_a_race_goes_its_charts_say_what_they_are(visits: list[AppTest]) -> None:
    visit = open_dashboard(visits, steps="3000")
    assert [chart.proto.alt for chart in visit.get("vega_lite_chart")] == described(visit)


def test_the_number_of_states_is_asked_where_a_cell_sees_several(visits: list[AppTest]) -> None:
    visit = open_page(visits, "depth")
    asked = []
    for look in ("stacks", "time"):
        check(visit.segmented_control(key="look").set_value(look).run())
        asked += [look for pills in visit.pills if pills.key == "windows"]
    assert asked == ["time"]


def test_the_stacks_that_race_are_chosen_and_plain_stays_the_first(visits: list[AppTest]) -> None:
    for chosen, racers in (("highway", ["plain", "highway"]), ("residual,highway", ["plain", "residual", "highway"])):
        of = dict(shown(open_page(visits, "depth", wirings=chosen, compared="weights")).experiments)
        assert list(of) == racers
        assert [one.wiring for one in of.values()] == racers
        assert max(map(parameter_count, of.values())) == parameter_count(of["plain"])


def test_one_of_a_few_cannot_be_taken_back_to_none(visits: list[AppTest]) -> None:
    visit = open_dashboard(visits)
    assert all(choice.proto.required for choice in visit.segmented_control)
    assert {choice.key for choice in visit.segmented_control} >= {"optimizer", "clip"}


def test_many_of_a_few_go_on_in_the_next_line(visits: list[AppTest]) -> None:
    assert all(choice.proto.wrap for choice in open_dashboard(visits).segmented_control)


def test_a_race_stops_when_the_next_one_is_refused(visits: list[AppTest]) -> None:
    visit = open_dashboard(visits, length="200", batch="128")
    before = shown(visit).race
    check(visit.select_slider(key="hidden").set_value(128).run())
    assert not before.running
    assert SHOWING not in visit.session_state


def test_a_race_under_way_says_how_long_it_still_takes(visits: list[AppTest]) -> None:
    visit = come_to(open_dashboard(visits, steps="3000", length="100", hidden="64"), 1)
    assert any(re.fullmatch(r"step [\d,]+ of 3,000, \d+ s left", text.value) for text in visit.caption)


def test_a_race_is_drawn_again_and_again_as_long_as_it_moves(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = redrawn_from_now(monkeypatch)
    visit = open_dashboard(visits, steps="300", seed="51")
    assert every[0] is not None
    assert every[0] >= pace.FRAME_SECONDS
    settled(visit)
    assert every[-1] is None


def test_the_more_watch_and_the_more_a_frame_takes_the_less_often_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace._Frames, "seconds", 0.02)
    monkeypatch.setattr(pace, "crowd", lambda: 1)
    assert pace.every() == pace.FRAME_SECONDS
    monkeypatch.setattr(pace, "crowd", lambda: 40)
    assert pace.every() == pytest.approx(40 * 0.02 / pace.SHARE)
    with pace.timed():
        sum(range(3_000_000))
    assert pace.every() > 40 * 0.02 / pace.SHARE


@pytest.mark.parametrize(
    ("name", "address"),
    [("gradient_flow", {"section": "Clipping"}), ("depth", {"look": "Dense in time"}), ("forecast", {})],
)
def test_where_charts_change_weights_are_kept_for_those_to_come(
    name: str, address: dict[str, str], visits: list[AppTest]
) -> None:
    visit = open_page(visits, name, steps="100", seed="52", **address)
    assert all(racer.run.weights for racer in shown(visit).race.racers)


def test_charts_are_told_to_stand_still_where_nothing_moves(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    stood: list[bool] = []

    def noted(name: str, curves: object, still: bool, seeds: object, over: bool, at: int | None) -> None:
        stood.append(still)

    monkeypatch.setattr(view, "draw", noted)
    visit = come_to(open_dashboard(visits, steps="3000", length="100", hidden="64"), 1)
    assert not any(stood)
    for key in ("pause", "pause"):
        stood.clear()
        check(visit.button(key=key).click().run())
        assert set(stood) == {not shown(visit).race.running}
    stood.clear()
    check(visit.slider(key=STEP_SHOWN).set_value(1).run())
    assert all(stood)


def test_peepholes_without_gates_get_a_word(visits: list[AppTest]) -> None:
    word = "Without gates there is nothing for peepholes to look into."
    visit = open_page(visits, "gates", peephole="true")
    said = []
    for gates in (["i", "f"], []):
        check(visit.pills(key="gates").set_value(gates).run())
        said.append(word in [text.value for text in visit.caption])
    assert said == [False, True]


def test_a_race_stops_soon_after_its_tab_was_closed(visits: list[AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "LAST_SECONDS", 0.0)
    left = shown(open_dashboard(visits, steps="3000")).race
    assert left.wants_turn
    st.cache_resource.clear()
    assert not left.wants_turn


def test_a_first_race_begins_when_its_page_is_drawn_again(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By then the browser has its first picture."""
    monkeypatch.setattr(showing, "FIRST_SECONDS", 60)
    visit = open_dashboard(visits, seed="61")
    assert shown(visit).race.begins > time.monotonic() + 30
    check(visit.run())
    assert shown(visit).race.begins <= time.monotonic()


def test_a_class_is_shown_the_other_pages_in_the_same_way(visits: list[AppTest]) -> None:
    visit = open_dashboard(visits, projector="true")
    check(visit.switch_page("pages/gates.py").run())
    assert charts(visit) == 2
