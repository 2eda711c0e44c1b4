"""What came out, in one sentence with large numbers?"""

import math
import statistics
from collections.abc import Sequence

import streamlit as st

from lstm_core.charts.colours import HUES, slots
from lstm_core.race.race import Race
from lstm_core.training import DIVERGED
from lstm_core.ui.view import BySeed

NUMBER_WIDTH = 165
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short(value: float) -> str:
    """A number of two digits, as short as it is told: 0.26, 150, 10⁻¹⁶, 0."""
    if not math.isfinite(value):
        return "no number"
    if value == 0 or 0.01 <= value < 1000:
        return f"{float(f'{value:.2g}'):g}"
    return f"10{str(round(math.log10(value))).translate(SUPERSCRIPTS)}"


def exploded(race: Race) -> str:
    """Who has exploded, and when; nothing where nobody has."""
    steps: dict[int, list[str]] = {}
    for racer in race.racers:
        if racer.ended == DIVERGED:
            steps.setdefault(racer.steps, []).append(racer.label)
    said = ", ".join(f"{', '.join(labels)} at step {step:,}" for step, labels in sorted(steps.items()))
    return f":red-background[:material/local_fire_department: **Exploded:** {said}]  \n" if said else ""


def say(parts: Sequence[str]) -> None:
    """A sentence and its numbers, each at a place of its own: one that gets longer does not push the others."""
    with st.container(horizontal=True, gap="xsmall"):
        for number, part in enumerate(parts):
            st.markdown(part, width=NUMBER_WIDTH if number else "content")


def reach(race: Race, by_seed: BySeed) -> list[str]:
    """How much of the last step's gradient arrives at the first time step, of each racer; the median over seeds."""
    slot, arrived = slots([curve.label for curve in by_seed[0]]), []
    for curves in zip(*by_seed, strict=True):
        norms = [curve.snapshots[-1].hidden_grad_norms for curve in curves if curve.snapshots]
        ratios = [one[0] / one[-1] if one[-1] else math.inf for one in norms]
        shares = [math.inf if math.isnan(ratio) else ratio for ratio in ratios]
        if shares:
            label = curves[0].label
            arrived.append(f"{label}&nbsp;:{HUES[slot[label]]}[**{short(statistics.median(shares))}**]")
    return ["**Of the last step's gradient, step 1 gets:**", *(arrived or [":gray[…]"])]
