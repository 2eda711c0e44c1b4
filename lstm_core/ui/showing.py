"""What does a visitor look at? A race, the curves of the one before it, and what was pinned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.needs import missing
from lstm_core.charts.points import Curve
from lstm_core.engine import AUTO
from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.race.jobs import Job
from lstm_core.race.race import Race
from lstm_core.race.racer import Racer
from lstm_core.ui.address import named_engine
from lstm_core.ui.pins import pins
from lstm_core.ui.session import ANEW, GUESSED, PAUSED, SHOWING, STEP_SHOWN

# A slider that is dragged asks for many races; only the one that it rests on begins.
REST_SECONDS = 0.15
# A visit begins with pictures; what they show begins when they are there, or at last after so many seconds.
FIRST_SECONDS = 3.0
GHOST_STEPS = 20


@dataclass(frozen=True)
class Showing:
    """
    What one visitor looks at: a page's experiments, the race of them, of several `seeds` each perhaps, and the curves
    of the race before it.
    """

    page: str
    experiments: tuple[tuple[str, Experiment], ...]
    race: Race
    seeds: int = 1
    ghosts: tuple[Curve, ...] = ()

    @property
    def by_seed(self) -> list[tuple[Curve, ...]]:
        """The curves of the racers so far, seed by seed."""
        labels, curves = [label for label, _ in self.experiments], iter(curves_of(self.race))
        return [tuple(replace(next(curves), label=label) for label in labels) for _ in range(self.seeds)]

    @property
    def of_label(self) -> dict[str, tuple[Racer, ...]]:
        """The racers of each label, a seed each."""
        return {
            label: self.race.racers[number :: len(self.experiments)]
            for number, (label, _) in enumerate(self.experiments)
        }

    @property
    def behind(self) -> tuple[Curve, ...]:
        """Earlier curves and pinned ones."""
        pinned = tuple(ghost for pin in pins() for ghost in pin.ghosts)
        return self.ghosts + _comparable(pinned, self.race.racers[0].experiment)


def curves_of(race: Race) -> tuple[Curve, ...]:
    """What its racers have shown so far."""
    return tuple(
        Curve(racer.label, racer.experiment, racer.snapshots, measured=racer.run.measured) for racer in race.racers
    )


def last_step(race: Race) -> int:
    """The training step at which the last of its racers ends."""
    return max(racer.experiment.steps for racer in race.racers)


def needed(curves: Iterable[Curve], chart: str) -> list[Job]:
    """What a row of `CHARTS` still needs to have measured of these curves."""
    return [
        Job(curve.measured, (what, step), partial(what, curve.checkpoint(step)))
        for curve in curves
        for what, step in missing(curve, CHARTS[chart].needs)
    ]


def of_seeds(experiments: Mapping[str, Experiment], seeds: int) -> dict[str, Experiment]:
    """These experiments, and those with the seeds that follow theirs, under labels that say so."""
    return {
        _seeded(label, experiment.seed + k) if k else label: replace(experiment, seed=(experiment.seed + k) % 2**32)
        for k in range(seeds)
        for label, experiment in experiments.items()
    }


def _seeded(label: str, seed: int) -> str:
    return _("{label}, seed {seed}").format(label=label, seed=seed)


def show(
    page: str, experiments: Mapping[str, Experiment], weights: bool = True, anew: bool = False, seeds: int = 1
) -> Showing:
    """
    The race of these experiments: the one under way, or a new one that starts at once, on the engine that the link
    names where it does, and leaves ghosts behind, `anew` even if somebody has trained them already.
    """
    wanted, before = tuple(experiments.items()), st.session_state.get(SHOWING)
    if before and (before.page, before.experiments, before.seeds) == (page, wanted, seeds):
        return before
    ghosts: tuple[Curve, ...] = ()
    paused = st.session_state.setdefault(PAUSED, {})
    if before and before.page == page:
        ghosts = _comparable(_ghost_curves(before), next(iter(experiments.values())))
    elif before and not before.race.running and not before.race.finished:
        paused[before.page] = before.experiments
    race = Race(of_seeds(experiments, seeds), anew, weights, engine=named_engine() or AUTO)
    st.session_state[STEP_SHOWN] = last_step(race)
    shown = st.session_state[SHOWING] = Showing(page, wanted, race, seeds, ghosts)
    race.start(REST_SECONDS if before else FIRST_SECONDS)
    if before:
        # Not sooner: racers that are in both go on.
        before.race.stop()
    if paused.pop(page, None) == wanted:
        race.pause()
    return shown


def raced(page: str, experiments: Mapping[str, Experiment], anew: bool) -> Race:
    """As `show`, with weights; somebody looks at it."""
    race = show(page, experiments, anew=anew).race
    race.renew()
    desk()["race"] = race
    return race


def _ghost_curves(before: Showing) -> tuple[Curve, ...]:
    """The curves to leave behind: of the last race that got somewhere."""
    got_somewhere = max(racer.steps for racer in before.race.racers) >= GHOST_STEPS
    if not got_somewhere:
        return before.ghosts
    first_seed = curves_of(before.race)[: len(before.experiments)]
    return tuple(replace(curve, ghost=True).drawn for curve in first_seed)


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
    before = st.session_state.pop(SHOWING, None)
    if before:
        before.race.stop()


def start_over() -> None:
    """Train it once more, even if the curves are there already."""
    if shown := showing():
        st.session_state.get(GUESSED, {}).pop(shown.page, None)
    stop()
    st.session_state[ANEW] = True


def refuse(reason: str) -> None:
    """Say why there is no race."""
    stop()
    st.warning(reason)


def showing() -> Showing | None:
    """What this visitor looks at."""
    shown: Showing | None = st.session_state.get(SHOWING)
    return shown


def _leave(races: dict[str, Race]) -> None:
    """The tab was closed, or somebody cleared all caches: a race that is still looked at has its lease renewed."""
    for race in races.values():
        race.expire()


@st.cache_resource(scope="session", on_release=_leave, show_spinner=False)
def desk() -> dict[str, Race]:
    """The race that this visitor looks at."""
    return {}
