"""How does a race look while it runs? One line of racers, charts that grow in place, a sentence on what came out."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.charts.alike import alike
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.colours import HUES, SYMBOLS, slots
from lstm_core.charts.points import Curve
from lstm_core.experiment import Experiment
from lstm_core.fair_lock import OPENING, PAGE, held
from lstm_core.race.limits import too_much
from lstm_core.race.race import MOST_RACING, MOST_WAITING, Race, Racer, crowd
from lstm_core.race.runs import FAILED
from lstm_core.training import COMPLETED, DIVERGED, SOLVED
from lstm_core.ui import controls, outcome
from lstm_core.ui.address import other_engine
from lstm_core.ui.bar import bar
from lstm_core.ui.chart import draw, in_rows
from lstm_core.ui.folded import MORE, OVER_TRAINING, Folded, opened, over_training, ticking
from lstm_core.ui.pins import share
from lstm_core.ui.room import embedded, projected
from lstm_core.ui.session import ANEW, STEP_SHOWN
from lstm_core.ui.showing import Showing, curves_of, desk, last_step, needed, of_seeds, refuse, show, stop
from lstm_core.ui.stage import Stage

FRAME_SECONDS = 0.25
# With more visitors, frames come less often: so many seconds for each race that is under way.
SECONDS_A_RACE = 0.018
MOST_RACERS = len(HUES)
SEEDS = 5
# So many charts stand on the stage; the others lie folded below.
ON_STAGE = 4

Sentence = Callable[[Race, Sequence[Sequence[Curve]]], str]


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
    with stage.rivals:
        seeds = SEEDS if controls.five_seeds() else 1
    with stage.race:
        racers = _allowed(experiments, seeds)
    tabs = dict(below)
    if racers:
        if next(iter(racers.values())).problem.classes:
            charts = [charts[0], "accuracy", *charts[1:]]
        weights = weights or any(CHARTS[name].needs for name in charts)
        shown = show(stage.page, racers, weights, st.session_state.pop(ANEW, False), seeds)
        more = charts[ON_STAGE:]
        tabs |= {MORE: partial(_more, shown, more)} if more else {}
        tabs |= {OVER_TRAINING: partial(over_training, shown)}
    narrow = embedded() or projected()
    if narrow:
        tabs = {}
    places = opened(tabs)
    if racers:
        with stage.race:
            _stage(shown, stage.chips, charts[: 2 if narrow else ON_STAGE], sentence, more if MORE in places else ())
        with stage.keep:
            share(lambda: curves_of(shown.race))
    for name, place in places.items():
        with place:
            tabs[name]()


def _allowed(experiments: Mapping[str, Experiment], seeds: int) -> dict[str, Experiment]:
    """Those that race; none, with a word, where that is not possible."""
    racers = dict(list(experiments.items())[:MOST_RACERS])
    if not racers:
        stop()
        st.info("Choose at least one racer.")
        return {}
    old = (experiment.refusal for experiment in racers.values())
    if refusal := next(filter(None, old), None) or too_much(of_seeds(racers, seeds).values()):
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
    place = st.empty() if embedded() else bar(shown)
    moving, slower = race.moving, crowd() * SECONDS_A_RACE * shown.seeds

    @st.fragment(run_every=max(FRAME_SECONDS, slower) if moving else None)
    def frame() -> None:
        race.renew()
        kind = PAGE if desk().get("race") is race else OPENING
        desk()["race"] = race
        with held(kind):
            place.caption(_progress(race))
            chips.markdown(_chips(shown))
            race.ask(job for name in [*charts, *more] for job in needed(_as_shown(shown, name)[0], name))
            _charts(shown, charts[:2])
            then = [[curve.at(_step(race)) for curve in curves] for curves in shown.by_seed]
            st.markdown(outcome.exploded(race) + sentence(race, then))
            _charts(shown, charts[2:])
        if moving != race.moving:
            st.rerun()

    frame()


def _step(race: Race) -> int:
    """The training step to which the visitor has gone back; the last one, if to none."""
    step: int = st.session_state.get(STEP_SHOWN, last_step(race))
    return step


def _as_shown(shown: Showing, chart: str) -> list[tuple[Curve, ...]]:
    """Its curves, seed by seed, for this chart as of the step that the visitor has gone back to."""
    if not CHARTS[chart].of_one_step:
        return shown.by_seed
    return [tuple(curve.at(_step(shown.race)) for curve in curves) for curves in shown.by_seed]


def _charts(shown: Showing, charts: Sequence[str]) -> None:
    race = shown.race
    still = _step(race) < last_step(race) or race.finished or not race.running
    for column, name in in_rows(charts, 2):
        with column:
            first, *others = ([*curves, *shown.behind] for curves in _as_shown(shown, name))
            draw(name, first, still=still, seeds=others)


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


def _chips(shown: Showing) -> str:
    """Of each racer symbol, name, loss and state, and who has the same curve as whom."""
    slot = slots(list(shown.of_label))
    said = [
        f":{HUES[slot[label]]}[{SYMBOLS[slot[label]]}] {_chip(label, racers)}".replace(" ", "&nbsp;")
        for label, racers in shown.of_label.items()
    ]
    said += [f":gray[{' = '.join(labels)}, so far]" for labels in alike(shown.by_seed[0])]
    return " &ensp; ".join(said)


def _chip(label: str, racers: Sequence[Racer]) -> str:
    last = [racer.snapshots[-1] for racer in racers if racer.snapshots]
    parts = [f"**{label}**"]
    if last:
        loss = statistics.median(snapshot.mean_loss for snapshot in last)
        if math.isfinite(loss):
            parts[0] += f" {loss:.4f}" if loss < 1e4 else f" {loss:.1e}"
        if last[0].accuracy is not None:
            parts.append(f"{statistics.median(snapshot.accuracy or 0.0 for snapshot in last):.0%} right")
    parts.append(_state(racers[0]) if len(racers) == 1 else _states(racers))
    return " · ".join(filter(None, parts))


def _state(racer: Racer) -> str:
    return {
        None: "" if racer.steps else "waiting",
        SOLVED: f"**solved at {racer.steps:,}**",
        DIVERGED: f"**exploded at {racer.steps:,}**",
        COMPLETED: "not solved" if racer.experiment.problem.solvable else "",
        FAILED: f"**failed**: {racer.error}",
    }[racer.ended]


def _states(racers: Sequence[Racer]) -> str:
    """How many of several seeds have ended in which way."""
    ways = {SOLVED: "solved", DIVERGED: "exploded", FAILED: "failed"}
    ended = [racer.ended for racer in racers]
    said = [f"**{word} {ended.count(way)} of {len(racers)}**" for way, word in ways.items() if way in ended]
    solvable = racers[0].experiment.problem.solvable
    return ", ".join(said) or (f"solved 0 of {len(racers)}" if solvable and all(ended) else "")
