"""Are five seeds trained, drawn and counted, and does a pin keep what was there?"""

import re

from streamlit.testing.v1 import AppTest

from lstm_core import Experiment
from lstm_core.charts.catalogue import CHARTS
from lstm_core.training.snapshot import SOLVED
from lstm_core.ui.live import SEEDS
from lstm_core.ui.session import PINS
from lstm_core.ui.showing import GHOST_STEPS, of_seeds
from tests.test_pages import drawn
from tests.test_stage import come_to, open_dashboard, shown
from tests.visits import check, open_page, settled

SHORT = {"steps": "100", "length": "10", "hidden": "8", "seed": "50"}
RACERS = ["vanilla RNN", "LSTM"]


def test_five_seeds_follow_each_other_and_each_racer_trains_from_all_of_them(visits: list[AppTest]) -> None:
    visit = open_dashboard(visits, seeds="true")
    for label in RACERS:
        assert [racer.experiment.seed for racer in shown(visit).of_label[label]] == [50, 51, 52, 53, 54]
    assert len(shown(visit).race.racers) == SEEDS * len(RACERS)


def test_seeds_go_on_from_0_behind_the_largest() -> None:
    experiments = of_seeds({"it": Experiment(seed=2**32 - 2)}, 4)
    assert [experiment.seed for experiment in experiments.values()] == [2**32 - 2, 2**32 - 1, 0, 1]
    assert len(experiments) == 4


def test_the_chips_say_how_many_of_five_seeds_have_solved_the_task(visits: list[AppTest]) -> None:
    visit = settled(open_dashboard(visits, seeds="true", task="Latch", steps="200"))
    solved = [sum(racer.ended == SOLVED for racer in racers) for racers in shown(visit).of_label.values()]
    assert max(solved) > 0
    (chips,) = [text.value for text in visit.markdown if "solved" in text.value]
    assert re.findall(r"solved&nbsp;(\d)&nbsp;of&nbsp;5", chips) == [str(number) for number in solved]


def test_a_chart_of_five_seeds_has_a_line_for_each_and_one_for_all(visits: list[AppTest]) -> None:
    visit = settled(open_dashboard(visits, seeds="true"))
    rows = drawn(visit, "loss")
    for label in RACERS:
        thick, thin = (rows[(rows.series == label) & (rows.kind == kind)] for kind in ("racer", "seed"))
        assert len(thin) == SEEDS * len(thick) > 0


def test_a_race_of_five_seeds_leaves_the_ghosts_of_the_first(visits: list[AppTest]) -> None:
    visit = come_to(open_dashboard(visits, seeds="true"), GHOST_STEPS)
    check(visit.slider(key="length").set_value(15).run())
    assert [(ghost.label, ghost.experiment.seed) for ghost in shown(visit).ghosts] == [(one, 50) for one in RACERS]


def test_a_pin_of_five_seeds_is_of_the_first(visits: list[AppTest]) -> None:
    visit = open_dashboard(visits, seeds="true")
    check(visit.button(key="pin").click().run())
    (pin,) = visit.session_state[PINS]
    assert [(curve.label, curve.experiment.seed) for curve in pin.curves] == [(label, 50) for label in RACERS]


def test_another_number_of_seeds_is_another_race(visits: list[AppTest]) -> None:
    visit = open_dashboard(visits)
    before = shown(visit).race
    check(visit.toggle(key="seeds").set_value(True).run())
    assert shown(visit).race is not before
    assert not before.running


def test_a_pin_is_answered_beside_its_button(visits: list[AppTest]) -> None:
    def answers(visit: AppTest) -> list[str]:
        labels = [block.proto.popover.label for block in visit.get("popover")]
        return [label for label in labels if "pinned" in label]

    visit = open_dashboard(visits)
    assert answers(visit) == []
    for said in ("1 pinned", "2 pinned"):
        check(visit.button(key="pin").click().run())
        assert answers(visit) == [said]


def test_a_pin_keeps_what_was_there_behind_what_comes(visits: list[AppTest]) -> None:
    visit = come_to(open_dashboard(visits), GHOST_STEPS)
    check(visit.button(key="pin").click().run())
    rows = drawn(visit, "loss")
    assert set(rows[rows.kind == "ghost"].series) == {f"{label} (pin 1)" for label in RACERS}


def test_of_pictures_that_are_no_lines_or_cost_a_measurement_the_first_seed_is_shown(visits: list[AppTest]) -> None:
    titles = [text.value for text in settled(open_page(visits, "gates", seeds="true", **SHORT)).markdown]
    assert "**Loss**" in titles
    visit = open_page(visits, "gradient_flow", seeds="true", section="Norm or eigenvalue?", **SHORT)
    shown_of = [text.value for text in settled(visit).markdown if "the first seed" in text.value]
    assert [title.split(" · ")[0].strip("*") for title in shown_of] == [
        CHARTS[name].title for name in ("eigenvalues", "singular_values", "powers", "reach")
    ]
