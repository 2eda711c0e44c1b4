"""What is a gate of a trained LSTM for? The same network with the gate held at 1."""

import dataclasses
from functools import partial

import torch
from torch import Tensor

from lstm_core import engine
from lstm_core.cells import Cell, Parameters
from lstm_core.measurements.checkpoints import Checkpoint, first_inputs
from lstm_core.measurements.gradients import walk
from lstm_core.measurements.unseen import on_unseen

SEQUENCES = 500
# A bias with which a gate is 1 in double precision.
HELD_OPEN = 1000.0


def held_open(p: Parameters, cell: Cell, gate: str) -> tuple[Parameters, Cell]:
    """
    The same LSTM with a learned gate held at 1: its rows are taken out, the others stay. Where all rows are normalised
    together they stay, too, and a large bias opens the gate.
    """
    size = p.recurrent.shape[1]
    if cell.layer_norm:
        at, opened = cell.rows.index(gate) * size, p.bias.clone()
        opened[at : at + size] = HELD_OPEN
        return p._replace(bias=opened), cell
    rows = torch.cat([torch.arange(size) + k * size for k, row in enumerate(cell.rows) if row != gate])
    left = dataclasses.replace(cell, gates=cell.gates.replace(gate, ""))
    peephole = None if p.peephole is None else p.peephole[[cell.learned_gates.index(g) for g in left.learned_gates]]
    if peephole is not None and not len(peephole):
        peephole = None
    bias = None if p.recurrent_bias is None else p.recurrent_bias[rows]
    return Parameters(p.recurrent[rows], p.input[rows], p.bias[rows], bias, peephole), left


def ablations(checkpoint: Checkpoint) -> dict[str, float]:
    """
    The loss on held-out sequences as trained, under "", and with each learned gate held at 1 alone. Gates that are
    coupled cannot be held one by one, and are left out.
    """
    experiment, network, cell = checkpoint.experiment, checkpoint.network(), checkpoint.cell
    p = network.layer.tensors()

    def loss(weights: Parameters, left: Cell, inputs: Tensor, targets: Tensor) -> float:
        start = inputs.new_zeros(inputs.shape[1], experiment.hidden)
        trace = engine.run(inputs, (start, start), weights, left)
        return float(network.task.loss(network.answer(inputs, [network.reached(trace)]), targets))

    gates = [gate for gate in cell.gates if not cell.coupled or gate == "o"]
    left = {"": (p, cell)} | {gate: held_open(p, cell, gate) for gate in gates}
    return {gate: on_unseen(partial(loss, *one), experiment, SEQUENCES) for gate, one in left.items()}


def without_forgetting(checkpoint: Checkpoint) -> Tensor:
    """The cell state of an LSTM on the same sequence with its forget gate held at 1, (T + 1, H)."""
    p, cell = held_open(checkpoint.parameters(), checkpoint.cell, "f")
    path = walk(p, cell, first_inputs(checkpoint.experiment))
    assert path.cell is not None
    return path.cell[:, 0]
