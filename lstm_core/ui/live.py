"""How does a race look while it runs? One line of racers, charts that grow in place, a sentence on what came out."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.points import Curve
from lstm_core.experiment import Experiment
from lstm_core.fair_lock import OPENING, PAGE, held
from lstm_core.race.limits import too_much
from lstm_core.race.race import MOST_RACING, MOST_WAITING, Race, Racer, crowd
from lstm_core.race.runs import FAILED
from lstm_core.training import COMPLETED, DIVERGED, SOLVED
from lstm_core.ui import outcome
from lstm_core.ui.address import other_engine
from lstm_core.ui.bar import bar
from lstm_core.ui.chart import draw, in_rows
from lstm_core.ui.folded import MORE, OVER_TRAINING, Folded, opened, over_training, ticking
from lstm_core.ui.outcome import HUES
from lstm_core.ui.pins import share
from lstm_core.ui.session import ANEW, STEP_SHOWN
from lstm_core.ui.showing import Showing, curves_of, desk, last_step, needed, refuse, show, stop
from lstm_core.ui.stage import Stage

FRAME_SECONDS = 0.25
# With more visitors, frames come less often: so many seconds for each race that is under way.
SECONDS_A_RACE = 0.018
MOST_RACERS = len(HUES)
# So many charts stand on the stage; the others lie folded below.
ON_STAGE = 4

Sentence = Callable[[Race, Sequence[Curve]], str]


def live(
    stage: Stage,
    experiments: Mapping[str, Experiment],
    charts: Sequence[str],
    below: Folded,
    sentence: Sentence = outcome.reach,
    weights: bool = False,
) -> None:
    """
    Race the first `MOST_RACERS` experiments on a page's stage, and draw `charts`, rows of `CHARTS`, until all have
    ended, with a `sentence` on what came out; `below`, folded, lies what else the page has to say, its first part open.
    The racers keep their weights where one of these charts needs something measured, or with `weights`: on a page whose
    charts change, and where the sentence or what lies below measures.
    """
    with stage.race:
        racers = _allowed(experiments)
    tabs = dict(below)
    if racers:
        if next(iter(racers.values())).problem.classes:
            charts = [charts[0], "accuracy", *charts[1:]]
        weights = weights or any(CHARTS[name].needs for name in charts)
        shown = show(stage.page, racers, weights, st.session_state.pop(ANEW, False))
        more = charts[ON_STAGE:]
        tabs |= {MORE: partial(_more, shown, more)} if more else {}
        tabs |= {OVER_TRAINING: partial(over_training, shown.race)}
    places = opened(tabs)
    if racers:
        with stage.race:
            _stage(shown, stage.chips, charts[:ON_STAGE], sentence, more if MORE in places else ())
        with stage.keep:
            share(lambda: curves_of(shown.race))
    for name, place in places.items():
        with place:
            tabs[name]()


def _allowed(experiments: Mapping[str, Experiment]) -> dict[str, Experiment]:
    """Those that race; none, with a word, where that is not possible."""
    racers = dict(list(experiments.items())[:MOST_RACERS])
    if not racers:
        stop()
        st.info("Choose at least one racer.")
        return {}
    old = (experiment.refusal for experiment in racers.values())
    if refusal := next(filter(None, old), None) or too_much(racers.values()):
        refuse(refusal)
        return {}
    if len(experiments) > MOST_RACERS:
        st.warning(f"{len(experiments)} racers are chosen; the first {MOST_RACERS} run.")
    return racers


def _stage(
    shown: Showing, chips: DeltaGenerator, charts: Sequence[str], sentence: Sentence, more: Sequence[str]
) -> None:
    """The race with its first charts; what `more` charts need is measured too."""
    race = shown.race
    place = bar(race)
    moving = race.moving

    @st.fragment(run_every=max(FRAME_SECONDS, crowd() * SECONDS_A_RACE) if moving else None)
    def frame() -> None:
        race.renew()
        kind = PAGE if desk().get("race") is race else OPENING
        desk()["race"] = race
        with held(kind):
            place.caption(_progress(race))
            chips.markdown(" &ensp; ".join(map(_chip, race.racers, HUES)))
            race.ask(job for name in [*charts, *more] for job in needed(_as_shown(race, name), name))
            _charts(shown, charts[:2])
            st.markdown(sentence(race, [curve.at(_step(race)) for curve in curves_of(race)]))
            _charts(shown, charts[2:])
        if moving != race.moving:
            st.rerun()

    frame()


def _step(race: Race) -> int:
    """The training step to which the visitor has gone back; the last one, if to none."""
    step: int = st.session_state.get(STEP_SHOWN, last_step(race))
    return step


def _as_shown(race: Race, chart: str) -> tuple[Curve, ...]:
    """Its curves, for this chart as of the step that the visitor has gone back to."""
    curves = curves_of(race)
    return tuple(curve.at(_step(race)) for curve in curves) if CHARTS[chart].of_one_step else curves


def _charts(shown: Showing, charts: Sequence[str]) -> None:
    race = shown.race
    still = _step(race) < last_step(race) or race.finished or not race.running
    for column, name in in_rows(charts, 2):
        with column:
            draw(name, [*_as_shown(race, name), *shown.behind], still=still)


def _more(shown: Showing, charts: Sequence[str]) -> None:
    ticking(shown.race, partial(_charts, shown, charts))


def _progress(race: Race) -> str:
    step = max(racer.steps for racer in race.racers)
    engines = {racer.snapshots[-1].engine for racer in race.racers if racer.snapshots}
    note = other_engine(engines)
    if race.finished:
        seconds = sum(racer.seconds for racer in race.racers)
        return f"finished after {step:,} steps, {seconds:.1f} s{note}"
    if place := race.place:
        queue = f"you are number {place}" if place < MOST_WAITING else "and the queue is full; it is tried again"
        return f"busy: {MOST_RACING} races are under way, {queue}"
    limit = last_step(race)
    left = f", {race.seconds_left:.0f} s left" if step else ""
    return f"step {step:,} of {limit:,}{left}{note}" if race.running else f"paused at step {step:,} of {limit:,}{note}"


def _chip(racer: Racer, colour: str) -> str:
    """Dot, name, loss and state of a racer, kept together."""
    parts = [f":{colour}[●] **{racer.label}**"]
    if racer.snapshots:
        last = racer.snapshots[-1]
        if math.isfinite(last.mean_loss):
            parts[0] += f" {last.mean_loss:.4f}" if last.mean_loss < 1e4 else f" {last.mean_loss:.1e}"
        if last.accuracy is not None:
            parts.append(f"{last.accuracy:.0%} right")
    parts.append(
        {
            None: "" if racer.steps else "waiting",
            SOLVED: f"**solved at {racer.steps:,}**",
            DIVERGED: f"**exploded at {racer.steps:,}**",
            COMPLETED: "not solved" if racer.experiment.problem.solvable else "",
            FAILED: f"**failed**: {racer.error}",
        }[racer.ended]
    )
    return " · ".join(filter(None, parts)).replace(" ", "&nbsp;")
