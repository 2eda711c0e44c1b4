"""What does a race do, and say, while the kernels are being prepared?"""

import dataclasses
import re
import time
from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from lstm_core import Experiment, Snapshot, engine, train
from lstm_core.charts.points import Curve
from lstm_core.engine import AUTO, FUSED, REFERENCE_ENGINE
from lstm_core.race import runs
from lstm_core.race.race import Race
from lstm_core.race.turns import THREADS
from lstm_core.training.snapshot import engines_of
from lstm_core.ui import racers
from lstm_core.ui.pins import _engines
from lstm_core.ui.session import SHOWING
from tests.test_address import SHORT as SHORT_LINK
from tests.test_address import STREAM, progress_text
from tests.trainings import wait_for
from tests.visits import check, open_page

SHORT = Experiment(length=5, hidden=3, batch=2, steps=20)
LONG = dataclasses.replace(SHORT, steps=10_000, lr=1e-8)


@pytest.fixture(autouse=True)
def building(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Kernels that have been under way for four seconds, until the test says that they are done."""
    build = SimpleNamespace(done=Future(), started=time.monotonic() - 4)
    monkeypatch.setattr(engine, "build", lambda precision, cell: build)
    yield build
    runs._kept.clear()
    runs._known.clear()


def said(race: Race, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of its progress, to a visitor whose link names no engine."""
    monkeypatch.setattr(racers, "other_engine", lambda _engines: "")
    return racers.progress(race)


def computed(*engines: str) -> list[Snapshot]:
    """The first snapshots of a training, as if these engines had computed them."""
    return [dataclasses.replace(seen, engine=name) for seen, name in zip(train(LONG), engines, strict=False)]


def test_preparing_tells_the_seconds_since_the_build_began_until_it_is_done(building: SimpleNamespace) -> None:
    asked = SHORT.dtype, SHORT.recurrent_cell
    assert engine.preparing(REFERENCE_ENGINE, *asked) is None
    for name in (AUTO, FUSED):
        assert engine.preparing(name, *asked) == pytest.approx(4, abs=0.5)
    building.done.set_exception(OSError("no compiler"))
    assert engine.preparing(AUTO, *asked) is None


def test_without_a_compiler_the_reference_is_what_is_expected(building: SimpleNamespace) -> None:
    building.done.set_exception(OSError("no compiler"))
    assert engine.expected(AUTO, SHORT.dtype, SHORT.recurrent_cell) == REFERENCE_ENGINE


def test_a_race_that_began_on_the_reference_says_so_and_ends_on_kernels(
    building: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = Race({"it": dataclasses.replace(SHORT, steps=3000)})
    contest.start()
    wait_for(lambda: contest.racers[0].steps > 0)
    assert re.fullmatch(r"step [\d,]+ of 3,000; preparing the fast engine \([45] s\)", said(contest, monkeypatch))
    building.done.set_result(None)
    wait_for(lambda: contest.finished)
    assert list(engines_of(contest.racers[0].snapshots)) == [REFERENCE_ENGINE, FUSED]


@pytest.mark.parametrize(("of_race", "of_experiment"), [(FUSED, AUTO), (AUTO, FUSED)])
def test_a_race_that_is_to_begin_on_kernels_waits_for_them_and_holds_nobody_up(
    of_race: str, of_experiment: str, building: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exact link, and an experiment that names its engine."""
    many = {str(seed): dataclasses.replace(SHORT, engine=of_experiment, seed=seed) for seed in range(THREADS + 1)}
    waiting, other = Race(many, engine=of_race), Race({"it": dataclasses.replace(SHORT, engine=REFERENCE_ENGINE)})
    waiting.start()
    other.start()
    wait_for(lambda: other.finished)
    assert re.fullmatch(r"preparing the fast engine \([45] s\)", said(waiting, monkeypatch))
    assert {racer.steps for racer in waiting.racers} == {0}
    building.done.set_result(None)
    wait_for(lambda: waiting.finished)
    assert {name for racer in waiting.racers for name in engines_of(racer.snapshots)} == {FUSED}


def test_a_race_of_an_exact_link_runs_on_the_reference_where_there_is_no_compiler(building: SimpleNamespace) -> None:
    contest = Race({"it": SHORT}, engine=FUSED)
    contest.start()
    building.done.set_exception(OSError("no compiler"))
    wait_for(lambda: contest.finished)
    assert engines_of(contest.racers[0].snapshots) == {REFERENCE_ENGINE: 20}


def test_a_race_that_waits_for_kernels_can_be_paused(building: SimpleNamespace) -> None:
    contest = Race({"it": SHORT}, engine=FUSED)
    contest.start()
    contest.pause()
    building.done.set_result(None)
    time.sleep(0.5)
    assert contest.racers[0].run.snapshots == []
    contest.start()
    wait_for(lambda: contest.finished)


def test_the_time_left_is_that_of_the_engine_that_computes_now(
    building: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not said before that engine has shown two snapshots, the first of which takes longer."""
    contest = Race({"it": LONG})
    contest.racers[0].follow()
    contest.running, run = True, contest.racers[0].run
    building.done.set_result(None)
    run.snapshots, run.durations = computed(REFERENCE_ENGINE, REFERENCE_ENGINE, FUSED), [10.0, 10.0, 5.0]
    assert said(contest, monkeypatch) == "step 3 of 10,000"
    run.snapshots, run.durations = computed(REFERENCE_ENGINE, REFERENCE_ENGINE, FUSED, FUSED), [10.0, 10.0, 5.0, 0.01]
    assert contest.seconds_left == pytest.approx(0.01 * (LONG.steps - 4))


def test_a_link_names_an_engine_only_where_it_computes_all(building: SimpleNamespace) -> None:
    def engines(experiment: Experiment, *seen: str) -> set[str]:
        return set(_engines(Curve("it", experiment, computed(*seen))))

    alone = dataclasses.replace(LONG, engine=REFERENCE_ENGINE)
    both = {REFERENCE_ENGINE, FUSED}
    assert [engines(LONG), engines(LONG, REFERENCE_ENGINE), engines(alone)] == [both, both, {REFERENCE_ENGINE}]
    building.done.set_result(None)
    assert [engines(LONG), engines(LONG, REFERENCE_ENGINE), engines(LONG, FUSED)] == [{FUSED}, both, {FUSED}]
    ended = [dataclasses.replace(seen, ended="completed") for seen in computed(REFERENCE_ENGINE)]
    assert set(_engines(Curve("it", LONG, ended))) == {REFERENCE_ENGINE}


def test_the_page_of_an_exact_link_says_what_it_waits_for(building: SimpleNamespace, visits: list[AppTest]) -> None:
    visit = open_page(visits, "gates", engine=FUSED, **SHORT_LINK, **STREAM)
    building.started -= 4
    texts = [text.value for text in check(visit.run()).caption]
    assert any(re.fullmatch(r"preparing the fast engine \(\d+ s\)", text) for text in texts)
    building.done.set_result(None)
    assert "link was made" not in progress_text(visit)
    assert {name for it in visit.session_state[SHOWING].race.racers for name in engines_of(it.snapshots)} == {FUSED}


def test_the_page_of_a_race_that_changes_names_no_engine_in_its_link(visits: list[AppTest]) -> None:
    visit = open_page(visits, "gates", **{**SHORT_LINK, "steps": "3000"})
    assert "; preparing the fast engine (" in progress_text(visit)
    assert not any("engine=" in code.value for code in visit.code)
