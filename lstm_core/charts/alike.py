"""Which racers have the same curve? Said in words, since the line on top hides the others."""

import math
from collections.abc import Sequence

from lstm_core.charts.points import Curve

# Far below a pixel, far above the rounding of a double.
TOLERANCE = 1e-9
FEWEST = 2


def alike(curves: Sequence[Curve]) -> list[list[str]]:
    """
    The labels of racers with equal losses so far, group by group, in their order; whoever is like nobody is in none.
    The first step is of the first weights alone, so that a second one has to be equal too.
    """
    groups: list[list[Curve]] = []
    for curve in (curve for curve in curves if not curve.ghost):
        group = next((group for group in groups if _equal(group[0], curve)), None)
        if group is None:
            groups.append([curve])
        else:
            group.append(curve)
    return [[curve.label for curve in group] for group in groups if len(group) > 1]


def _equal(one: Curve, other: Curve) -> bool:
    """At every training step of which both have a snapshot, unless one has gone on after the other's end."""
    losses = {snapshot.step: snapshot.mean_loss for snapshot in one.snapshots}
    pairs = [(losses[s.step], s.mean_loss) for s in other.snapshots if s.step in losses]
    if len(pairs) < FEWEST or _ends_before(one, other) or _ends_before(other, one):
        return False
    return all(math.isclose(a, b, rel_tol=TOLERANCE) or not (math.isfinite(a) or math.isfinite(b)) for a, b in pairs)


def _ends_before(one: Curve, other: Curve) -> bool:
    last = one.snapshots[-1]
    return bool(last.ended) and last.step < other.snapshots[-1].step
