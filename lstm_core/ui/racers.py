"""What is said of a race and of each racer, in one line?"""

import math
import statistics
from collections.abc import Sequence

from lstm_core.charts.alike import alike
from lstm_core.charts.colours import HUES, SYMBOLS, slots
from lstm_core.race.race import MOST_RACING, MOST_WAITING, Race, Racer
from lstm_core.race.runs import FAILED
from lstm_core.training import COMPLETED, DIVERGED, SOLVED
from lstm_core.ui.address import other_engine
from lstm_core.ui.showing import last_step
from lstm_core.ui.view import View


def progress(race: Race) -> str:
    """How far it is, or what it waits for."""
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


def in_a_line(view: View) -> str:
    """Of each racer symbol, name, loss and state, and who has the same curve as whom."""
    slot = slots(list(view.shown.of_label))
    said = [
        f":{HUES[slot[label]]}[{SYMBOLS[slot[label]]}] {_chip(label, racers)}".replace(" ", "&nbsp;")
        for label, racers in view.shown.of_label.items()
    ]
    said += [f":gray[{' = '.join(labels)}, so far]" for labels in alike(view.by_seed[0])]
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
