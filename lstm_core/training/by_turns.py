"""How are many steps trained in one call? By kernels, which know an experiment by its numbers."""

import math
from array import array
from typing import Any

from lstm_core.engine import FUSED
from lstm_core.experiment import Experiment
from lstm_core.kernels import program
from lstm_core.kernels.code import Code
from lstm_core.kernels.pieces import build
from lstm_core.kernels.program import Plan, Rates
from lstm_core.kernels.turns import Turns
from lstm_core.network import Network
from lstm_core.training.snapshot import COMPLETED, DIVERGED, SOLVED
from lstm_core.training.standing import MEAN_OVER, Standing, solved_below

ENDINGS = {program.GOES_ON: None, program.SOLVED: SOLVED, program.DIVERGED: DIVERGED, program.COMPLETED: COMPLETED}
OPTIMIZER_CODES = {"sgd": program.SGD, "rmsprop": program.RMSPROP, "adam": program.ADAM}
CLIP_CODES = {"none": program.NO_CLIPPING, "norm": program.BY_NORM, "value": program.BY_VALUE}
WIRING_CODES = {"plain": program.PLAIN, "residual": program.RESIDUAL, "dense": program.DENSE}


class ByTurns:
    """By kernels, many steps in one call, see `kernels.turn`; its network computes by them too from then on."""

    engine = FUSED

    def __init__(self, experiment: Experiment, standing: Standing) -> None:
        network = standing.network
        network.stack.engine = self.engine
        self._cell, self._plan = experiment.recurrent_cell, _plan(experiment, network)
        rates = Rates(experiment.lr, experiment.momentum, experiment.clip_at, solved_below(experiment))
        layers = [layer.tensors() for layer in network.stack.layer_list]
        code = Code(self._cell, build(experiment.precision, self._cell).done.result())
        self._turns = Turns(
            self._cell,
            self._plan,
            rates,
            layers,
            standing.weights,
            standing.gradient,
            (standing.first, standing.second),
            standing.recent,
            standing.begun,
            standing.batches.several,
            code,
        )

    def advance(self, count: int) -> dict[str, Any]:
        report, cell = self._turns.advance(count), self._cell
        told, (steps, units) = report.numbers, (self._plan.steps, self._plan.units)
        halves = slice(steps), slice(steps, None)
        hidden, cells = ([array("d", norms[half].tobytes()) for norms in report.norms] for half in halves)
        sums = dict(zip(cell.rows, report.states[:4].tolist(), strict=False))
        openness = {gate: sums[gate] / (steps * self._plan.batch * units) for gate in cell.learned_gates}
        if cell.coupled:
            openness["f"] = 1 - openness["i"]
        scored = self._plan.batch * (steps if self._plan.every_step else 1) - self._plan.scored
        has_cell = len(cell.row.states) > 1
        return {
            "step": self._turns.begun,
            "loss": float(told[program.LOSS]),
            "mean_loss": float(told[program.MEAN_LOSS]),
            "accuracy": float(told[program.HITS]) / scored if self._plan.classes else None,
            "grad_norm": float(told[program.GRAD_NORM]),
            "clipped_grad_norm": float(told[program.CLIPPED]),
            "clip_cosine": float(told[program.COSINE]),
            "gate_grad_norms": dict(zip(cell.rows, report.gates.tolist(), strict=True)),
            "ended": ENDINGS[int(told[program.ENDED])],
            "hidden_grad_norms": hidden[-1],
            "cell_grad_norms": cells[-1] if has_cell else None,
            "layer_grad_norms": array("d", [math.hypot(*layer) for layer in hidden]),
            "lower_grad_norms": tuple(hidden[:-1]),
            "max_hidden": float(report.states[4]),
            "max_cell": float(report.states[5]) if has_cell else None,
            "openness": openness,
        }


def _plan(experiment: Experiment, network: Network) -> Plan:
    """Of an experiment, in the numbers that kernels know."""
    task, steps, layers = experiment.problem, experiment.time_steps, experiment.layers
    wiring = program.PLAIN if layers == 1 and experiment.wiring == "residual" else WIRING_CODES[experiment.wiring]
    counted = task.counted_steps(experiment.length) if task.counted_steps else steps
    return Plan(
        layers=layers,
        wiring=wiring,
        steps=steps,
        batch=experiment.batch,
        features=len(task.inputs),
        units=experiment.hidden,
        width=network.readout.weight.shape[1],
        outputs=len(task.outputs),
        every_step=int(task.every_step),
        classes=int(task.classes),
        answers=experiment.batch * (steps if task.every_step else 1),
        scored=(steps - counted) * experiment.batch if task.every_step else 0,
        optimizer=OPTIMIZER_CODES[experiment.optimizer],
        clip=CLIP_CODES[experiment.clip],
        limit=experiment.steps,
        recent=MEAN_OVER,
    )
