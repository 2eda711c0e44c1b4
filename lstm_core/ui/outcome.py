"""What came out, in one sentence with large numbers?"""

import math
from collections.abc import Sequence

from lstm_core.charts.points import Curve
from lstm_core.race.race import Race

# In the order of the theme's chart colours.
HUES = ("blue", "orange", "green", "red", "violet", "yellow")
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short(value: float) -> str:
    """A number as short as it is told: .26, 10⁻¹⁶, 0."""
    if not math.isfinite(value):
        return "no number"
    if value == 0 or 0.01 <= value < 1000:
        return f"{value:.2g}"
    return f"10{str(round(math.log10(value))).translate(SUPERSCRIPTS)}"


def reach(race: Race, curves: Sequence[Curve]) -> str:
    """How much of the last step's gradient arrives at the first time step, of each racer."""
    arrived = []
    for curve, colour in zip(curves, HUES, strict=False):
        if curve.snapshots:
            norms = curve.snapshots[-1].hidden_grad_norms
            share = norms[0] / norms[-1] if norms[-1] else math.nan
            arrived.append(f"{curve.label}&nbsp;:{colour}[**{short(share)}**]")
    said = " &ensp; ".join(arrived) or ":gray[…]"
    return f"#### Of the last step's gradient, step 1 gets: {said}"
