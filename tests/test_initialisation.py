"""Does every network start from the weights that its settings promise?"""

import math
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from lstm_core.cells import FAMILIES, LAYOUTS, Cell
from lstm_core.experiment import Experiment
from lstm_core.initialisation import INITS, Chrono
from lstm_core.layers import Stack
from lstm_core.model import GRU, LSTM, RNN
from lstm_core.network import Network
from lstm_core.streams import Purpose, stream

D, H = 2, 64
MODULES: dict[str, Any] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
BLOCKS = {"rnn": "h", "lstm": "ifgo", "gru": "rzn"}

every_family = pytest.mark.parametrize("family", FAMILIES)
# Those whose first W_h is drawn as `INITS` say.
drawn_families = pytest.mark.parametrize(
    "family", [name for name, row in FAMILIES.items() if row.recurrent and row.free and not row.starts]
)
every_layout = pytest.mark.parametrize("weights", LAYOUTS)
every_init = pytest.mark.parametrize("init", INITS)
both_biases = pytest.mark.parametrize("biases", [1, 2])

Options = dict[str, Any]


def seeded() -> Generator:
    return Generator().manual_seed(0)


def built(family: str, *layers: int, **options: Any) -> Stack:
    """Of its module, where the family has one."""
    if family in MODULES:
        return MODULES[family](D, H, *layers, **options).stack
    return Stack(Cell(family), D, H, *layers, **options)


def lstm(*layers: int, **options: Any) -> Stack:
    return built("lstm", *layers, generator=seeded(), **options)


def blocks(stack: Stack, index: int = 0) -> dict[str, dict[str, Tensor]]:
    """The weights of one layer by block (i, f, g, o, ...) and kind (h, x, bias, bias_h), whatever the layout."""
    layer = stack.layer_list[index]
    tensors = {name: parameter.detach() for name, parameter in layer.named_parameters() if name != "peephole"}
    if "weight" in tensors:
        of_h, tensors["weight_x"] = tensors.pop("weight").split([layer.recurrent_size, layer.input_size], 1)
        tensors |= {"weight_h": of_h} if stack.cell.row.recurrent else {}
    cell = stack.cell
    rows = list(BLOCKS.get(cell.family, cell.rows))
    if cell.family == "lstm":
        rows = [row for row in rows if row in cell.learned_gates + "g"]
    parts = {name.removeprefix("weight_"): tensor.chunk(len(rows)) for name, tensor in tensors.items()}
    return {row: {kind: part[k] for kind, part in parts.items()} for k, row in enumerate(rows)}


def matrices(stack: Stack) -> dict[str, Tensor]:
    """All W_h and W_x of a stack with two layers, by name."""
    return {
        f"{row} {kind} {index}": tensors[kind]
        for index in range(2)
        for row, tensors in blocks(stack, index).items()
        for kind in "hx"
        if kind in tensors
    }


def largest(tensors: dict[str, dict[str, Tensor]], kind: str) -> float:
    return max(float(block[kind].abs().max()) for block in tensors.values())


# the bias of the forget gate


@every_init
@every_layout
@both_biases
@pytest.mark.parametrize("gates", ["ifo", "fo", "f"])
def test_forget_bias_is_the_sum_over_all_biases(init: str, weights: str, biases: int, gates: str) -> None:
    forget = blocks(lstm(gates=gates, init=init, weights=weights, biases=biases, forget_bias=1.5))["f"]
    assert torch.equal(forget["bias"] + forget.get("bias_h", 0), torch.full((H,), 1.5))


@both_biases
@pytest.mark.parametrize("gates", ["ifo", "if"])
def test_coupled_gates_start_with_the_negative_forget_bias_on_i(gates: str, biases: int) -> None:
    block = blocks(lstm(gates=gates, coupled=True, biases=biases, forget_bias=1.5))["i"]
    assert torch.equal(block["bias"] + block.get("bias_h", 0), torch.full((H,), -1.5))


def test_a_plain_input_bias_does_not_depend_on_the_forget_bias() -> None:
    assert torch.equal(*(blocks(lstm(forget_bias=value))["i"]["bias"] for value in (0.0, 5.0)))


def test_chrono_forget_biases_are_log_uniform_up_to_the_longest_memory() -> None:
    draws = Chrono(100).draw(20_000, stream(0, Purpose.WEIGHTS))
    assert 0 <= float(draws.min()) < 0.01
    assert math.log(98.9) < float(draws.max()) <= math.log(99)
    assert torch.histc(draws.exp(), 7, 1, 99).div(20_000).tolist() == pytest.approx([1 / 7] * 7, abs=0.01)


@both_biases
def test_chrono_sets_f_within_its_range_and_i_to_its_negative(biases: int) -> None:
    stack = lstm(biases=biases, forget_bias=Chrono(50))
    sums = {row: block["bias"] + block.get("bias_h", 0) for row, block in blocks(stack).items()}
    assert 0 <= float(sums["f"].min()) < float(sums["f"].max()) <= math.log(49)
    assert torch.equal(sums["i"], -sums["f"])


def sums(family: str, **options: Any) -> dict[str, Tensor]:
    """Of all biases, by block."""
    stack = Stack(Cell(family), D, H, generator=seeded(), **options)
    return {row: block["bias"] + block.get("bias_h", 0) for row, block in blocks(stack).items()}


@both_biases
@pytest.mark.parametrize(
    ("family", "signs"),
    [("gru", {"z": 1}), ("mingru", {"z": -1}), ("minlstm", {"f": 1, "i": -1}), ("slstm", {"f": 1, "i": -1})],
)
def test_chrono_makes_each_gated_cell_keep_for_every_time_scale(
    family: str, signs: dict[str, int], biases: int
) -> None:
    spread = sums(family, biases=biases, forget_bias=Chrono(50))
    one, *others = (sign * spread[gate] for gate, sign in signs.items())
    assert 0 <= float(one.min()) < float(one.max()) <= math.log(49)
    assert all(torch.equal(one, other) for other in others)


@pytest.mark.parametrize("family", ["gru", "mingru"])
def test_a_cell_without_a_forget_gate_starts_the_same_whatever_the_forget_bias(family: str) -> None:
    one, other = (sums(family, forget_bias=bias) for bias in (1.0, -3.0))
    torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("family", ["minlstm", "slstm"])
def test_the_forget_bias_is_that_of_every_forget_gate(family: str) -> None:
    assert torch.equal(sums(family, forget_bias=1.5)["f"], torch.full((H,), 1.5))


# first weights


@drawn_families
@every_layout
def test_the_init_uniform_fills_the_range_of_torch(family: str, weights: str) -> None:
    tensors = blocks(built(family, init="uniform", weights=weights, generator=seeded()))
    for kind in "hx" if FAMILIES[family].recurrent else "x":
        assert 0.95 * H**-0.5 < largest(tensors, kind) <= H**-0.5


@drawn_families
@pytest.mark.parametrize(
    ("weights", "range_h", "range_x"),
    [("separate", H**-0.5, D**-0.5), ("concatenated", (H + D) ** -0.5, (H + D) ** -0.5)],
)
def test_the_init_linear_fills_the_ranges_of_its_linear_layers(
    family: str, weights: str, range_h: float, range_x: float
) -> None:
    """One Linear of H + D inputs, or one of H and one of D; one of D where there is no W_h."""
    tensors = blocks(built(family, init="linear", weights=weights, generator=seeded()))
    if FAMILIES[family].recurrent:
        assert 0.95 * range_h < largest(tensors, "h") <= range_h
    else:
        range_x = D**-0.5
    assert 0.95 * range_x < largest(tensors, "x") <= range_x


@drawn_families
@every_layout
def test_the_init_xavier_fills_the_ranges_of_glorot(family: str, weights: str) -> None:
    tensors = blocks(built(family, init="xavier", weights=weights, generator=seeded()))
    for kind, inputs in (("h", H), ("x", D)) if FAMILIES[family].recurrent else (("x", D),):
        bound = math.sqrt(6 / (H + inputs))
        assert 0.95 * bound < largest(tensors, kind) <= bound


@pytest.mark.parametrize(("init", "bound"), [("uniform", H**-0.5), ("linear", D**-0.5)])
def test_biases_fill_the_range_of_their_matrix(init: str, bound: float) -> None:
    tensors = blocks(built("gru", init=init, biases=2, generator=seeded()))
    assert 0.95 * bound < largest(tensors, "bias") <= bound
    assert 0.95 * H**-0.5 < largest(tensors, "bias_h") <= H**-0.5


@pytest.mark.parametrize("init", ["xavier", "orthogonal", "identity", "gaussian"])
def test_other_inits_start_with_biases_of_0(init: str) -> None:
    tensors = blocks(built("gru", init=init, biases=2, generator=seeded()))
    assert largest(tensors, "bias") == largest(tensors, "bias_h") == 0


@drawn_families
@every_layout
@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
def test_orthogonal_recurrent_blocks_keep_lengths_up_to_the_gain(family: str, weights: str, gain: float) -> None:
    for block in blocks(built(family, init="orthogonal", gain=gain, weights=weights)).values():
        torch.testing.assert_close(block["h"] @ block["h"].T, gain**2 * torch.eye(H), rtol=0, atol=1e-5)


@drawn_families
@every_layout
@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
def test_identity_recurrent_blocks_are_the_gain_times_the_identity(family: str, weights: str, gain: float) -> None:
    for block in blocks(built(family, init="identity", gain=gain, weights=weights)).values():
        assert torch.equal(block["h"], gain * torch.eye(H))


@drawn_families
@every_layout
@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
def test_gaussian_recurrent_blocks_have_a_deviation_of_gain_over_root_h(family: str, weights: str, gain: float) -> None:
    stack = built(family, init="gaussian", gain=gain, weights=weights, generator=seeded())
    for block in blocks(stack).values():
        assert float(block["h"].std()) == pytest.approx(gain * H**-0.5, rel=0.05)
        assert float(block["h"].mean()) == pytest.approx(0, abs=0.06 * gain * H**-0.5)


@drawn_families
@every_init
def test_the_gain_scales_the_recurrent_weights_alone(family: str, init: str) -> None:
    once, twice = (blocks(built(family, init=init, gain=gain, generator=seeded())) for gain in (1.0, 2.0))
    for row, block in once.items():
        assert "h" not in block or torch.equal(2 * block["h"], twice[row]["h"])
        assert torch.equal(block["x"], twice[row]["x"])
        assert torch.equal(block["bias"], twice[row]["bias"])


@every_family
@pytest.mark.parametrize("init", [name for name in INITS if name != "linear"])
def test_first_weights_do_not_depend_on_the_layout(family: str, init: str) -> None:
    """But for linear, whose ranges do."""
    apart, joint = (built(family, 2, init=init, weights=weights, generator=seeded()) for weights in LAYOUTS)
    for index in range(2):
        torch.testing.assert_close(blocks(joint, index), blocks(apart, index), rtol=0, atol=0)


@drawn_families
@every_init
@every_layout
def test_first_weights_do_not_depend_on_the_number_of_biases(family: str, init: str, weights: str) -> None:
    one, two = (built(family, 2, init=init, weights=weights, biases=biases, generator=seeded()) for biases in (1, 2))
    torch.testing.assert_close(matrices(two), matrices(one), rtol=0, atol=0)
    for row, block in blocks(one).items():
        assert torch.equal(block["bias"], blocks(two)[row]["bias"])


@every_init
@pytest.mark.parametrize(
    "options",
    [*({"gates": gates} for gates in ("", "i", "f", "o", "if", "io", "fo")), {"coupled": True}, {"peephole": True}],
    ids=str,
)
def test_first_weights_do_not_depend_on_the_gates_left_out(init: str, options: Options) -> None:
    full, variant = (lstm(2, init=init, **choice) for choice in ({}, options))
    expected = matrices(full)
    for name, matrix in matrices(variant).items():
        assert torch.equal(matrix, expected[name])
    for row, block in blocks(variant).items():
        assert torch.equal(block["bias"], blocks(full)[row]["bias"]) or ("coupled" in options and row == "i")


@every_family
@every_init
def test_the_same_seed_gives_the_same_first_weights(family: str, init: str) -> None:
    once, again = (built(family, 2, init=init, generator=seeded()).state_dict() for _ in range(2))
    torch.testing.assert_close(once, again, rtol=0, atol=0)


@every_family
@every_init
def test_a_generator_leaves_the_global_one_alone(family: str, init: str) -> None:
    before = torch.get_rng_state()
    built(family, init=init, generator=seeded())
    assert torch.equal(before, torch.get_rng_state())


def test_the_identity_alone_changes_no_other_weight() -> None:
    drawn = [Network(Experiment(cell="rnn", init=init)) for init in ("uniform", "identity_alone")]
    one, other = (dict(network.named_parameters()) for network in drawn)
    changed = {name for name in one if not torch.equal(one[name], other[name])}
    layer = drawn[1].layer.tensors()
    assert len(changed) == 1
    assert torch.equal(layer.recurrent, torch.eye(32))
