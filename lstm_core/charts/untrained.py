"""What is drawn of cells that nobody has trained? What an eigenvalue near 1 costs, and when an sLSTM overflows."""

from functools import lru_cache

import pyarrow as pa
import torch
from torch import Tensor

from lstm_core.charts.marks import computed
from lstm_core.charts.points import Point, between, of_points
from lstm_core.kernels.one_thread import settled_thread
from lstm_core.language import _
from lstm_core.measurements.memory import eigenvalues, lengths, memory
from lstm_core.measurements.overflow import EXP, SIGMOID, Failure, failure
from lstm_core.streams import Purpose, stream

MEMORY = computed(_("1/(1 - |λ|), time steps that it remembers"), _("root mean square"), _("line"), powers=True)
OVERFLOW = computed(_("forget bias b"), _("time step at which h is no number"), _("line"))
# Below this, and above what a gradient of 2,000 time steps can be, nothing is drawn.
SMALLEST, LARGEST = 1e-3, 1e5
BIASES = tuple(k / 2 for k in range(13))
MOST_STEPS = 1000


def of_memory(eigenvalue: Tensor, steps: int) -> dict[str, Tensor]:
    """What there is to compare after so many steps, (N,) each, with and without γ."""
    without, with_gamma = (memory(eigenvalue, steps, normalised) for normalised in (False, True))
    return {
        _("state"): without.state,
        _("state, with γ"): with_gamma.state,
        "∂h/∂|λ|": without.by_eigenvalue,
        _("∂h/∂|λ|, with γ"): with_gamma.by_eigenvalue,
        _("∂h/∂ν, with γ"): with_gamma.by_nu,
    }


def memory_by_eigenvalue(steps: int, at: float) -> pa.Table:
    """The root mean squares of `of_memory` for |λ| from 0 to 1 - 1/T, with their values noted where |λ| is `at`."""
    grid = eigenvalues(steps)
    here = int((grid - at).abs().argmin())
    points = [
        Point(x, y, part, part, "other", note=f"{y:.3g}" if k == here else "")
        for part, values in of_memory(grid, steps).items()
        for k, (x, y) in enumerate(zip(lengths(steps).tolist(), values.tolist(), strict=True))
    ]
    return of_points(between(points, SMALLEST, LARGEST))


@lru_cache(1)
def failures() -> dict[str, Failure]:
    """When an sLSTM fails in its first `MOST_STEPS` time steps, for each of the `BIASES`, without and with care."""
    biases = torch.tensor(BIASES, dtype=torch.float64)

    def of(forget: str, precision: torch.dtype, stabilised: bool) -> Failure:
        with settled_thread():
            return failure(biases, forget, precision, stabilised, MOST_STEPS, stream(0, Purpose.PROBES))

    return {
        _("f = exp, single precision"): of(EXP, torch.float32, False),
        _("f = exp, double precision"): of(EXP, torch.float64, False),
        _("f = sigmoid"): of(SIGMOID, torch.float32, False),
        _("f = exp, stabilised"): of(EXP, torch.float32, True),
    }


def overflow_by_forget_bias(at: float) -> pa.Table:
    """By forget bias the time step from which on h is no number, noted where b is `at`; those to come on the edge."""
    points = [
        Point(bias, step, part, part, "other", note=f"{step:g}" if bias == at else "")
        for part, found in failures().items()
        for bias, step in zip(BIASES, found.broken.tolist(), strict=True)
    ]
    return of_points(between(points, 1, MOST_STEPS))
