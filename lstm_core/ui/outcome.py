"""What came out, in one sentence with large numbers?"""

import math
import statistics
from collections.abc import Sequence

import streamlit as st

from lstm_core.charts.colours import HUES, slots
from lstm_core.language import _
from lstm_core.race.race import Race
from lstm_core.training.snapshot import DIVERGED, SOLVED
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
    step, of each racer that has not exploded; the median over seeds.
    """
    slot, arrived = slots([curve.label for curve in by_seed[0]]), []
    for curves in zip(*by_seed, strict=True):
        last = [curve.snapshots[-1] for curve in curves if curve.snapshots]
        norms = [one.hidden_grad_norms for one in last if one.ended != DIVERGED]
        ratios = [one[0] / one[-1] if one[-1] else math.inf for one in norms]
        shares = [math.inf if math.isnan(ratio) else ratio for ratio in ratios]
        if shares:
            label = curves[0].label
            arrived.append(f"{label}&nbsp;:{HUES[slot[label]]}[**{short(statistics.median(shares))}**]")
    over = came_out(by_seed)
    if over and not arrived:
        return over
    what = _("**Gradient left at step 1:**") if over else _("**Share of gradient reaching step 1:**")
    return [" ".join((*over, what)), *(arrived or [":gray[…]"])]


def came_out(by_seed: BySeed) -> list[str]:
    """Who has solved the task at which step, and who has not; nothing as long as anybody trains."""
    all_curves = [curve for curves in by_seed for curve in curves]
    over = all(curve.snapshots and curve.snapshots[-1].ended for curve in all_curves)
    if not over or not all_curves[0].experiment.problem.solvable:
        return []
    seeds, solvers = len(by_seed), dict[str, list[int]]()
    for curve in all_curves:
        if curve.snapshots[-1].ended == SOLVED:
            solvers.setdefault(curve.label, []).append(curve.snapshots[-1].step)
    others = ", ".join(curve.label for curve in by_seed[0] if curve.label not in solvers)
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
