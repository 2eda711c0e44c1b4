"""Does every cell compute its equations, and do the bounds that follow from them hold?"""

import math
from collections.abc import Callable
from functools import partial
from itertools import combinations
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, jacrev

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import FAMILIES, FORGET_ACTIVATIONS, LAYOUTS, Cell, Trace
from lstm_core.layers import Layer, Stack
from lstm_core.model import GRU, LSTM, RNN
from tests.written_out import WRITTEN_OUT, parts

T, B, D, H = 5, 3, 4, 2
assert_same = partial(torch.testing.assert_close, rtol=1e-14, atol=1e-12)

GATE_SETS = ["".join(gates) for number in range(4) for gates in combinations("ifo", number)]
LSTMS = [Cell("lstm", gates=gates, peephole=peephole) for gates in GATE_SETS for peephole in (False, True)] + [
    Cell("lstm", gates=gates, coupled=True, peephole=peephole) for gates in ("if", "ifo") for peephole in (False, True)
]
SLSTMS = [
    Cell("slstm", forget_activation=forget, stabilised=stabilised)
    for forget in FORGET_ACTIVATIONS
    for stabilised in (True, False)
]
# With layer normalisation, and with states of which some are kept by chance.
STEADIED = [
    Cell("lstm", layer_norm=True),
    Cell("lstm", zoneout_h=0.05, zoneout_c=0.5),
    Cell("lstm", zoneout_c=0.3, peephole=True, gates="fo"),
    Cell("lstm", zoneout_h=0.2, layer_norm=True, coupled=True, peephole=True, activation="softsign"),
    Cell("lstm", zoneout_c=0.1, layer_norm=True, gates="io", output_activation="sigmoid"),
]
CELLS = [Cell("rnn"), Cell("gru"), *LSTMS, *STEADIED, Cell("mingru"), Cell("minlstm"), *SLSTMS]
ACTIVATED = [Cell(row.name, activation=name) for row in FAMILIES.values() if row.activated for name in ACTIVATIONS] + [
    Cell("lstm", output_activation=name) for name in ACTIVATIONS
]
ALL = list(dict.fromkeys(CELLS + ACTIVATED + [Cell(family) for family in FAMILIES]))

TORCH_MODULES = {
    "rnn-tanh": (RNN, partial(nn.RNN, nonlinearity="tanh")),
    "rnn-relu": (RNN, partial(nn.RNN, nonlinearity="relu")),
    "lstm": (LSTM, nn.LSTM),
    "gru": (GRU, nn.GRU),
}
NAMES = {"weight_hh": "weight_h", "weight_ih": "weight_x", "bias_ih": "bias", "bias_hh": "bias_h"}


def described(cell: Cell) -> str:
    extras = [word for word in ("coupled", "peephole", "layer_norm") if getattr(cell, word)]
    extras += [f"{word} {getattr(cell, word)}" for word in ("zoneout_h", "zoneout_c") if getattr(cell, word)]
    if cell.window > 1:
        extras.append(f"window {cell.window}")
    if cell.family == "lstm":
        extras.insert(0, cell.gates or "gateless")
    if cell.family == "slstm":
        extras += [cell.forget_activation, "stabilised" if cell.stabilised else "unstabilised"]
    return "-".join([cell.family, cell.activation, cell.output_activation or "same", *extras])


def over(cells: list[Cell]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("cell", cells, ids=described)


def normal(*shape: int, seed: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def built(cell: Cell, weights: str = "separate", biases: int = 1, gain: float = 1.0) -> Stack:
    """One layer with random weights and biases, the same for every layout."""
    generator = Generator().manual_seed(0)
    options: dict[str, Any] = {"weights": weights, "biases": biases, "gain": gain, "engine": "reference"}
    stack = Stack(cell, D, H, generator=generator, **options).double()
    for seed, (name, parameter) in enumerate(stack.named_parameters()):
        if ".own." in name:
            parameter.data += normal(*parameter.shape, seed=seed, scale=0.3)
    return stack


def only_layer(stack: Stack) -> Layer:
    (layer,) = stack.layer_list
    return layer


def initial(cell: Cell, layers: int = 1) -> list[Tensor]:
    """Random initial states (L, B, H); the sum that an sLSTM divides by is positive."""
    drawn = [torch.complex(*normal(2, layers, B, H, seed=seed)) for seed in range(len(cell.row.states))]
    kinds = cell.kinds(torch.float64)
    states = [one if kind.is_complex else one.real.clone() for one, kind in zip(drawn, kinds, strict=True)]
    return [
        state.abs() + 0.1 if letter == "n" else state for letter, state in zip(cell.row.states, states, strict=True)
    ]


def gradients(outputs: list[Tensor], sources: dict[str, Tensor]) -> dict[str, Tensor]:
    """The gradient of a random weighted sum of all outputs with respect to each source."""
    total = sum((output * normal(*output.shape, seed=seed)).sum() for seed, output in enumerate(outputs))
    assert isinstance(total, Tensor)
    values = torch.autograd.grad(total, list(sources.values()), materialize_grads=True)
    return dict(zip(sources, values, strict=True))


def run(stack: Stack) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Outputs and final states; and the gradients of weights, input and initial states."""
    x, states = normal(T, B, D, seed=9), initial(stack.cell)
    sources = dict(stack.named_parameters()) | {"x": x} | {f"state{k}": state for k, state in enumerate(states)}
    for tensor in (x, *states):
        tensor.requires_grad_()
    output, final, _ = stack(x, tuple(states))
    return [output, *final], gradients([output, *final], sources)


@torch.no_grad()
def long_run(cell: Cell, steps: int = 200) -> Trace:
    """From zero states, under large weights and inputs."""
    (trace,) = built(cell, gain=5)(normal(steps, B, D, seed=1, scale=10))[2]
    return trace


def cell_states(trace: Trace) -> Tensor:
    assert trace.cell is not None
    return trace.cell


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("ours", "torchs"), TORCH_MODULES.values(), ids=TORCH_MODULES.keys())
def test_outputs_states_and_gradients_are_those_of_torch(
    ours: Any, torchs: Callable[..., nn.RNNBase], layers: int
) -> None:
    oracle = torchs(D, H, layers).double()
    for seed, parameter in enumerate(oracle.parameters()):
        nn.init.normal_(parameter, generator=Generator().manual_seed(seed))
    module = ours.from_torch(oracle)
    own = dict(module.stack.named_parameters())
    weights = {f"{name}_l{k}": own[f"layers.{k}.{NAMES[name]}"] for name in NAMES for k in range(layers)}

    def results(network: nn.Module, weights: dict[str, Tensor]) -> list[Tensor]:
        x, (h, *c) = normal(T, B, D, seed=9), initial(module.stack.cell, layers)
        for tensor in (x, h, *c):
            tensor.requires_grad_()
        output, final = network(x, (h, *c) if c else h)
        outputs = [output, *(final if c else [final])]
        sources = {name: weights[name] for name in sorted(weights)} | dict(zip("xhc", (x, h, *c), strict=False))
        return [*outputs, *gradients(outputs, sources).values()]

    expected = results(oracle, dict(oracle.named_parameters()))
    torch.testing.assert_close(results(module, weights), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("weights", LAYOUTS)
@over(ALL)
def test_gradients_are_finite_differences(cell: Cell, weights: str) -> None:
    stack = built(cell, weights, biases=2)
    names = [name for name, parameter in stack.named_parameters() if parameter.numel()]
    parameters = [stack.get_parameter(name) for name in names]

    def outputs(x: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        states, values = tensors[: -len(names)], tensors[-len(names) :]
        output, final, _ = functional_call(stack, dict(zip(names, values, strict=True)), (x, states))
        return output, *final

    inputs = [tensor.requires_grad_() for tensor in (normal(T, B, D, seed=9), *initial(cell))]
    assert torch.autograd.gradcheck(outputs, (*inputs, *parameters), fast_mode=True)


@over(ALL)
def test_every_cell_is_its_equations_written_out(cell: Cell) -> None:
    stack, x, states = built(cell), normal(T, B, D, seed=9), initial(cell)
    output, final, _ = stack(x, tuple(states))
    expected = WRITTEN_OUT[cell.family](cell, only_layer(stack), x, *(state[0] for state in states))
    assert_same([output, *(state[0] for state in final)], expected)


@pytest.mark.parametrize("biases", [1, 2])
@over(CELLS)
def test_both_layouts_are_the_same_function_with_the_same_gradients(cell: Cell, biases: int) -> None:
    def joined(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        rest = dict(tensors)
        matrices = [rest.pop(f"layers.0.weight_{kind}", None) for kind in "hx"]
        weight = torch.cat([matrix for matrix in matrices if matrix is not None], 1)
        return rest | {"layers.0.weight": weight}

    apart, joint = built(cell, "separate", biases), built(cell, "concatenated", biases)
    joint.load_state_dict(joined(apart.state_dict()))
    outputs, slopes = run(apart)
    assert_same(run(joint), (outputs, joined(slopes)))


def one_bias_and_two(family: str, weights: str) -> tuple[Stack, Stack]:
    """The same weights; one bias that is the sum of the other's two."""
    one, two = built(Cell(family), weights, 1), built(Cell(family), weights, 2)
    state = two.state_dict()
    state["layers.0.bias"] = state["layers.0.bias"] + state.pop("layers.0.bias_h")
    one.load_state_dict(state)
    return one, two


@pytest.mark.parametrize("family", ["rnn", "lstm"])
@pytest.mark.parametrize("weights", LAYOUTS)
def test_two_biases_give_the_outputs_of_one_bias_with_their_sum(family: str, weights: str) -> None:
    one, two = one_bias_and_two(family, weights)
    assert_same(run(one)[0], run(two)[0])


@pytest.mark.parametrize("family", ["rnn", "lstm"])
@pytest.mark.parametrize("weights", LAYOUTS)
def test_each_of_two_biases_gets_the_whole_gradient_of_one(family: str, weights: str) -> None:
    """So the sum of two moves twice as fast."""
    one, two = (run(stack)[1] for stack in one_bias_and_two(family, weights))
    for name in ("bias", "bias_h"):
        assert_same(two[f"layers.0.{name}"], one["layers.0.bias"])


@pytest.mark.parametrize("weights", LAYOUTS)
@pytest.mark.parametrize("gates", GATE_SETS)
def test_each_removed_gate_saves_its_rows(gates: str, weights: str) -> None:
    def size(gates: str) -> int:
        return sum(parameter.numel() for parameter in built(Cell("lstm", gates=gates), weights).parameters())

    assert size("ifo") == 4 * (H * (H + D) + H)
    assert size("ifo") - size(gates) == (3 - len(gates)) * (H * (H + D) + H)


@pytest.mark.parametrize("gates", GATE_SETS)
def test_a_removed_gate_is_a_gate_held_open(gates: str) -> None:
    small, full = built(Cell("lstm", gates=gates)), built(Cell("lstm"))
    rows = [row for row in "ifgo" if row == "g" or row in gates]
    wide, narrow = full.state_dict(), small.state_dict()
    for name, value in wide.items():
        opened = torch.full((H, *value.shape[1:]), 50.0 if name.endswith("bias") else 0.0, dtype=torch.float64)
        wide[name] = torch.cat([parts(narrow[name], rows).get(row, opened) for row in "ifgo"])
    full.load_state_dict(wide)
    assert_same(run(full)[0], run(small)[0])


@over([cell for cell in LSTMS if cell.coupled])
def test_coupled_gates_keep_the_cell_state_within_1(cell: Cell) -> None:
    assert float(cell_states(long_run(cell)).abs().max()) <= 1 + 1e-12


def test_coupled_gates_add_up_to_1() -> None:
    (trace,) = built(Cell("lstm", coupled=True))(normal(T, B, D, seed=9))[2]
    i, f = trace.gates["i"], trace.gates["f"]
    assert_same(i + f, torch.ones_like(i))


@pytest.mark.parametrize("gates", [gates for gates in GATE_SETS if "f" not in gates])
def test_without_a_forget_gate_the_cell_state_moves_by_at_most_1_a_step(gates: str) -> None:
    states = cell_states(long_run(Cell("lstm", gates=gates)))
    assert float(states.diff(dim=0).abs().max()) <= 1 + 1e-12
    assert float(states.abs().max()) > 2


def test_the_hidden_state_of_a_gru_stays_within_1() -> None:
    assert float(long_run(Cell("gru")).hidden.abs().max()) <= 1 + 1e-12


@pytest.mark.parametrize("gates", [gates for gates in GATE_SETS if "f" not in gates])
def test_without_a_forget_gate_and_recurrent_weights_the_cell_state_is_a_highway(gates: str) -> None:
    """dc_T/dc_0 is the identity exactly; with recurrent weights it is not, if anything reads the hidden state."""
    stack = built(Cell("lstm", gates=gates))
    h, c = torch.zeros(1, 1, H, dtype=torch.float64), normal(1, 1, H, seed=1)
    x = normal(T, 1, D, seed=9)

    def jacobian() -> Tensor:
        def last(c: Tensor) -> Tensor:
            state: Tensor = stack(x, (h, c))[1][1]
            return state.flatten()

        slopes: Tensor = jacrev(last)(c)
        return slopes.view(H, H)

    assert not torch.allclose(jacobian(), torch.eye(H).double())
    nn.init.zeros_(only_layer(stack).weight_h)
    assert torch.equal(jacobian(), torch.eye(H).double())


@pytest.mark.parametrize(
    ("forget_bias", "steps"), [(0.0, 2.0), (1.0, 3.7), (2.0, 8.4), (3.0, 21.0), (math.log(99), 100.0)]
)
def test_the_memory_lasts_1_plus_e_to_the_forget_bias_steps(forget_bias: float, steps: float) -> None:
    stack = Stack(Cell("lstm"), D, H, forget_bias=forget_bias, init="identity", gain=0).double()
    x, zero, one = torch.zeros(1, B, D).double(), torch.zeros(1, B, H).double(), torch.ones(1, B, H).double()
    kept = stack(x, (zero, one))[1][1]
    torch.testing.assert_close(1 / (1 - kept), steps * one, rtol=0.01, atol=0)


def test_gradient_norms_are_those_of_a_linear_network() -> None:
    """dL/dh_t = (W_h^T)^(T-t) v for L = v . h_T, with norms far below the smallest square of float32."""
    stack = Stack(Cell("rnn", "identity"), D, H, init="orthogonal", gain=1e-6, generator=Generator().manual_seed(0))
    (trace,) = stack(torch.ones(T, 1, D))[2]
    trace.retain_gradients()
    trace.hidden[-1].sum().backward()
    expected = [math.sqrt(H) * 1e-6 ** (T - t) for t in range(1, T + 1)]
    assert trace.gradient_norms()[0].tolist() == pytest.approx(expected, rel=1e-4, abs=0)


def test_states_that_the_loss_does_not_reach_have_gradient_norm_0() -> None:
    (trace,) = built(Cell("rnn"))(normal(T, B, D, seed=9))[2]
    trace.retain_gradients()
    trace.hidden[0].sum().backward()
    assert trace.gradient_norms()[0][1:].tolist() == [0.0] * (T - 1)
