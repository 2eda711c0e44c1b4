"""Does a race alone decide what a visitor has guessed: every answer, at the first point that settles it, once?"""

import dataclasses
import math
from collections.abc import Sequence

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lstm_core import Experiment, train
from lstm_core.openings.guesses import GUESSES, Guess, question
from lstm_core.openings.presets import OPENINGS, Results
from lstm_core.openings.races import race_on
from lstm_core.training.snapshot import COMPLETED, DIVERGED, SOLVED, Snapshot
from lstm_core.ui import guess, live, navigation, stage
from lstm_core.ui.page import PAGES
from lstm_core.ui.session import GUESSED, SHOWING
from tests.visits import check, open_page, settled

(BLANK,) = train(Experiment(length=2, hidden=2, steps=1))
OF_PAGE = {row.page: row for row in GUESSES}
MOST_WORDS = 25


def at(step: int, ended: str | None = None, loss: float = 0.2, share: float = 1.0) -> Snapshot:
    """One of a racer whose first time step gets such a share of the last one's gradient."""
    return dataclasses.replace(BLANK, step=step, ended=ended, mean_loss=loss, hidden_grad_norms=(share, 1.0))


def so_far(name: str, *racers: Sequence[Snapshot]) -> Results:
    """Of the racers with which a page opens, in their order; of those that are left out, a first step."""
    labels = OPENINGS[name].racers
    return dict(zip(labels, [*racers, *[[at(1)]] * (len(labels) - len(racers))], strict=True))


GOES, WON, LOST = [at(100)], [at(100, SOLVED)], [at(500, COMPLETED)]
NONE: list[Snapshot] = []
BROKEN = [at(7, DIVERGED, math.nan, math.nan)]
# Page, racers in the order of its opening race, and the answer that they decide.
CASES = [
    ("dashboard", (GOES, WON), None),
    ("dashboard", (NONE, NONE), None),
    ("dashboard", (WON, GOES), 0),
    ("dashboard", (LOST, WON), 1),
    ("dashboard", (BROKEN, GOES), 1),
    ("activations", (GOES, LOST, LOST, LOST), None),
    ("activations", (WON, WON, WON, GOES), None),
    ("activations", (NONE, NONE, NONE, NONE), None),
    ("activations", (LOST, BROKEN, LOST, LOST), 0),
    ("activations", (LOST, GOES, GOES, WON), 1),
    ("activations", (WON, WON, WON, WON), 2),
    ("gradient_flow", (LOST, GOES), None),
    ("gradient_flow", (NONE, NONE), None),
    ("gradient_flow", ([at(9, SOLVED, share=1e-2)], [at(9, COMPLETED, share=1e-4)]), 0),
    ("gradient_flow", (BROKEN, [at(9, COMPLETED, share=1e9)]), 0),
    ("gradient_flow", ([at(9, SOLVED, share=0.0)], [at(9, COMPLETED, share=1e-4)]), 1),
    ("gradient_flow", ([at(9, SOLVED, share=2e-4)], [at(9, COMPLETED, share=1e-4)]), 2),
    ("gradient_flow", ([at(9, SOLVED, share=0.0)], [at(9, COMPLETED, share=0.0)]), 2),
    ("gates", (NONE, NONE, NONE, NONE), None),
    ("gates", ([at(99)], WON, GOES, GOES), None),
    ("gates", (WON, [at(99)], LOST, LOST), None),
    ("gates", (GOES, WON, GOES, GOES), 0),
    ("gates", ([at(101, SOLVED)], WON, [at(5)], [at(5)]), 0),
    ("gates", (LOST, WON, GOES, GOES), 0),
    ("gates", (WON, WON, GOES, LOST), 1),
    ("gates", (WON, [at(101, SOLVED)], BROKEN, GOES), 1),
    ("gates", (LOST, LOST, BROKEN, LOST), 1),
    ("concatenation", (WON, GOES), None),
    ("concatenation", (NONE, NONE), None),
    ("concatenation", (WON, WON), 0),
    ("concatenation", (WON, [at(101, SOLVED)]), 1),
    ("concatenation", (GOES, LOST), 2),
    ("concatenation", (WON, BROKEN), 2),
    ("depth", ([at(30, loss=0.09)], WON, WON), None),
    ("depth", ([at(3, loss=0.01)], WON, WON), None),
    ("depth", (NONE, WON, WON), None),
    ("depth", ([at(30, loss=0.08), at(60, loss=0.2)], GOES, GOES), 0),
    ("depth", (LOST, GOES, GOES), 1),
    ("depth", (BROKEN, GOES, GOES), 1),
    ("highways", (LOST, GOES, WON, WON), None),
    ("highways", (GOES, WON, GOES, GOES), 0),
    ("highways", (LOST, BROKEN, GOES, GOES), 1),
    ("forecast", (LOST, LOST, LOST, GOES), None),
    ("forecast", (NONE, NONE, NONE, NONE), None),
    ("forecast", ([at(9, COMPLETED, 0.3)], LOST, LOST, LOST), 0),
    ("forecast", ([at(9, COMPLETED, 0.1)], LOST, LOST, LOST), 1),
    ("forecast", (LOST, LOST, LOST, BROKEN), 1),
]


@pytest.mark.parametrize(("name", "racers", "answer"), CASES)
def test_a_race_decides(name: str, racers: tuple[list[Snapshot], ...], answer: int | None) -> None:
    assert OF_PAGE[name].decided(so_far(name, *racers), OPENINGS[name].experiments()) == answer


def test_every_answer_comes_out_of_some_race() -> None:
    played = {(page, answer) for page, _, answer in CASES}
    assert played == {(row.page, answer) for row in GUESSES for answer in (None, *range(len(row.answers)))}


@pytest.mark.parametrize("row", GUESSES, ids=lambda row: row.page)
def test_a_question_has_two_or_three_answers_and_a_short_word_on_each(row: Guess) -> None:
    assert len(row.answers) == len(row.came_out) in (2, 3)
    for answer in range(len(row.answers)):
        for guessed in (None, *range(len(row.answers))):
            assert len(guess.told(row, answer, guessed).split()) <= MOST_WORDS


def test_every_race_page_asks_about_its_opening_race() -> None:
    assert all(question(page, opening.experiments()) for page, opening in OPENINGS.items())
    assert set(OF_PAGE) == set(OPENINGS)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("dashboard", {"racers": ["LSTM", "GRU"]}),
        ("dashboard", {"racers": ["vanilla RNN"]}),
        ("activations", {"others": []}),
        ("gates", {"variants": []}),
        ("depth", {"look": "time"}),
        ("forecast", {"activations": ["tanh", "ReLU"]}),
    ],
)
def test_nothing_is_asked_where_nobody_could_answer(name: str, settings: dict[str, object]) -> None:
    assert question(name, race_on(name, settings)) is None


# Races of a second or two; the seeds are those for which the answers differ.
REAL = [
    ("dashboard", {"length": 10, "steps": 1000}, 0),
    ("dashboard", {"length": 40, "steps": 300, "batch": 32}, 1),
    ("gates", {"length": 20, "steps": 400, "batch": 32}, 0),
    ("concatenation", {"length": 20, "steps": 300}, 0),
    ("concatenation", {"compare": "init", "length": 20, "steps": 400}, 1),
    ("depth", {"length": 10, "hidden": 8, "steps": 200, "layers": 3}, None),
    ("forecast", {"steps": 100, "length": 10, "hidden": 8}, None),
    ("gradient_flow", {"length": 20, "steps": 100}, None),
    ("activations", {"length": 10, "steps": 100, "batch": 16}, None),
]


@pytest.mark.parametrize(("name", "settings", "answer"), REAL)
def test_a_real_race_is_open_at_first_then_decided_for_good(
    name: str, settings: dict[str, object], answer: int | None
) -> None:
    """Its racers side by side, as a page shows them."""
    experiments = race_on(name, settings)
    row = question(name, experiments)
    assert row
    results = {label: list(train(experiment, 5)) for label, experiment in experiments.items()}
    moments = range(1, max(map(len, results.values())) + 1)
    answers = [
        row.decided({label: shots[:moment] for label, shots in results.items()}, experiments) for moment in moments
    ]
    open_until = answers.count(None)
    assert answers[:open_until] == [None] * open_until
    assert len(set(answers[open_until:])) == 1
    assert open_until >= 10
    assert answer in (None, answers[-1])


SHORT = {"length": "10", "steps": "1000"}


def asked(visit: AppTest) -> list[str]:
    return [pills.label for pills in visit.pills if (pills.key or "").startswith("guess ")]


def said(visit: AppTest) -> list[str]:
    """What is said of a guess or of what came out."""
    words = ("You guessed right", "It came out otherwise", "What came out")
    return [text.value for text in visit.markdown if any(word in text.value for word in words)]


def choose(visit: AppTest, answer: int) -> AppTest:
    (pills,) = [pills for pills in visit.pills if (pills.key or "").startswith("guess ")]
    return check(pills.set_value(answer).run())


@pytest.mark.parametrize(("answer", "word"), [(0, "You guessed right"), (1, "It came out otherwise")])
def test_a_guess_is_answered_in_the_place_of_the_question(answer: int, word: str, visits: list[AppTest]) -> None:
    row = OF_PAGE["dashboard"]
    visit = open_page(visits, "dashboard", seed=str(70 + answer), **SHORT)
    assert (asked(visit), said(visit)) == ([row.question], [])
    race = visit.session_state[SHOWING].race
    choose(visit, answer)
    assert visit.session_state[SHOWING].race is race
    settled(visit)
    assert asked(visit) == []
    (text,) = said(visit)
    assert word in text
    assert row.came_out[0] in text


def test_without_a_guess_the_page_says_what_came_out(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", seed="72", **SHORT)
    (key,) = [pills.key for pills in visit.pills if pills.key and pills.key.startswith("guess ")]
    assert key in visit.session_state
    settled(visit)
    assert said(visit) == [f"{OF_PAGE['dashboard'].question} What came out: the vanilla RNN has solved it."]
    assert key not in visit.session_state


def test_a_guess_after_the_answer_counts_for_nothing(visits: list[AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    """The click of somebody who has seen it before the page was drawn again."""
    visit = open_page(visits, "dashboard", seed="73", **SHORT)
    (key,) = [pills.key for pills in visit.pills if pills.key and pills.key.startswith("guess ")]
    shown = visit.session_state[SHOWING]
    settled(visit)
    state = {key: 0}
    monkeypatch.setattr(st, "session_state", state)
    guess._note(OF_PAGE["dashboard"], shown, key)
    assert GUESSED not in state


def test_a_new_race_asks_anew(visits: list[AppTest]) -> None:
    visit = choose(open_page(visits, "dashboard", seed="74", **SHORT), 0)
    before = [pills.key for pills in visit.pills]
    check(visit.slider(key="length").set_value(15).run())
    after = [pills for pills in visit.pills if (pills.key or "").startswith("guess ")]
    assert [pills.value for pills in after] == [None]
    assert after[0].key not in before


def guess_of(visit: AppTest) -> int | None:
    answer: int | None = visit.session_state[GUESSED]["dashboard"][1]
    return answer


def test_a_race_that_is_trained_anew_asks_anew(visits: list[AppTest]) -> None:
    visit = choose(open_page(visits, "dashboard", seed="76", length="10", steps="3000"), 0)
    check(visit.button(key="restart").click().run())
    assert [pills.value for pills in visit.pills if (pills.key or "").startswith("guess ")] == [None]


def test_a_guess_is_there_again_when_one_comes_back_to_its_page(visits: list[AppTest]) -> None:
    visit = choose(open_page(visits, "dashboard", seed="77", length="10", steps="3000"), 1)
    check(visit.button(key="pause").click().run())
    check(visit.switch_page(PAGES["activations"].path).run())
    check(visit.switch_page(PAGES["dashboard"].path).run())
    assert [pills.value for pills in visit.pills if (pills.key or "").startswith("guess ")] == [1]


def test_a_race_that_was_paused_is_paused_when_one_comes_back_to_its_page(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", seed="78", length="100", steps="3000")
    check(visit.button(key="pause").click().run())
    for name in ("activations", "dashboard"):
        check(visit.switch_page(PAGES[name].path).run())
        assert visit.session_state[SHOWING].race.running == (name == "activations")
    assert any(text.value.startswith("paused at step") for text in visit.caption)


def test_a_guess_starts_no_race_and_may_be_taken_back(visits: list[AppTest]) -> None:
    visit = open_page(visits, "dashboard", seed="75", length="10", steps="3000")
    choose(visit, 1)
    assert guess_of(visit) == 1
    (pills,) = [pills for pills in visit.pills if (pills.key or "").startswith("guess ")]
    check(pills.set_value(None).run())
    assert guess_of(visit) is None


def test_of_five_seeds_nothing_is_asked(visits: list[AppTest]) -> None:
    assert asked(open_page(visits, "dashboard", seeds="true", **SHORT)) == []


def test_in_a_frame_and_on_a_wall_nothing_is_asked(visits: list[AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(open_page(visits, "dashboard", projector="true", **SHORT)) == []
    for module in (live, navigation, stage):
        monkeypatch.setattr(module, "embedded", lambda: True)
    assert asked(open_page(visits, "dashboard", **SHORT)) == []
