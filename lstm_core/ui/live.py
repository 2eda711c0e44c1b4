"""How does a race look while it runs? Progress, one line a racer, and charts that grow in place."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st

from lstm_core.charts import tables
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.marks import HEAT, spec
from lstm_core.charts.points import Curve
from lstm_core.experiment import Experiment
from lstm_core.fair_lock import OPENING, PAGE, held
from lstm_core.network import parameter_count
from lstm_core.race.limits import too_much
from lstm_core.race.race import MOST_RACING, MOST_WAITING, Race, Racer, crowd
from lstm_core.race.runs import FAILED
from lstm_core.training import COMPLETED, DIVERGED, SOLVED
from lstm_core.ui.address import leave_engine, other_engine
from lstm_core.ui.pins import MOST_PINS, pin, pinned_races, pins, share

FRAME_SECONDS, HEAT_SECONDS = 0.25, 1.0
# With more visitors, frames come less often: so many seconds for each race that is under way.
SECONDS_A_RACE = 0.018
# A slider that is dragged asks for many races; only the one that it rests on begins.
REST_SECONDS = 0.15
GHOST_STEPS = 20
SLOT, MOMENT, ANEW = "showing", "moment", "anew"
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
    def behind(self) -> tuple[Curve, ...]:
        """Earlier curves and pinned ones."""
        pinned = tuple(ghost for pin in pins() for ghost in pin.ghosts)
        return self.ghosts + _comparable(pinned, self.race.racers[0].experiment)


def curves_of(race: Race, ghost: bool = False) -> tuple[Curve, ...]:
    """What its racers have shown so far."""
    return tuple(Curve(racer.label, racer.experiment, list(racer.snapshots), ghost) for racer in race.racers)


def _show(page: str, experiments: Mapping[str, Experiment], weights: bool, anew: bool) -> Showing:
    """
    The race of these experiments: the one under way, or a new one that starts at once and leaves ghosts behind, `anew`
    even if somebody has trained them already.
    """
    wanted, before = tuple(experiments.items()), st.session_state.get(SLOT)
    if before and (before.page, before.experiments) == (page, wanted):
        return before
    ghosts: tuple[Curve, ...] = ()
    if before:
        leave_engine()
        before.race.pause()
        if before.page == page:
            ghosts = _comparable(_haunting(before), next(iter(experiments.values())))
    st.session_state.pop(MOMENT, None)
    race = Race(experiments, anew, weights)
    st.session_state[SLOT] = Showing(page, wanted, race, ghosts)
    st.session_state[SLOT].race.start(REST_SECONDS if before else 0)
    return st.session_state[SLOT]


def raced(page: str, experiments: Mapping[str, Experiment], anew: bool) -> Race:
    """As `_show`, with weights; somebody looks at it."""
    race = _show(page, experiments, weights=True, anew=anew).race
    race.renew()
    _desk()["race"] = race
    return race


def _haunting(before: Showing) -> tuple[Curve, ...]:
    """The curves to leave behind: of the last race that got somewhere."""
    got_somewhere = max(racer.steps for racer in before.race.racers) >= GHOST_STEPS
    return curves_of(before.race, ghost=True) if got_somewhere else before.ghosts


def _comparable(ghosts: tuple[Curve, ...], now: Experiment) -> tuple[Curve, ...]:
    """Those whose losses mean the same as the losses to come."""
    return tuple(ghost for ghost in ghosts if _same_scale(ghost.experiment, now))


def _same_scale(then: Experiment, now: Experiment) -> bool:
    """A series of then that is not the one of now may be gone with its file, and its baselines with it."""
    if (then.task, then.series, then.horizon) != (now.task, now.series, now.horizon):
        return False
    return then.problem.constant_loss(then.length) == now.problem.constant_loss(now.length)


def stop() -> None:
    """Forget the race, and with it the curves."""
    before = st.session_state.pop(SLOT, None)
    if before:
        before.race.pause()


def _start_over() -> None:
    """Train it once more, even if the curves are there already."""
    stop()
    st.session_state[ANEW] = True


def refuse(reason: str) -> None:
    """Say why there is no race."""
    stop()
    st.warning(reason)


def showing() -> Showing | None:
    """What this visitor looks at."""
    shown: Showing | None = st.session_state.get(SLOT)
    return shown


def _leave(desk: dict[str, Race]) -> None:
    """The tab was closed, or somebody cleared all caches: a race that is still looked at has its lease renewed."""
    for race in desk.values():
        race.expire()


@st.cache_resource(scope="session", on_release=_leave, show_spinner=False)
def _desk() -> dict[str, Race]:
    """The race that this visitor looks at."""
    return {}


def _buttons(race: Race) -> None:
    with st.container(horizontal=True):
        if race.running and not race.finished:
            st.button("Pause", icon=":material/pause:", on_click=race.pause, key="pause")
        else:
            st.button("Go on", icon=":material/play_arrow:", on_click=race.start, key="start", disabled=race.finished)
        still = not race.running and not race.finished
        st.button("Step", icon=":material/skip_next:", on_click=race.step, key="step", disabled=not still)
        st.button("Start over", icon=":material/replay:", on_click=_start_over, key="restart")
        full = len(pins()) >= MOST_PINS
        st.button("Pin", icon=":material/keep:", on_click=lambda: pin(curves_of(race)), key="pin", disabled=full)
        share(lambda: curves_of(race))


def _moment(race: Race) -> int:
    """The training step to which the visitor has gone back; the last one, if to none."""
    limit = max(racer.experiment.steps for racer in race.racers)
    about = "Drag it back to see the gradient through time, and the gates, as they were."
    chosen: int = st.slider("Show the training as of step", 1, limit, limit, key=MOMENT, help=about)
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
    what else the page shows of the race, in every frame. With `weights`, the charts can measure what they did.
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
    showing = _show(page, experiments, weights, st.session_state.pop(ANEW, False))
    race = showing.race
    _buttons(race)
    moving, slower = race.moving, crowd() * SECONDS_A_RACE

    @st.fragment(run_every=max(FRAME_SECONDS, slower) if moving else None)
    def frame() -> None:
        race.renew()
        kind = PAGE if _desk().get("race") is race else OPENING
        _desk()["race"] = race
        if moving and not race.moving:
            st.rerun()
        with held(kind):
            st.progress(race.progress, _progress(race))
            st.markdown("  \n".join(_line(racer, colour) for racer, colour in zip(race.racers, COLOURS, strict=False)))
            if extra:
                extra(race)
            curves, behind, step = curves_of(race), showing.behind, _moment(race)
            then = tuple(curve.at(step) for curve in curves)
            for names in _rows(charts, 2):
                for column, name in zip(st.columns(2), names, strict=False):
                    with column:
                        draw(name, [*(then if CHARTS[name].of_a_moment else curves), *behind])

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
                            HEAT_SPEC,
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


def draw(name: str, curves: Sequence[Curve], of: str = "") -> None:
    """A chart of these curves, with its title and its caption; `of` tells it from others of the same row."""
    chart = CHARTS[name]
    st.markdown(f"**{chart.title}**" + f" · {of}" * bool(of))
    width = "stretch" if chart.stretched else "content"
    table = chart.table(curves)
    st.vega_lite_chart(table, SPECS[name], key=f"chart {name} {of}", alt=chart.description, width=width)  # type: ignore[call-overload]
    st.caption(chart.caption)


def _progress(race: Race) -> str:
    step = max(racer.steps for racer in race.racers)
    engines = {racer.snapshots[-1].engine for racer in race.racers if racer.snapshots}
    note = other_engine(engines)
    if race.finished:
        seconds, told = sum(racer.seconds for racer in race.racers), " and ".join(sorted(engines))
        return f"finished after {step:,} steps and {seconds:.1f} s of training on the {told} engine{note}"
    if place := race.place:
        queue = f"you are number {place}" if place < MOST_WAITING else "and the queue is full; it is tried again"
        return f"busy: {MOST_RACING} races are under way, {queue}"
    limit = max(racer.experiment.steps for racer in race.racers)
    left = f", {race.seconds_left:.0f} s left" if step else ""
    return f"step {step:,} of {limit:,}{left}{note}" if race.running else f"paused at step {step:,} of {limit:,}{note}"


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
            COMPLETED: f"{'not solved in ' if racer.experiment.problem.solvable else ''}{racer.steps:,} steps",
            FAILED: f"**failed**: {racer.error}",
        }[racer.ended]
    )
    return " · ".join(told)
