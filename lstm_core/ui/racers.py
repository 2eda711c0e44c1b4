"""What is said of a race and of each racer, in one line?"""

import math
import statistics
from collections.abc import Sequence
from itertools import chain

from lstm_core.charts.alike import alike
from lstm_core.charts.colours import HUES, SYMBOLS, slots
from lstm_core.language import _
from lstm_core.race.race import Race
from lstm_core.race.racer import Racer
from lstm_core.race.runs import FAILED
from lstm_core.race.turns import MOST_RACING, MOST_WAITING
from lstm_core.training.snapshot import COMPLETED, DIVERGED, SOLVED, engines_of
from lstm_core.ui.address import other_engine
from lstm_core.ui.showing import last_step
from lstm_core.ui.view import View


def progress(race: Race) -> str:
    """How far it is, or what it waits for."""
    step = max(racer.steps for racer in race.racers)
    note = other_engine(chain.from_iterable(engines_of(racer.snapshots) for racer in race.racers))
    if race.finished:
        seconds = sum(racer.seconds for racer in race.racers)
        said = _("finished after {step:,} steps, {seconds:.1f} s{note}")
        if all(racer.ended == DIVERGED for racer in race.racers):
            said = _("finished after {step:,} steps: exploded{note}")
        return said.format(step=step, seconds=seconds, note=note)
    if place := race.place:
        if place < MOST_WAITING:
            said = _("Server busy: {races} races are running, you are number {place} in the queue.")
        else:
            said = _("Server busy: {races} races are running, the queue is full. Retrying …")
        return said.format(races=MOST_RACING, place=place)
    limit = last_step(race)
    if not race.running:
        return _("paused at step {step:,} of {limit:,}{note}").format(step=step, limit=limit, note=note)
    if (preparing := race.preparing) is not None:
        # How long it would take on the other engine is not how long it will.
        said = _("step {step:,} of {limit:,}; preparing the fast engine ({seconds:.0f} s){note}")
        said = said if step else _("preparing the fast engine ({seconds:.0f} s)")
        return said.format(step=step, limit=limit, seconds=preparing, note=note)
    if not (left := race.seconds_left):
        return _("step {step:,} of {limit:,}{note}").format(step=step, limit=limit, note=note)
    said = _("step {step:,} of {limit:,}, {left:.0f} s left{note}")
    return said.format(step=step, limit=limit, left=left, note=note)


def in_a_line(view: View) -> str:
    """Of each racer symbol, name, loss and state, and who has the same curve as whom."""
    slot = slots(list(view.shown.of_label))
    said = [
        f":{HUES[slot[label]]}[{SYMBOLS[slot[label]]}] {_chip(label, racers)}".replace(" ", "&nbsp;")
        for label, racers in view.shown.of_label.items()
    ]
    equal = (
        _(":gray[{labels} at every step]") if view.shown.race.finished else _(":gray[{labels} at every step so far]")
    )
    said += [equal.format(labels=" = ".join(labels)) for labels in alike(view.by_seed[0])]
    said += [_(":gray[━&nbsp;the&nbsp;race&nbsp;before]")] if view.shown.ghosts else []
    return " &ensp; ".join(said)


def _chip(label: str, racers: Sequence[Racer]) -> str:
    last = [racer.snapshots[-1] for racer in racers if racer.snapshots]
    parts = [f"**{label}**"]
    if last:
        loss = statistics.median(snapshot.mean_loss for snapshot in last)
        if math.isfinite(loss):
            parts[0] += f" {loss:.4f}" if loss < 1e4 else f" {loss:.1e}"
        if last[0].accuracy is not None:
            right = statistics.median(snapshot.accuracy or 0.0 for snapshot in last)
            parts.append(_("{share:.0%} right").format(share=right))
    parts.append(_state(racers[0]) if len(racers) == 1 else _states(racers))
    return " · ".join(filter(None, parts))


def _state(racer: Racer) -> str:
    said = {
        None: "" if racer.steps else _("waiting"),
        SOLVED: _("**solved at {step:,}**"),
        DIVERGED: _("**exploded at {step:,}**"),
        COMPLETED: _("not solved") if racer.experiment.problem.solvable else "",
        FAILED: _("**failed**: {error}"),
    }
    return said[racer.ended].format(step=racer.steps, error=racer.error)


def _states(racers: Sequence[Racer]) -> str:
    """How many of several seeds have ended in which way."""
    ways = {
        SOLVED: _("**solved {some} of {seeds}**"),
        DIVERGED: _("**exploded {some} of {seeds}**"),
        FAILED: _("**failed {some} of {seeds}**"),
    }
    ended = [racer.ended for racer in racers]
    said = [way.format(some=ended.count(how), seeds=len(racers)) for how, way in ways.items() if how in ended]
    if not said and all(ended) and racers[0].experiment.problem.solvable:
        return _("solved {some} of {seeds}").format(some=0, seeds=len(racers))
    return ", ".join(said)
