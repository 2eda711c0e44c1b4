"""How does a race look while it runs? Progress, one line a racer, and charts that grow in place."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import streamlit as st

from lstm_core.charts import tables
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.marks import heat, spec
from lstm_core.experiment import Experiment
from lstm_core.fair_lock import OPENING, PAGE, held
from lstm_core.network import parameter_count
from lstm_core.race.limits import too_much
from lstm_core.race.race import MOST_RACING, MOST_WAITING, Race, Racer, crowd
from lstm_core.race.runs import FAILED
from lstm_core.training import COMPLETED, DIVERGED, SOLVED
from lstm_core.ui.address import other_engine
from lstm_core.ui.chart import draw
from lstm_core.ui.pins import MOST_PINS, pin, pinned_races, pins, share
from lstm_core.ui.session import ANEW, STEP_SHOWN
from lstm_core.ui.showing import curves_of, desk, needed, refuse, show, start_over, stop

FRAME_SECONDS, HEAT_SECONDS = 0.25, 1.0
# With more visitors, frames come less often: so many seconds for each race that is under way.
SECONDS_A_RACE = 0.018
# In the order of the theme's chart colours.
COLOURS = ("blue", "orange", "green", "red", "violet", "yellow")
MOST_RACERS = len(COLOURS)

count = lru_cache(1000)(parameter_count)


def _buttons(race: Race) -> None:
    with st.container(horizontal=True):
        if race.running and not race.finished:
            st.button("Pause", icon=":material/pause:", on_click=race.pause, key="pause")
        else:
            st.button("Go on", icon=":material/play_arrow:", on_click=race.start, key="start", disabled=race.finished)
        still = not race.running and not race.finished
        st.button("Step", icon=":material/skip_next:", on_click=race.step, key="step", disabled=not still)
        st.button("Start over", icon=":material/replay:", on_click=start_over, key="restart")
        full = len(pins()) >= MOST_PINS
        st.button("Pin", icon=":material/keep:", on_click=lambda: pin(curves_of(race)), key="pin", disabled=full)
        share(lambda: curves_of(race))


def _step_shown(limit: int) -> int:
    """The training step to which the visitor has gone back; the last one, the limit, if to none."""
    about = "Drag it back to see the gradient through time, and the gates, as they were."
    chosen: int = st.slider("Show the training as of step", 1, limit, limit, key=STEP_SHOWN, help=about)
    return chosen


def live(
    page: str,
    experiments: Mapping[str, Experiment],
    charts: Sequence[str],
    extra: Callable[[Race], None] | None = None,
    weights: bool = False,
) -> None:
    """
    Race the first `MOST_RACERS` experiments, and draw `charts`, rows of `CHARTS`, until all have ended; `extra` draws
    what else the page shows of the race, in every frame. The racers keep their weights where one of these charts needs
    something measured, or with `weights`: on a page whose charts change, and where `extra` measures.
    """
    if not experiments:
        stop()
        st.info("Choose at least one racer.")
        return
    if len(experiments) > MOST_RACERS:
        st.warning(f"{len(experiments)} racers are chosen; the first {MOST_RACERS} run.")
        experiments = dict(list(experiments.items())[:MOST_RACERS])
    old = (experiment.refusal for experiment in experiments.values())
    if refusal := next(filter(None, old), None) or too_much(experiments.values()):
        refuse(refusal)
        return
    if next(iter(experiments.values())).problem.classes:
        charts = [charts[0], "accuracy", *charts[1:]]
    weights = weights or any(CHARTS[name].needs for name in charts)
    shown = show(page, experiments, weights, st.session_state.pop(ANEW, False))
    race = shown.race
    _buttons(race)
    moving, slower = race.moving, crowd() * SECONDS_A_RACE
    limit = max(racer.experiment.steps for racer in race.racers)

    @st.fragment(run_every=max(FRAME_SECONDS, slower) if moving else None)
    def frame() -> None:
        race.renew()
        kind = PAGE if desk().get("race") is race else OPENING
        desk()["race"] = race
        with held(kind):
            st.progress(race.progress, _progress(race))
            st.markdown("  \n".join(_line(racer, colour) for racer, colour in zip(race.racers, COLOURS, strict=False)))
            if extra:
                extra(race)
            curves, behind, step = curves_of(race), shown.behind, _step_shown(limit)
            then = tuple(curve.at(step) for curve in curves)
            shown_of = {name: then if CHARTS[name].of_one_step else curves for name in charts}
            still = step < limit or race.finished or not race.running
            race.ask(job for name, these in shown_of.items() for job in needed(these, name))
            for names in _rows(charts, 2):
                for column, name in zip(st.columns(2), names, strict=False):
                    with column:
                        draw(name, [*shown_of[name], *behind], still=still)
        if moving != race.moving:
            st.rerun()

    @st.fragment(run_every=max(HEAT_SECONDS, 4 * slower) if moving else None)
    def heat_maps() -> None:
        with held(PAGE):
            st.markdown("**Gradient through time, while it trains**")
            for curves in _rows(curves_of(race), 4 if len(race.racers) <= 4 else 3):
                for column, curve in zip(st.columns(len(curves)), curves, strict=True):
                    with column:
                        st.markdown(curve.label)
                        st.vega_lite_chart(
                            tables.heat(curve),
                            spec(heat),
                            key=f"heat {curve.label}",
                            alt=f"Heat map of the gradient norm of {curve.label}, training step by time step.",
                        )
            st.caption(
                "||dL/dh_t||: bright on the left where the gradient reaches back to the first inputs. All maps have "
                "one scale, from 1e-12 or less, dark, to 1 or more. Training goes upwards."
            )

    frame()
    heat_maps()
    pinned_races()


def _rows(items: Sequence[Any], length: int) -> list[Sequence[Any]]:
    return [items[start : start + length] for start in range(0, len(items), length)]


def _progress(race: Race) -> str:
    step = max(racer.steps for racer in race.racers)
    engines = {racer.snapshots[-1].engine for racer in race.racers if racer.snapshots}
    note = other_engine(engines)
    if race.finished:
        seconds, engine = sum(racer.seconds for racer in race.racers), " and ".join(sorted(engines))
        return f"finished after {step:,} steps and {seconds:.1f} s of training on the {engine} engine{note}"
    if place := race.place:
        queue = f"you are number {place}" if place < MOST_WAITING else "and the queue is full; it is tried again"
        return f"busy: {MOST_RACING} races are under way, {queue}"
    limit = max(racer.experiment.steps for racer in race.racers)
    left = f", {race.seconds_left:.0f} s left" if step else ""
    return f"step {step:,} of {limit:,}{left}{note}" if race.running else f"paused at step {step:,} of {limit:,}{note}"


def _line(racer: Racer, colour: str) -> str:
    parts = [f":{colour}[●] **{racer.label}**", f"{count(racer.experiment):,} weights"]
    if racer.snapshots:
        last = racer.snapshots[-1]
        if math.isfinite(last.mean_loss):
            parts.append(f"loss {last.mean_loss:.4f}" if last.mean_loss < 1e4 else f"loss {last.mean_loss:.1e}")
        if last.accuracy is not None:
            parts.append(f"{last.accuracy:.0%} right")
    parts.append(
        {
            None: "training" if racer.steps else "waiting",
            SOLVED: f"**solved at step {racer.steps:,}**",
            DIVERGED: f"**diverged at step {racer.steps:,}**",
            COMPLETED: f"{'not solved in ' if racer.experiment.problem.solvable else ''}{racer.steps:,} steps",
            FAILED: f"**failed**: {racer.error}",
        }[racer.ended]
    )
    return " · ".join(parts)
