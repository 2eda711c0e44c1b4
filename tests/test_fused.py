"""Does the fused engine compute what the reference computes, value for value and gradient for gradient?"""

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
import torch
from torch import Generator, Tensor

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import LAYOUTS, OPTIONS, Cell, Trace
from lstm_core.engine import FUSED, REFERENCE_ENGINE, resolve, run
from lstm_core.experiment import Experiment
from lstm_core.kernels.autograd import FusedTrace
from lstm_core.kernels.pieces import KERNELS, without_kernel
from lstm_core.layers import Stack
from lstm_core.training.snapshot import Snapshot
from lstm_core.training.train import train
from tests.test_cells import ALL, described, over

T, B, D, H = 7, 5, 3, 6
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}
PEEPHOLES = Cell("lstm", coupled=True, peephole=True)
WINDOW = Cell("rnn", window=3)
WITH_KERNELS = [cell for cell in ALL if not without_kernel(cell)]
EXPONENTIAL = Cell("slstm", forget_activation="exponential")
KINDS = [*map(Cell, KERNELS), Cell("lstm", peephole=True), PEEPHOLES, WINDOW, EXPONENTIAL]
WINDOWS = [Cell("rnn", name, window=window) for name in ACTIVATIONS for window in range(2, 6)]
every_precision = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)

Named = dict[str, Tensor]
Incoming = Callable[[str, Tensor], Tensor | None]


@pytest.fixture(autouse=True)
def _no_denormal_numbers(_denormal_numbers: None) -> None:
    """As in training; with them, the engines round differently."""
    torch.set_flush_denormal(True)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    drawn = torch.complex128 if dtype.is_complex else torch.float64
    return torch.randn(shape, generator=Generator().manual_seed(seed), dtype=drawn).to(dtype)


def built(
    cell: Cell, *sizes: int, dtype: torch.dtype = torch.float64, layout: str = "separate", biases: int = 1
) -> Stack:
    """Sizes: D, H, layers."""
    generator = Generator().manual_seed(2)
    return Stack(cell, *(sizes or (D, H)), weights=layout, biases=biases, generator=generator).to(dtype)


def enlarged(stack: Stack, factor: float) -> Stack:
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.mul_(factor)
    return stack


def first_states(cell: Cell, batch: int = B, size: int = H, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """The sum that an sLSTM divides by is positive, the others are whatever they are."""
    kinds = enumerate(zip(cell.row.states, cell.kinds(dtype), strict=True))
    states = {letter: normal(batch, size, seed=2 + k, dtype=kind) for k, (letter, kind) in kinds}
    return [state.abs() + 0.1 if letter == "n" else state for letter, state in states.items()]


def run_layer(engine: str, stack: Stack, x: Tensor, states: list[Tensor]) -> Trace:
    (layer,) = stack.layer_list
    return run(x, tuple(states), layer.tensors(), stack.cell, engine)


def named_outputs(trace: Trace) -> Named:
    return {"hidden": trace.hidden} | {f"final {k}": state for k, state in enumerate(trace.final)}


def incoming_gradient(name: str, output: Tensor) -> Tensor:
    """One of its own for every output."""
    return normal(*output.shape, seed=sum(map(ord, name)), dtype=output.dtype)


def results(
    engine: str, stack: Stack, x: Tensor, states: list[Tensor], incoming: Incoming = incoming_gradient
) -> Named:
    """All that one layer tells: values, norms, and the gradient of each of its sources."""
    stack.zero_grad()
    x, *states = (tensor.detach().requires_grad_() for tensor in (x, *states))
    trace = run_layer(engine, stack, x, states)
    assert isinstance(trace, FusedTrace) == (engine == FUSED)
    trace.retain_gradients()
    outputs = named_outputs(trace)
    gradients = {name: incoming(name, output) for name, output in outputs.items()}
    # Without the stabiliser, m is a constant.
    reached = [name for name, output in outputs.items() if gradients[name] is not None and output.requires_grad]
    torch.autograd.backward([outputs[name] for name in reached], [gradients[name] for name in reached])
    computed = outputs | trace.gates | {f"norms {k}": norms for k, norms in enumerate(trace.gradient_norms())}
    if trace.cell is not None:
        computed["cell"] = trace.cell
    sources = dict(stack.named_parameters()) | {"x": x} | {f"first {k}": state for k, state in enumerate(states)}
    for name, source in sources.items():
        computed[f"gradient of {name}"] = torch.zeros_like(source) if source.grad is None else source.grad.clone()
    return {name: tensor.detach() for name, tensor in computed.items()}


def both(stack: Stack, x: Tensor, states: list[Tensor], incoming: Incoming = incoming_gradient) -> tuple[Named, Named]:
    """What the fused engine tells, and what the reference tells."""
    return results(FUSED, stack, x, states, incoming), results(REFERENCE_ENGINE, stack, x, states, incoming)


def assert_equal(actual: Named, expected: Named, tolerance: float, least: float = 0.0) -> None:
    """Relative to the largest number of each tensor, or to `least` if that is larger."""
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        assert actual[name].shape == tensor.shape, name
        assert actual[name].dtype == tensor.dtype, name
        if tensor.numel():
            wide = torch.promote_types(tensor.dtype, torch.float64)
            difference = float((actual[name].to(wide) - tensor.to(wide)).abs().max())
            assert difference <= tolerance * max(float(tensor.abs().max()), least), name


def assert_engines_agree(stack: Stack, x: Tensor, states: list[Tensor], incoming: Incoming = incoming_gradient) -> None:
    actual, expected = both(stack, x, states, incoming)
    assert all(bool(tensor.isfinite().all()) for tensor in expected.values())
    assert_equal(actual, expected, TOLERANCE[x.dtype])


@every_precision
@over(WITH_KERNELS + WINDOWS)
def test_everything_is_as_in_the_reference(cell: Cell, dtype: torch.dtype) -> None:
    """
    Values, gates, states, norms and every gradient, in both layouts, with one bias and two, at random sizes; with a
    window also from several first states.
    """
    sizes = random.Random(described(cell))
    for layout, biases in product(LAYOUTS, (1, 2)):
        steps, batch, features, size = (sizes.randint(1, most) for most in (60, 9, 7, 33))
        stack = built(cell, features, size, dtype=dtype, layout=layout, biases=biases)
        states = first_states(cell, batch, sizes.randint(1, cell.window) * size, dtype)
        assert_engines_agree(stack, normal(steps, batch, features, dtype=dtype), states)


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (100, 1, 1, 1), (3, 40, 2, 150), (2, 300, 30, 70)], ids=str)
@over(KINDS)
def test_single_units_and_large_layers_are_as_in_the_reference(cell: Cell, sizes: tuple[int, ...]) -> None:
    """Large enough for products in several blocks, and for one gradient product a step."""
    steps, batch, features, size = sizes
    stack = built(cell, features, size)
    assert_engines_agree(stack, normal(steps, batch, features), first_states(cell, batch, size))


@pytest.mark.parametrize("way", [("hidden",), ("final 0",), ("final 1",), ("final 0", "final 1")], ids="-".join)
@over(KINDS)
def test_a_gradient_may_enter_through_some_outputs_alone(cell: Cell, way: tuple[str, ...]) -> None:
    if "final 1" in way and len(cell.row.states) == 1:
        pytest.skip("one state only")

    def incoming(name: str, output: Tensor) -> Tensor | None:
        return incoming_gradient(name, output) if name in way else None

    assert_engines_agree(built(cell), normal(T, B, D), first_states(cell), incoming)


@over([cell for cell in WITH_KERNELS + WINDOWS if cell.stabilised])
def test_saturated_cells_are_as_in_the_reference(cell: Cell) -> None:
    """
    A slope like 1 - y y has hardly a digit left where y is almost 1. Where a cell state may lie within rounding of a
    kink of hardtanh, which has two slopes, only saturation that is exact can be compared.
    """
    scale = 1e6 if "hardtanh" in (cell.activation, cell.output_activation) else 1e3
    actual, expected = both(built(cell), scale * normal(T, B, D), first_states(cell))
    assert_equal(actual, expected, TOLERANCE[torch.float64], least=1e-6)


@every_precision
@over([cell for cell in KINDS if not cell.own])
def test_values_saturated_by_large_weights_are_as_in_the_reference(cell: Cell, dtype: torch.dtype) -> None:
    """As far as sums of some thousands have digits behind the point."""
    stack, x = enlarged(built(cell, dtype=dtype), 1e3), normal(T, B, D, dtype=dtype)
    actual, expected = (
        {name: tensor for name, tensor in one.items() if not name.startswith(("gradient", "norms"))}
        for one in both(stack, x, first_states(cell, dtype=dtype))
    )
    # A GRU in single precision was 1.9e-4 off.
    farther = cell.family == "gru" and dtype == torch.float32
    assert_equal(actual, expected, (10 if farther else 1) * TOLERANCE[dtype])


EXPLODING = [
    Cell("rnn", "identity"),
    Cell("rnn", "relu"),
    Cell("rnn", "identity", window=2),
    Cell("lstm", "identity", gates="io"),
    Cell("lstm", "identity", gates=""),
    Cell("lstm", "relu"),
    Cell("lstm", "relu", gates="i"),
    Cell("gru", "identity"),
]


@pytest.mark.parametrize("gain", [30.0, 1e3, 1e5])
@over(EXPLODING)
def test_an_explosion_is_as_in_the_reference_until_it_reaches_infinity_at_the_same_time(
    cell: Cell, gain: float
) -> None:
    """Give or take a step, since a sum that overflows depends on its order; then whatever explodes there does here."""
    stack, x = enlarged(built(cell, dtype=torch.float32), gain), normal(40, B, D, dtype=torch.float32)
    actual, expected = both(stack, x, first_states(cell, dtype=torch.float32))
    end, expected_end = (int(one["hidden"].isfinite().all(2).all(1).sum()) for one in (actual, expected))
    assert abs(end - expected_end) <= 1
    assert 2 < expected_end < 39
    sequences = [name for name in expected if name in ("hidden", "cell", *cell.learned_gates)]
    before = slice(min(end, expected_end) - 1)
    assert_equal({k: actual[k][before] for k in sequences}, {k: expected[k][before] for k in sequences}, 1e-2)
    for name in expected.keys() - sequences:
        assert bool(actual[name].isfinite().all()) == bool(expected[name].isfinite().all()), name


@pytest.mark.parametrize(("dtype", "steps"), [(torch.float32, 100), (torch.float64, 700)])
def test_without_the_stabiliser_numbers_overflow_at_the_same_time_as_in_the_reference(
    dtype: torch.dtype, steps: int
) -> None:
    """In every sequence, give or take a step; up to then they are the same."""
    stack = built(Cell("slstm", forget_activation="exponential", stabilised=False), dtype=dtype)
    x, states = normal(steps, 64, D, dtype=dtype), first_states(stack.cell, 64, dtype=dtype)
    ways = [run_layer(engine, stack, x, states).hidden.detach() for engine in (FUSED, REFERENCE_ENGINE)]
    ends = [hidden.isfinite().all(2).sum(0) for hidden in ways]
    assert 2 < int(ends[1].min()) < steps
    assert int((ends[0] - ends[1]).abs().max()) <= 1
    sound = int(torch.stack(ends).min()) - 1
    assert_equal({"": ways[0][:sound]}, {"": ways[1][:sound]}, TOLERANCE[dtype])


@every_precision
@pytest.mark.parametrize("layout", LAYOUTS)
@over(KINDS)
def test_two_layers_are_as_in_the_reference(cell: Cell, layout: str, dtype: torch.dtype) -> None:
    def results(engine: str) -> Named:
        stack = built(cell, D, H, 2, dtype=dtype, layout=layout)
        stack.engine = engine
        x = normal(T, B, D, dtype=dtype).requires_grad_()
        states = tuple(state.expand(2, B, H) for state in first_states(cell, dtype=dtype))
        output, final, traces = stack(x, states)
        for trace in traces:
            trace.retain_gradients()
        outputs = [output, *final]
        torch.autograd.backward(outputs, [incoming_gradient("", tensor) for tensor in outputs])
        sources = dict(stack.named_parameters()) | {"x": x}
        norms = {f"norms {k} {n}": v for k, trace in enumerate(traces) for n, v in enumerate(trace.gradient_norms())}
        gradients = {name: source.grad for name, source in sources.items() if source.grad is not None}
        assert gradients.keys() == sources.keys()
        return norms | gradients | {f"output {k}": tensor.detach() for k, tensor in enumerate(outputs)}

    assert_equal(results(FUSED), results(REFERENCE_ENGINE), TOLERANCE[dtype])


@over([*map(Cell, KERNELS), PEEPHOLES, EXPONENTIAL, *(Cell("rnn", window=window) for window in range(2, 6))])
def test_a_training_is_as_with_the_reference(cell: Cell) -> None:
    def snapshots(engine: str) -> list[Snapshot]:
        experiment = Experiment(length=20, hidden=8, batch=8, steps=50, precision="float64", engine=engine)
        flags = {name: getattr(cell, name) for name in OPTIONS}
        return list(train(replace(experiment, cell=cell.family, **flags)))

    pairs = list(zip(snapshots(FUSED), snapshots(REFERENCE_ENGINE), strict=True))
    assert len(pairs) == 50
    for fused, reference in pairs:
        assert (fused.engine, reference.engine) == (FUSED, REFERENCE_ENGINE)
        for name in ("loss", "grad_norm", "hidden_grad_norms", "openness", "gate_grad_norms"):
            assert getattr(fused, name) == pytest.approx(getattr(reference, name), rel=1e-6, abs=0), name


@pytest.mark.parametrize(
    ("dtype", "device"), [(torch.bfloat16, "cpu"), (torch.float16, "cpu"), (torch.float32, "cuda")]
)
def test_fused_is_refused_where_there_are_no_kernels(dtype: torch.dtype, device: str) -> None:
    with pytest.raises(ValueError, match="'fused' computes float32 or float64 on the CPU"):
        resolve(FUSED, dtype, device)
    assert resolve("auto", dtype, device) == REFERENCE_ENGINE
