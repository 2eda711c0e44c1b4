"""How does a race look while it runs? One line of racers, charts that grow in place, a sentence on what came out."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from lstm_core.borrowed.pages import anew_if_left_behind
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.colours import HUES
from lstm_core.charts.words import meanings
from lstm_core.experiment import Experiment
from lstm_core.fair_lock import OPENING, PAGE, held
from lstm_core.language import _
from lstm_core.race.limits import too_much
from lstm_core.race.race import Race
from lstm_core.ui import address, controls, outcome, pace
from lstm_core.ui.bar import bar
from lstm_core.ui.folded import MORE, OVER_TRAINING, Folded, opened, over_training, ticking
from lstm_core.ui.guess import ask
from lstm_core.ui.pins import share
from lstm_core.ui.racers import in_a_line, progress
from lstm_core.ui.room import embedded, handheld, projected
from lstm_core.ui.session import ANEW
from lstm_core.ui.showing import Showing, curves_of, desk, of_seeds, refuse, show, stop
from lstm_core.ui.stage import Stage
from lstm_core.ui.view import BySeed, View

MOST_RACERS = len(HUES)
SEEDS = 5
# So many charts stand on the stage; the others lie folded below.
ON_STAGE = 4

# Its words, and the numbers behind them.
Sentence = Callable[[Race, BySeed], list[str]]


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
    ended, with a `sentence` on what came out; `below`, folded, lies what else the page has to say, its first part open,
    and after further charts the loss on longer sequences, where the task has such. The racers keep their weights where
    one of these charts needs something measured, or with `weights`: on a page whose charts change, and where the
    sentence or what lies below measures.
    """
    narrow = embedded() or projected()
    with stage.rivals:
        seeds = SEEDS if controls.five_seeds() else 1
    if stage.notes:
        with stage.notes:
            if experiments and not narrow and not handheld():
                _ask(next(iter(experiments.values())))
            address.tell()
    with stage.race:
        racers = _allowed(experiments, seeds)
    tabs = dict(below)
    if not racers:
        address.write()
    if racers:
        task = next(iter(racers.values())).problem
        if task.classes:
            charts = [charts[0], "accuracy", *charts[1:]]
        more = [*charts[ON_STAGE:], *([] if task.of else ["lengths"])]
        weights = weights or any(CHARTS[name].needs for name in charts)
        shown = show(stage.page, racers, weights, st.session_state.pop(ANEW, False), seeds)
        tabs |= {MORE: partial(_more, shown, more)} if more else {}
        tabs |= {OVER_TRAINING: partial(over_training, shown)}
    if narrow:
        tabs = {}
    places = opened(tabs)
    if racers:
        with stage.race:
            _stage(shown, stage, charts[: 2 if narrow else ON_STAGE], sentence, more if MORE in places else ())
        with stage.keep:
            share(lambda: curves_of(shown.race))
    for name, place in places.items():
        with place:
            tabs[name]()


def _ask(experiment: Experiment) -> None:
    """What its networks have to do, in one line."""
    task = experiment.problem
    st.caption(_("**{task}**: {description}").format(task=task.label, description=task.description))


def without_race(stage: Stage, content: Callable[[], None], text: str) -> None:
    """What a page shows on its stage without any training, and below it what to look for."""
    stop()
    if stage.notes:
        with stage.notes:
            address.tell()
    address.write()
    with stage.race:
        content()
    st.markdown(text, help=meanings(text))


def _allowed(experiments: Mapping[str, Experiment], seeds: int) -> dict[str, Experiment]:
    """Those that race; none, with a word, where that is not possible."""
    racers = dict(list(experiments.items())[:MOST_RACERS])
    if not racers:
        stop()
        st.info(_("Choose at least one racer."))
        return {}
    old = (experiment.refusal for experiment in racers.values())
    if refusal := next(filter(None, old), None) or too_much(of_seeds(racers, seeds).values()):
        refuse(refusal)
        return {}
    if len(experiments) > MOST_RACERS:
        said = _("{chosen} racers are chosen; the first {most} run.")
        st.warning(said.format(chosen=len(experiments), most=MOST_RACERS))
    return racers


def _stage(shown: Showing, stage: Stage, charts: Sequence[str], sentence: Sentence, more: Sequence[str]) -> None:
    """The race with its first charts; what `more` charts need is measured too."""
    race = shown.race
    place = st.empty() if embedded() else bar(shown)
    answered = ask(stage.guess, shown)
    moving = race.moving

    @st.fragment(run_every=pace.every() if moving else None)
    def frame() -> None:
        race.renew()
        seen = desk().get("race") is race
        kind = PAGE if seen else OPENING
        desk()["race"] = race
        if seen:
            race.begin()
        # A hand that still drags would leave each place of its way behind for the browser's back.
        if seen or not race.moving:
            address.write()
        with anew_if_left_behind(), held(kind), pace.timed():
            view = View(shown)
            place.caption(progress(race))
            stage.chips.markdown(in_a_line(view))
            race.ask(view.needed([*charts, *more]))
            asked = bool(race.jobs)
            view.draw(charts[:2])
            first, *numbers = sentence(race, view.then)
            outcome.say([outcome.exploded(race) + first, *numbers])
            view.draw(charts[2:])
        # What was asked for may be there by now, but is not drawn yet.
        if moving != (asked or race.moving) or answered():
            st.rerun()

    frame()


def _more(shown: Showing, charts: Sequence[str]) -> None:
    ticking(shown.race, lambda: View(shown).draw(charts))
