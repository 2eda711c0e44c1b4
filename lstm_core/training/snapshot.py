"""What is told of one step of a training?"""

import dataclasses
import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

# What a snapshot takes beside its lists and its weights, about.
NUMBERS_BYTES = 1500
SOLVED, DIVERGED, COMPLETED = "solved", "diverged", "completed"


@dataclass(frozen=True)
class Snapshot:
    """
    One training step, measured before its update. Losses are means over the batch, norms Euclidean.

    `mean_loss` is the mean of the last 20 losses, by which a task counts as solved. `grad_norm` is over all parameters,
    before clipping; `gate_grad_norms` over the rows of one block. `hidden_grad_norms` and `cell_grad_norms` are
    ||dL/dh_t|| and ||dL/dc_t|| for t = 1 .. T. `openness` is the mean activation of each gate, over batch, units and
    time. `engine` is the one that computed this step. `ended` says why this is the last snapshot. `clip_cosine` is the
    cosine of the angle between the gradient before and after clipping. `weights` are those of this step in one vector,
    see `Network.load`, where they were asked for, and `updated` what the update of this step makes of them, or would
    make of the last ones.

    `held_out_loss` is the loss on sequences that are not in a fixed training set, None where there is no such set,
    nan where it leaves no others.

    Of several layers all this is about the last one, but for `layer_grad_norms`, ||dL/dh|| of each, the lowest first,
    over all time steps together, and `lower_grad_norms`, ||dL/dh_t|| of each but the last.
    """

    step: int
    loss: float
    mean_loss: float
    accuracy: float | None
    held_out_loss: float | None
    grad_norm: float
    clipped_grad_norm: float
    clip_cosine: float
    gate_grad_norms: dict[str, float]
    hidden_grad_norms: Sequence[float]
    cell_grad_norms: Sequence[float] | None
    layer_grad_norms: Sequence[float]
    lower_grad_norms: Sequence[Sequence[float]]
    max_hidden: float
    max_cell: float | None
    openness: dict[str, float]
    engine: str
    ended: str | None
    weights: Tensor | None = dataclasses.field(default=None, compare=False, repr=False)
    updated: Tensor | None = dataclasses.field(default=None, compare=False, repr=False)

    @property
    def nbytes(self) -> int:
        """About what it takes in memory."""
        norms = self.hidden_grad_norms, self.cell_grad_norms or (), *self.lower_grad_norms
        kept = sum(0 if numbers is None else numbers.nbytes for numbers in (self.weights, self.updated))
        return NUMBERS_BYTES + 8 * sum(map(len, norms)) + kept

    def to_dict(self) -> dict[str, Any]:
        """
        Plain values for JSON, without the weights; inf and nan, which JSON does not know, become the words "inf",
        "-inf" and "nan".
        """
        return {spec.name: plain(getattr(self, spec.name)) for spec in dataclasses.fields(self) if spec.compare}


def plain(value: Any) -> Any:
    """Of tuples, arrays and dicts of numbers and words, what JSON knows: inf and nan are words."""
    if isinstance(value, array | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def engines_of(snapshots: Iterable[Snapshot]) -> dict[str, int]:
    """The engines that have computed these, one after the other, with the last step of each."""
    return {snapshot.engine: snapshot.step for snapshot in snapshots}
