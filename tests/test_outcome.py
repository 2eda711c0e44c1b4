"""Does a page say in numbers what came out: what arrives of the gradient, who exploded, how many seeds solved it?"""

import dataclasses
import math
import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from lstm_core import Experiment, train
from lstm_core.charts.points import Curve
from lstm_core.race.race import Race
from lstm_core.race.runs import FAILED
from lstm_core.training.snapshot import COMPLETED, DIVERGED, SOLVED
from lstm_core.ui import outcome
from lstm_core.ui.bar import _next
from lstm_core.ui.racers import _states as states
from lstm_core.ui.racers import progress

TINY = Experiment(length=2, hidden=2, batch=2, steps=2)
FIRST, LAST = train(TINY)


def curve(*norms: float, label: str = "it") -> Curve:
    """At its last snapshot its gradient has these norms, the first time step's first."""
    return Curve(label, TINY, [FIRST, dataclasses.replace(LAST, hidden_grad_norms=norms)])


def reached(*by_seed: Sequence[Curve]) -> dict[str, str]:
    """What the sentence says of each racer."""
    return dict(re.findall(r"(\w+)&nbsp;:\w+\[\*\*(.*?)\*\*\]", " ".join(outcome.reach(Race({}), by_seed))))


@pytest.mark.parametrize(
    ("norms", "said"),
    [
        ((1.0, 9.0, 4.0), "0.25"),
        ((3e-16, 9.0, 3.0), "10⁻¹⁶"),
        ((6e4, 1.0, 2.0), "10⁴"),
        ((0.0, 1.0, 2.0), "0"),
        ((0.0, 0.0, 0.0), "no number"),
        ((math.inf, 1.0, 2.0), "no number"),
        ((math.nan, 1.0, 2.0), "no number"),
    ],
)
def test_the_sentence_tells_the_first_gradient_norm_over_the_last(norms: tuple[float, ...], said: str) -> None:
    assert reached([curve(*norms)]) == {"it": said}


def test_the_sentence_tells_the_median_over_seeds() -> None:
    seeds = [[curve(share, 1.0, label="one"), curve(1.0, 2.0, label="other")] for share in (0.9, 0.1, 0.3)]
    assert reached(*seeds) == {"one": "0.3", "other": "0.5"}


def exploded(label: str) -> Curve:
    return Curve(label, TINY, [FIRST, dataclasses.replace(LAST, hidden_grad_norms=(math.nan, 1.0), ended=DIVERGED)])


def test_the_sentence_tells_no_gradient_of_those_that_have_exploded() -> None:
    assert reached([exploded("gone"), curve(1.0, 2.0)]) == {"it": "0.5"}
    assert outcome.reach(Race({}), [[exploded("gone"), exploded("too")]]) == ["**No network solved it.**"]


def test_the_bar_says_that_all_have_exploded() -> None:
    racers = [SimpleNamespace(steps=7, seconds=1.0, ended=DIVERGED, snapshots=[LAST]) for _ in range(2)]
    race: Any = SimpleNamespace(racers=racers, finished=True)
    assert progress(race).startswith("finished after 7 steps: exploded")


def test_the_sentence_tells_of_those_that_have_begun() -> None:
    assert reached([Curve("late", TINY, []), curve(1.0, 2.0)]) == {"it": "0.5"}
    assert outcome.reach(Race({}), [[Curve("late", TINY, [])]])[1:] == [":gray[…]"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (0.987, "0.99"),
        (0.01, "0.01"),
        (0.0099, "10⁻²"),
        (99.9, "100"),
        (152.0, "150"),
        (999.0, "1000"),
        (1000.0, "10³"),
        (4e12, "10¹³"),
        (math.inf, "no number"),
        (math.nan, "no number"),
    ],
)
def test_a_number_is_as_short_as_it_is_told(value: float, said: str) -> None:
    assert outcome.short(value) == said


def raced(ends: dict[str, tuple[int, str | None]]) -> Race:
    """Racers that have come to some step and have ended there in some way."""
    race = Race({label: dataclasses.replace(TINY, seed=k) for k, label in enumerate(ends)}, anew=True)
    for racer, (step, ended) in zip(race.racers, ends.values(), strict=True):
        racer.run.snapshots = [dataclasses.replace(LAST, step=step, ended=ended)]
        racer.follow()
    return race


def test_those_that_exploded_are_named_with_their_step_the_earliest_first() -> None:
    said = outcome.exploded(
        raced({"a": (1200, DIVERGED), "b": (7, DIVERGED), "c": (7, SOLVED), "d": (1200, DIVERGED), "e": (7, None)})
    )
    assert "**Exploded:** b at step 7, a, d at step 1,200]" in said


def test_of_explosions_nothing_is_said_where_there_were_none() -> None:
    assert outcome.exploded(raced({"a": (5, SOLVED), "b": (5, COMPLETED), "c": (5, None)})) == ""


def ended(label: str, how: str | None, step: int = 7) -> Curve:
    """A curve whose training has ended so, or goes on."""
    return Curve(label, TINY, [FIRST, dataclasses.replace(LAST, step=step, ended=how)])


@pytest.mark.parametrize(
    ("curves", "said"),
    [
        ([ended("a", SOLVED, 1382), ended("b", COMPLETED)], ["**a solved it at step 1,382**, b did not."]),
        (
            [ended("a", SOLVED), ended("b", COMPLETED), ended("c", SOLVED, 9), ended("d", DIVERGED)],
            ["**Solved: a at step 7, c at step 9.** Not solved: b, d."],
        ),
        ([ended("a", SOLVED), ended("b", SOLVED, 9)], ["**Solved: a at step 7, b at step 9.**"]),
        ([ended("a", COMPLETED), ended("b", DIVERGED)], ["**No network solved it.**"]),
        ([ended("a", SOLVED), ended("b", None)], []),
        ([ended("a", SOLVED), Curve("late", TINY, [])], []),
    ],
)
def test_once_all_have_ended_the_sentence_says_who_solved_the_task(curves: list[Curve], said: list[str]) -> None:
    assert outcome.came_out([curves]) == said
    assert outcome.reach(Race({}), [curves])[0].startswith(" ".join(said))


def test_of_several_seeds_the_sentence_says_how_many_solved_the_task() -> None:
    seeds = [[ended("a", SOLVED), ended("b", COMPLETED)], [ended("a", COMPLETED), ended("b", COMPLETED)]]
    assert outcome.came_out(seeds) == ["**Solved: a in 1 of 2 runs.** Not solved: b."]


def test_nothing_is_said_to_be_solved_where_nothing_can_be() -> None:
    forecast = dataclasses.replace(TINY, task="forecast")
    curves = [dataclasses.replace(ended("a", COMPLETED), experiment=forecast)]
    assert outcome.came_out([curves]) == []


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ([SOLVED, COMPLETED, SOLVED], "**solved 2 of 3**"),
        ([SOLVED, None, None], "**solved 1 of 3**"),
        ([COMPLETED, COMPLETED, COMPLETED], "solved 0 of 3"),
        ([COMPLETED, COMPLETED, None], ""),
        ([SOLVED, DIVERGED, FAILED], "**solved 1 of 3**, **exploded 1 of 3**, **failed 1 of 3**"),
    ],
)
def test_of_several_seeds_is_said_how_many_have_ended_in_which_way(ended: list[str | None], said: str) -> None:
    racers: list[Any] = [SimpleNamespace(ended=one, experiment=TINY) for one in ended]
    assert states(racers) == said


def test_where_a_task_cannot_be_solved_nobody_has_solved_it() -> None:
    forecast: Any = SimpleNamespace(ended=COMPLETED, experiment=dataclasses.replace(TINY, task="forecast"))
    assert states([forecast] * 2) == ""


def test_the_next_snapshot_comes_as_many_steps_later_as_the_button_says() -> None:
    """Of a training of 205 steps every second one is shown, and the last."""
    race = Race({"it": dataclasses.replace(TINY, steps=205, lr=1e-8)}, anew=True)
    (racer,) = race.racers
    racer.follow()
    while not racer.ended:
        said, before = _next(race), racer.steps
        racer.run.advance()
        assert racer.steps == before + said
    assert (racer.steps, _next(race)) == (205, 0)
