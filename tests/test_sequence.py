"""Do layers that share a tape compute what torch computes, to the edges of the arithmetic and no further in memory?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lstm_core.cells import Cell, Parameters, Trace
from lstm_core.engine import FUSED, REFERENCE_ENGINE, resolve, run
from lstm_core.kernels.autograd import learned, sources
from lstm_core.kernels.code import Code, address
from lstm_core.kernels.compilation import PRECISIONS
from lstm_core.kernels.layout import layer_of
from lstm_core.kernels.packing import pack
from lstm_core.kernels.pieces import KERNELS, build
from lstm_core.kernels.spec import Layer as Places
from lstm_core.kernels.spec import Shape
from tests.test_cells import over
from tests.test_fused import KINDS, built, normal

T, B, D, H = 6, 5, 3, 11
every_precision = pytest.mark.parametrize("precision", PRECISIONS)
PLAIN = Cell("lstm")


@pytest.fixture(autouse=True)
def _no_denormal_numbers(_denormal_numbers: None) -> None:
    torch.set_flush_denormal(True)


class Layer:
    """One layer on a tape, with first states of 0, and its room in a workspace of its own."""

    def __init__(self, cell: Cell, p: Parameters, tape: Any, steps: int = T, batch: int = B) -> None:
        self.cell, self.tape = cell, tape
        precision = str(tape.dtype)
        self.at = layer_of(cell, Shape(steps, batch, p.input.shape[1], len(p.bias) // len(cell.rows)), tape.itemsize)
        self.code = Code(cell, build(precision, cell).done.result())
        self.table = np.array(self.at)
        self.work = aligned(self.at.work_end, tape.dtype)
        matrix = self.view(self.at.weight, self.at.deep, self.at.wide)
        peephole = self.view(self.at.peephole, self.at.gates, self.at.size)
        own = self.view(self.at.own, cell.own_rows(self.at.units), self.at.size)
        pack(cell, sources(learned(p, cell), p.recurrent.shape[1]), matrix, peephole, own)
        self.rows[0] = 0
        first = self.view(self.at.states, batch, len(cell.row.real_states), self.at.size)
        for k, letter in enumerate(cell.row.real_states):
            first[:, k] = -np.inf if letter in cell.row.from_below else 0

    def view(self, start: int, *sizes: int) -> Any:
        return self.tape[start : start + int(np.prod(sizes))].reshape(sizes)

    @property
    def rows(self) -> Any:
        return self.view(self.at.rows, self.at.steps + 1, self.at.batch, self.at.stride)

    @property
    def hidden(self) -> Any:
        return self.rows[1:, :, : self.at.units]

    def forward(self, x: Any, strides: Sequence[int] = (B * D, D), seen: Any = None) -> None:
        told = (None, False) if seen is None else (address(seen), True)
        self.code.forward(*map(address, (self.code.spec, self.table, self.tape, x)), *strides, *told)

    def backward(self, dout: Any, dx: Any = None, norms: Any = None) -> Any:
        """From dL/dh (T, B, H) to the gradient of the matrix; dL/dx is added to `dx`."""
        _, batch, features, units = self.at[:4]
        self.work[self.at.dhidden : self.at.back] = 0
        outward = address(dout), batch * units, units
        inward = (0, 0, 0) if dx is None else (address(dx), batch * features, features)
        told = (None, False) if norms is None else (address(norms), True)
        places = map(address, (self.code.spec, self.table, self.tape, self.work))
        self.code.backward(*places, *outward, *inward, *told)
        return self.work[: self.at.deep * self.at.wide].reshape(self.at.deep, self.at.wide).copy()


def aligned(count: int, dtype: Any) -> Any:
    return torch.full((count,), torch.nan, dtype=getattr(torch, str(dtype))).numpy()


def one_layer(cell: Cell, p: Parameters, precision: str, **sizes: int) -> Layer:
    dtype = np.dtype(precision)
    shape = Shape(sizes.get("steps", T), sizes.get("batch", B), p.input.shape[1], len(p.bias) // len(cell.rows))
    return Layer(cell, p, aligned(layer_of(cell, shape, dtype.itemsize).tape_end, dtype), **sizes)


def parameters(cell: Cell, precision: str, features: int = D, units: int = H) -> Parameters:
    (layer,) = built(cell, features, units, dtype=getattr(torch, precision)).layer_list
    return layer.tensors().each(Tensor.detach)


def inputs(precision: str) -> Tensor:
    return normal(T, B, D, seed=8, dtype=getattr(torch, precision))


def reference(cell: Cell, p: Parameters, x: Tensor) -> Trace:
    units = len(p.bias) // len(cell.rows)
    return run(x, cell.start(x, units), p, cell, REFERENCE_ENGINE)


@every_precision
@over(KINDS)
def test_what_is_seen_are_sums_of_gates_and_the_largest_states(cell: Cell, precision: str) -> None:
    """Of real units alone, and added up with what was seen before."""
    p, x = parameters(cell, precision), inputs(precision)
    trace, layer, seen = reference(cell, p, x), one_layer(cell, p, precision), np.zeros(6)
    for _ in range(2):
        layer.forward(x.numpy(), seen=seen)
    expected = np.zeros(6)
    for gate in cell.learned_gates:
        expected[cell.rows.index(gate)] = 2 * float(trace.gates[gate].double().sum())
    expected[4] = float(trace.hidden.abs().max())
    expected[5] = 0 if trace.cell is None else float(trace.cell.abs().max())
    np.testing.assert_allclose(seen, expected, rtol={"float32": 1e-5, "float64": 1e-12}[precision])


@every_precision
def test_a_state_that_is_nan_is_seen_and_stays_seen(precision: str) -> None:
    p, x, seen = parameters(PLAIN, precision), inputs(precision), np.zeros(6)
    layer = one_layer(PLAIN, p, precision)
    for first in (np.nan, 1.0):
        x[0, 2, 0] = first
        layer.forward(x.numpy(), seen=seen)
    assert np.isnan(seen[4:]).all()


@every_precision
@over(KINDS)
def test_two_layers_on_one_tape_are_as_in_the_reference(cell: Cell, precision: str) -> None:
    """The upper one reads where the lower one has put its states, and adds to the gradient of these."""
    lower, upper = parameters(cell, precision), parameters(cell, precision, H)
    for tensor in (*lower.arrays, *upper.arrays):
        if tensor is not None:
            tensor.requires_grad_()
    x = inputs(precision).requires_grad_()
    below = reference(cell, lower, x)
    above = reference(cell, upper, below.hidden)
    gradients = [normal(T, B, H, seed=seed, dtype=x.dtype) for seed in (5, 6)]
    torch.autograd.backward([above.hidden, below.hidden], gradients)

    middle = one_layer(cell, lower, precision).at.tape_end
    room = middle + one_layer(cell, upper, precision).at.tape_end
    tape = aligned(room, np.dtype(precision))
    first, second = Layer(cell, lower, tape[:middle]), Layer(cell, upper, tape[middle:])
    first.forward(x.detach().numpy())
    stride = first.at.stride
    second.forward(tape[first.at.rows + B * stride :], (B * stride, stride))
    tolerance = {"float32": 1e-4, "float64": 1e-10}[precision]
    np.testing.assert_allclose(second.hidden, above.hidden.detach(), rtol=0, atol=tolerance)

    between, dx = gradients[1].numpy().copy(), np.ones((T, B, D), precision)
    second.backward(gradients[0].numpy(), between)
    first.backward(between, dx)
    assert x.grad is not None
    np.testing.assert_allclose(dx, 1 + x.grad, rtol=0, atol=tolerance * float(x.grad.abs().max()))


@every_precision
@over(KINDS)
def test_gradients_are_the_same_with_norms_and_without(cell: Cell, precision: str) -> None:
    layer, dout = (
        one_layer(cell, parameters(cell, precision), precision),
        normal(T, B, H, seed=5).numpy().astype(precision),
    )
    layer.forward(inputs(precision).numpy())
    without, norms = layer.backward(dout), np.full(2 * T, -1.0)
    np.testing.assert_array_equal(layer.backward(dout, norms=norms), without)
    assert (norms[:T] > 0).all()
    assert ((norms[T:] > 0) == (len(cell.row.states) > 1)).all()


@every_precision
def test_a_gradient_whose_squares_underflow_has_a_norm(precision: str) -> None:
    tiny = {"float32": 1e-30, "float64": 1e-140}[precision]
    layer, norms = one_layer(PLAIN, parameters(PLAIN, precision), precision), np.zeros(2 * T)
    layer.forward(inputs(precision).numpy())
    layer.backward(np.full((T, B, H), tiny, precision), norms=norms)
    assert norms[T - 1] == pytest.approx(tiny * np.sqrt(B * H), rel=1e-5)


def both(cell: Cell, p: Parameters, x: Tensor, precision: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Hidden states, norms and the gradient of x, by a layer and by the reference."""
    leaf = x.clone().requires_grad_()
    trace = reference(cell, p, leaf)
    trace.retain_gradients()
    gradient = normal(*trace.hidden.shape, seed=5, dtype=x.dtype)
    trace.hidden.backward(gradient)
    assert leaf.grad is not None
    expected = {"hidden": trace.hidden.detach().numpy(), "dx": leaf.grad.numpy()}
    expected["norms"] = torch.cat(trace.gradient_norms()).numpy()
    layer, dx, norms = one_layer(cell, p, precision), np.zeros(x.shape, precision), np.zeros(2 * T)
    layer.forward(x.numpy())
    layer.backward(gradient.numpy(), dx, norms)
    return {"hidden": layer.hidden, "dx": dx, "norms": norms[: len(expected["norms"])]}, expected


@every_precision
@pytest.mark.parametrize("bias", [-200.0, 200.0])
@pytest.mark.parametrize("gate", "ifo")
def test_a_gate_that_is_shut_or_open_to_the_last_digit_is_as_in_the_reference(
    gate: str, bias: float, precision: str
) -> None:
    p, place = parameters(PLAIN, precision), PLAIN.rows.index(gate) * H
    p.bias[place : place + H] = bias * {"float32": 1, "float64": 10}[precision]
    actual, expected = both(PLAIN, p, inputs(precision), precision)
    for name in expected:
        assert np.isfinite(expected[name]).all()
        tolerance = {"float32": 1e-4, "float64": 1e-10}[precision] * float(np.abs(expected[name]).max())
        np.testing.assert_allclose(actual[name], expected[name], rtol=0, atol=tolerance, err_msg=name)


@every_precision
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@over([cell for cell in KINDS if cell.family != "gru"])
def test_one_infinite_input_reaches_what_it_reaches_in_the_reference(cell: Cell, value: float, precision: str) -> None:
    """No other row of the batch. In a GRU infinity is nan, of zeros that it meets in the block of what comes from h."""
    p, x = parameters(cell, precision), inputs(precision)
    x[2, 1, 0] = value
    actual, expected = both(cell, p, x, precision)
    for name in ("hidden", "dx"):
        np.testing.assert_array_equal(np.isnan(actual[name]), np.isnan(expected[name]), name)
    assert np.isfinite(actual["dx"][:, 2:]).all()


@every_precision
def test_a_unit_at_infinity_leaves_those_finite_that_it_shuts(precision: str) -> None:
    """What fills the vectors up beside a few units, 0 times infinity, is seen by none of them."""
    cell = Cell("rnn", "relu")
    p = parameters(cell, precision)
    p.recurrent.zero_()
    p.recurrent[:, 0], p.recurrent[0, 0] = -1, float(np.finfo(precision).max) / 2
    p.input[0], p.bias[0] = 0, 10
    actual, expected = both(cell, p, inputs(precision), precision)
    assert np.isinf(expected["hidden"][-1]).sum() == B
    for name in expected:
        np.testing.assert_array_equal(np.isnan(actual[name]), np.isnan(expected[name]), name)
        np.testing.assert_array_equal(np.isinf(actual[name]), np.isinf(expected[name]), name)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (3, 2, 5, 16), (7, 5, 3, 33)], ids=str)
@over([*KINDS, Cell("lstm", gates=""), Cell("lstm", gates="fo", peephole=True)])
def test_places_begin_where_vectors_do_and_have_room_for_what_stands_there(
    cell: Cell, sizes: tuple[int, ...], precision: str
) -> None:
    each = np.dtype(precision).itemsize
    at, count = layer_of(cell, Shape(*sizes), each), 64 // each
    start = Places._fields.index
    tape, work = at[start("weight") : start("tape_end") + 1], at[start("dweight") :]
    assert {place % count for place in (*tape, *work)} == {0}
    steps, batch, features, units = sizes
    assert units <= at.size < units + count
    skipped = 0 if cell.row.recurrent else units
    assert at.deep == cell.window * units - skipped + features + 1 <= at.stride - skipped
    assert at.stride >= max(at.size, units + (cell.window - 1) * units)
    further, own = len(cell.row.real_states), cell.own_rows(units) * at.size
    cells = (steps + 1) * batch * further * at.size
    gates = len(cell.learned_gates) if cell.peephole else 0
    rows, kept = (steps + 1) * batch * at.stride, steps * batch * at.apart
    of_tape = at.deep * at.wide, gates * at.size, own, own, rows, kept, cells
    backward = at.wide * at.stride, batch * at.wide, batch * at.size, batch * at.size
    of_work = at.deep * at.wide, gates * at.size, own, batch * cell.window * units, batch * further * at.size, *backward
    for places, needed in ((tape, (*of_tape, batch * at.wide)), (work, of_work)):
        room = np.diff(places)
        assert (room >= needed).all()
        assert (room < np.array(needed) + 2 * count).all()


def test_every_family_with_a_kernel_is_computed() -> None:
    assert {resolve(FUSED, cell=Cell(name)) for name in KERNELS} == {FUSED}
