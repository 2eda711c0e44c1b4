"""What came out, in one sentence with large numbers?"""

import math
import statistics
from collections.abc import Sequence

import streamlit as st

from lstm_core.charts.colours import HUES, slots
from lstm_core.language import _
from lstm_core.race.race import Race
from lstm_core.training import DIVERGED, SOLVED
from lstm_core.ui.view import BySeed

NUMBER_WIDTH = 165
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short(value: float) -> str:
    """A number of two digits, as short as it is told: 0.26, 150, 10⁻¹⁶, 0."""
    if not math.isfinite(value):
        return _("no number")
    if value == 0 or 0.01 <= value < 1000:
        return f"{float(f'{value:.2g}'):g}"
    return f"10{str(round(math.log10(value))).translate(SUPERSCRIPTS)}"


def exploded(race: Race) -> str:
    """Who has exploded, and when; nothing where nobody has."""
    steps: dict[int, list[str]] = {}
    for racer in race.racers:
        if racer.ended == DIVERGED:
            steps.setdefault(racer.steps, []).append(racer.label)
    who = ", ".join(_at_step(", ".join(labels), step) for step, labels in sorted(steps.items()))
    said = _(":red-background[:material/local_fire_department: **Exploded:** {who}]  \n")
    return said.format(who=who) if who else ""


def _at_step(labels: str, step: int) -> str:
    return _("{labels} at step {step:,}").format(labels=labels, step=step)


def say(parts: Sequence[str]) -> None:
    """A sentence and its numbers, each at a place of its own: one that gets longer does not push the others."""
    with st.container(horizontal=True, gap="xsmall"):
        for number, part in enumerate(parts):
            st.markdown(part, width=NUMBER_WIDTH if number else "content")


def reach(race: Race, by_seed: BySeed) -> list[str]:
    """
    Who has solved the task, when all have ended; and how much of the last step's gradient arrives at the first time
    step, of each racer; the median over seeds.
    """
    slot, arrived = slots([curve.label for curve in by_seed[0]]), []
    for curves in zip(*by_seed, strict=True):
        norms = [curve.snapshots[-1].hidden_grad_norms for curve in curves if curve.snapshots]
        ratios = [one[0] / one[-1] if one[-1] else math.inf for one in norms]
        shares = [math.inf if math.isnan(ratio) else ratio for ratio in ratios]
        if shares:
            label = curves[0].label
            arrived.append(f"{label}&nbsp;:{HUES[slot[label]]}[**{short(statistics.median(shares))}**]")
    sentences = [*came_out(by_seed), _("**Share of gradient reaching step 1:**")]
    return [" ".join(sentences), *(arrived or [":gray[…]"])]


def came_out(by_seed: BySeed) -> list[str]:
    """Who has solved the task at which step, and who has not; nothing as long as anybody trains."""
    runs = {curves[0].label: [curve.snapshots[-1:] for curve in curves] for curves in zip(*by_seed, strict=True)}
    ends = {label: [snapshot for last in lasts for snapshot in last] for label, lasts in runs.items()}
    over = all(last and last[0].ended for lasts in runs.values() for last in lasts)
    if not over or not by_seed[0][0].experiment.problem.solvable:
        return []
    seeds = len(by_seed)
    steps = {label: [last.step for last in lasts if last.ended == SOLVED] for label, lasts in ends.items()}
    solvers = {label: solved for label, solved in steps.items() if solved}
    others = ", ".join(label for label in steps if label not in solvers)
    if not solvers:
        return [_("**No network solved it.**")]
    if seeds > 1:
        some = _("{racer} in {some} of {seeds} runs")
        said = [some.format(racer=label, some=len(solved), seeds=seeds) for label, solved in solvers.items()]
    elif len(solvers) == 1 and others:
        ((racer, (step,)),) = solvers.items()
        alone = _("**{racer} solved it at step {step:,}**, {others} did not.")
        return [alone.format(racer=racer, step=step, others=others)]
    else:
        said = [_at_step(label, solved[0]) for label, solved in solvers.items()]
    whole = _("**Solved: {solvers}.** Not solved: {others}.") if others else _("**Solved: {solvers}.**")
    return [whole.format(solvers=", ".join(said), others=others)]
