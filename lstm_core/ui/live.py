"""How does a race look while it runs? Progress, one line a racer, and charts that grow in place."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st

from lstm_core import tables
from lstm_core.charts import CHARTS, HEAT, spec
from lstm_core.experiment import Experiment
from lstm_core.race import FAILED, Race, Racer
from lstm_core.tables import Curve
from lstm_core.tasks import TASKS
from lstm_core.training import COMPLETED, DIVERGED, SOLVED, parameter_count

FRAME_SECONDS, HEAT_SECONDS = 0.25, 1.0
GHOST_STEPS = 20
SLOT = "showing"
# In the order of the theme's chart colours.
COLOURS = ("blue", "orange", "green", "red", "violet", "yellow")
MOST_RACERS = len(COLOURS)

SPECS = {name: spec(chart.picture) for name, chart in CHARTS.items()}
HEAT_SPEC = spec(HEAT)
count = lru_cache(1000)(parameter_count)


@dataclass(frozen=True)
class Showing:
    """What one visitor looks at: a page's race, and the curves of the race before it."""

    page: str
    experiments: tuple[tuple[str, Experiment], ...]
    race: Race
    ghosts: tuple[Curve, ...] = ()

    @property
    def curves(self) -> list[Curve]:
        """This race's curves and the earlier ones behind them."""
        return [*_curves(self.race), *self.ghosts]


def _curves(race: Race, ghost: bool = False) -> tuple[Curve, ...]:
    return tuple(Curve(racer.label, racer.experiment, list(racer.snapshots), ghost) for racer in race.racers)


def _show(page: str, experiments: Mapping[str, Experiment]) -> Showing:
    """The race of these experiments: the one under way, or a new one that starts at once and leaves ghosts behind."""
    wanted, before = tuple(experiments.items()), st.session_state.get(SLOT)
    if before and (before.page, before.experiments) == (page, wanted):
        return before
    ghosts: tuple[Curve, ...] = ()
    if before:
        before.race.pause()
        if before.page == page:
            ghosts = _haunting(before, next(iter(experiments.values())))
    st.session_state[SLOT] = Showing(page, wanted, Race(experiments), ghosts)
    st.session_state[SLOT].race.start()
    return st.session_state[SLOT]


def _haunting(before: Showing, now: Experiment) -> tuple[Curve, ...]:
    """The curves to leave behind: of the last race that got somewhere, if its losses compare with those to come."""
    got_somewhere = max(racer.steps for racer in before.race.racers) >= GHOST_STEPS
    ghosts = _curves(before.race, ghost=True) if got_somewhere else before.ghosts
    return tuple(ghost for ghost in ghosts if _baseline(ghost.experiment) == _baseline(now))


def _baseline(experiment: Experiment) -> tuple[str, float]:
    return experiment.task, TASKS[experiment.task].constant_loss(experiment.length)


def _stop() -> None:
    """Forget the race, and with it the curves."""
    before = st.session_state.pop(SLOT, None)
    if before:
        before.race.pause()


def live(
    page: str,
    experiments: Mapping[str, Experiment],
    charts: Sequence[str],
    extra: Callable[[Race], None] | None = None,
) -> None:
    """
    Race the first `MOST_RACERS` experiments, and draw `charts`, rows of `CHARTS`, until all have ended; `extra` draws
    what else the page shows of the race, in every frame.
    """
    if not experiments:
        _stop()
        st.info("Choose at least one racer.")
        return
    if len(experiments) > MOST_RACERS:
        st.warning(f"{len(experiments)} racers are chosen; the first {MOST_RACERS} run.")
        experiments = dict(list(experiments.items())[:MOST_RACERS])
    if TASKS[next(iter(experiments.values())).task].classes:
        charts = [charts[0], "accuracy", *charts[1:]]
    showing = _show(page, experiments)
    race = showing.race
    moving = race.running and not race.finished
    with st.container(horizontal=True):
        if moving:
            st.button("Pause", icon=":material/pause:", on_click=race.pause, key="pause")
        else:
            st.button("Go on", icon=":material/play_arrow:", on_click=race.start, key="start", disabled=race.finished)
        st.button("Start over", icon=":material/replay:", on_click=_stop, key="restart")

    @st.fragment(run_every=FRAME_SECONDS if moving else None)
    def frame() -> None:
        race.renew()
        if moving and race.finished:
            st.rerun()
        curves = showing.curves
        st.progress(race.progress, _progress(race))
        st.markdown("  \n".join(_line(racer, colour) for racer, colour in zip(race.racers, COLOURS, strict=False)))
        if extra:
            extra(race)
        for names in _rows(charts, 2):
            for column, name in zip(st.columns(2), names, strict=False):
                with column:
                    _chart(name, curves)

    @st.fragment(run_every=HEAT_SECONDS if moving else None)
    def heat_maps() -> None:
        st.markdown("**Gradient through time, while it trains**")
        for curves in _rows(_curves(race), 4 if len(race.racers) <= 4 else 3):
            for column, curve in zip(st.columns(len(curves)), curves, strict=True):
                with column:
                    st.markdown(curve.label)
                    st.vega_lite_chart(
                        tables.heat(curve),
                        HEAT_SPEC,
                        key=f"heat {curve.label}",
                        alt=f"Heat map of the gradient norm of {curve.label}, training step by time step.",
                    )
        st.caption(
            "||dL/dh_t||: bright on the left where the gradient reaches back to the first inputs. All maps have one "
            "scale, from 1e-12 or less, dark, to 1 or more. Training goes upwards."
        )

    frame()
    heat_maps()


def _rows(items: Sequence[Any], length: int) -> list[Sequence[Any]]:
    return [items[start : start + length] for start in range(0, len(items), length)]


def _chart(name: str, curves: Sequence[Curve]) -> None:
    chart = CHARTS[name]
    st.markdown(f"**{chart.title}**")
    st.vega_lite_chart(chart.table(curves), SPECS[name], key=f"chart {name}", alt=chart.description)
    st.caption(chart.reading)


def _progress(race: Race) -> str:
    step = max(racer.steps for racer in race.racers)
    if race.finished:
        engines = {racer.snapshots[-1].engine for racer in race.racers if racer.snapshots}
        seconds = sum(racer.seconds for racer in race.racers)
        return f"finished after {step:,} steps and {seconds:.1f} s of training on the {' and '.join(engines)} engine"
    limit = max(racer.experiment.steps for racer in race.racers)
    left = f", {race.seconds_left:.0f} s left" if step else ""
    return f"step {step:,} of {limit:,}{left}" if race.running else f"paused at step {step:,} of {limit:,}"


def _line(racer: Racer, colour: str) -> str:
    told = [f":{colour}[●] **{racer.label}**", f"{count(racer.experiment):,} weights"]
    if racer.snapshots:
        last = racer.snapshots[-1]
        if math.isfinite(last.mean_loss):
            told.append(f"loss {last.mean_loss:.4f}" if last.mean_loss < 1e4 else f"loss {last.mean_loss:.1e}")
        if last.accuracy is not None:
            told.append(f"{last.accuracy:.0%} right")
    told.append(
        {
            None: "training" if racer.steps else "waiting",
            SOLVED: f"**solved at step {racer.steps:,}**",
            DIVERGED: f"**diverged at step {racer.steps:,}**",
            COMPLETED: f"not solved in {racer.steps:,} steps",
            FAILED: f"**failed**: {racer.error}",
        }[racer.ended]
    )
    return " · ".join(told)
