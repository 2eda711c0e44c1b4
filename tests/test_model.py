"""Do the public modules take torch's place and refuse what they must?"""

import math
import re
from functools import partial
from typing import Any

import pytest
import torch
from torch import Generator, nn

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import LAYOUTS
from lstm_core.initialisation import Chrono
from lstm_core.model import GRU, LSTM, RNN

T, B, D, H = 6, 4, 2, 64
MODULES: dict[str, Any] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
TORCH_MODULES: dict[str, tuple[Any, Any]] = {
    "rnn-tanh": (RNN, nn.RNN),
    "rnn-relu": (RNN, partial(nn.RNN, nonlinearity="relu")),
    "lstm": (LSTM, nn.LSTM),
    "gru": (GRU, nn.GRU),
}

every_family = pytest.mark.parametrize("family", MODULES)
every_layout = pytest.mark.parametrize("weights", LAYOUTS)
both_biases = pytest.mark.parametrize("biases", [1, 2])
every_torch_module = pytest.mark.parametrize(("ours", "torchs"), TORCH_MODULES.values(), ids=TORCH_MODULES.keys())

Options = dict[str, Any]


def seeded() -> Generator:
    return Generator().manual_seed(0)


def lstm(**options: Any) -> LSTM:
    return LSTM(D, H, generator=seeded(), **options)


# torch.nn


@every_torch_module
@pytest.mark.parametrize("bias", [True, False])
def test_to_torch_after_from_torch_gives_back_the_weights(ours: Any, torchs: Any, bias: bool) -> None:
    module = torchs(D, H, 2, bias=bias)
    returned = ours.from_torch(module).to_torch().state_dict()
    for name, value in module.state_dict().items():
        assert torch.equal(returned.pop(name), value)
    assert not any(tensor.any() for tensor in returned.values())


@every_torch_module
@every_layout
@both_biases
def test_to_torch_is_the_same_function(ours: Any, torchs: Any, weights: str, biases: int) -> None:
    options = {"activation": "relu"} if isinstance(torchs, partial) else {}
    module = ours(D, H, 2, weights=weights, biases=biases, generator=seeded(), **options).double()
    x = torch.randn(T, B, D, generator=seeded(), dtype=torch.float64)
    torch.testing.assert_close(module.to_torch()(x), module(x), rtol=0, atol=1e-12)


def test_to_torch_takes_tanh_however_the_output_activation_is_spelled() -> None:
    assert isinstance(lstm(output_activation="tanh").to_torch(), nn.LSTM)


@pytest.mark.parametrize(
    ("family", "activation"),
    [
        (family, name)
        for family in ("rnn", "gru")
        for name in ACTIVATIONS
        if name != "tanh" and (family, name) != ("rnn", "relu")
    ],
)
def test_to_torch_refuses_activations_that_torch_does_not_have(family: str, activation: str) -> None:
    with pytest.raises(ValueError, match=f"^activation: '{activation}' .*torch"):
        MODULES[family](D, H, activation=activation).to_torch()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, name) for field in ("activation", "output_activation") for name in ACTIVATIONS if name != "tanh"),
        *(("gates", gates) for gates in ("", "i", "f", "o", "if", "io", "fo")),
        ("coupled", True),
        ("peephole", True),
    ],
)
def test_to_torch_refuses_lstm_variants_that_torch_does_not_have(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{field}={value!r}")):
        lstm(**{field: value}).to_torch()


@pytest.mark.parametrize(
    ("family", "field", "value"),
    [
        *((family, "bidirectional", True) for family in ("rnn", "lstm", "gru")),
        *((family, "batch_first", True) for family in ("rnn", "lstm", "gru")),
        *((family, "dropout", 0.5) for family in ("rnn", "lstm", "gru")),
        ("lstm", "proj_size", 3),
    ],
)
def test_from_torch_refuses_what_it_cannot_be(family: str, field: str, value: object) -> None:
    oracle: Any = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[family]
    with pytest.raises(ValueError, match=f"^{field}: {value!r} "):
        MODULES[family].from_torch(oracle(D, 5, 2, **{field: value}))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@every_torch_module
def test_precision_survives_the_way_there_and_back(ours: Any, torchs: Any, dtype: torch.dtype) -> None:
    module = ours.from_torch(torchs(D, H).to(dtype))
    assert {parameter.dtype for network in (module, module.to_torch()) for parameter in network.parameters()} == {dtype}


# refusals


@every_family
@pytest.mark.parametrize("field", ["activation", "weights", "biases", "init", "engine"])
@pytest.mark.parametrize("value", ["swish", 3, None])
def test_unknown_choices_are_refused_by_name_and_value(family: str, field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field}: {value!r} "):
        MODULES[family](D, H, **{field: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output_activation": "swish"}, "output_activation: 'swish'"),
        ({"gates": "x"}, "gates: 'x'"),
        ({"gates": "fi"}, "gates: 'fi'"),
        ({"gates": "ii"}, "gates: 'ii'"),
        ({"gates": None}, "gates: None"),
        ({"gates": "io", "coupled": True}, "coupled: .*'io'"),
        ({"gates": "fo", "coupled": True}, "coupled: .*'fo'"),
        ({"coupled": "no"}, "coupled: 'no'"),
        ({"peephole": 1}, "peephole: 1"),
        ({"biases": True}, "biases: True"),
        ({"biases": 2.0}, "biases: 2.0"),
        ({"gain": math.nan}, "gain: nan"),
        ({"forget_bias": math.inf}, "forget_bias: inf"),
        ({"forget_bias": "chrono"}, "forget_bias: 'chrono'"),
    ],
)
def test_impossible_lstms_are_refused_by_name_and_value(options: Options, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        lstm(**options)


@every_family
@pytest.mark.parametrize("field", ["input_size", "hidden_size", "num_layers"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2"])
def test_sizes_that_are_not_whole_numbers_from_1_are_refused(family: str, field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field}: {value!r} "):
        MODULES[family](**{"input_size": D, "hidden_size": H, field: value})


@every_family
@pytest.mark.parametrize("shape", [(D,), (T, D), (T, B, D + 1), (0, B, D), (1, T, B, D)])
def test_inputs_of_another_shape_are_refused(family: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"input: shape {shape} is not (time, batch, {D})")):
        MODULES[family](D, H)(torch.zeros(shape))


@every_family
@pytest.mark.parametrize("shape", [(B, H), (2, B, H), (1, B + 1, H), (1, B, H + 1)])
def test_states_of_another_shape_are_refused(family: str, shape: tuple[int, ...]) -> None:
    fits, wrong = torch.zeros(1, B, H), torch.zeros(shape)
    given = (fits, wrong) if family == "lstm" else wrong
    with pytest.raises(ValueError, match=f"^state: .*{re.escape(str(shape))}.* of shape {re.escape(str((1, B, H)))}"):
        MODULES[family](D, H)(torch.zeros(T, B, D), given)


@pytest.mark.parametrize("family", ["rnn", "gru"])
def test_a_pair_of_states_is_refused_where_there_is_one(family: str) -> None:
    state = torch.zeros(1, B, H)
    with pytest.raises(ValueError, match=r"^state: .*tuple"):
        MODULES[family](D, H)(torch.zeros(T, B, D), (state, state))


@pytest.mark.parametrize(("ours", "theirs"), [(LSTM, nn.GRU), (RNN, nn.LSTM), (GRU, nn.Linear)])
def test_from_torch_refuses_another_kind_of_module(ours: Any, theirs: Any) -> None:
    with pytest.raises(ValueError, match=f"^module: {theirs.__name__} is not a torch.nn.{ours.__name__}"):
        ours.from_torch(theirs(D, H))


def test_chrono_refuses_a_memory_of_less_than_two_steps() -> None:
    with pytest.raises(ValueError, match=r"^longest: 1 "):
        Chrono(1)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_an_lstm_takes_two_states_or_none(number: int) -> None:
    with pytest.raises(ValueError, match=r"^state: .* given, 2 of shape"):
        MODULES["lstm"](D, H)(torch.zeros(T, B, D), (torch.zeros(1, B, H),) * number)


# shapes and sizes


@every_family
@pytest.mark.parametrize("layers", [1, 3])
def test_outputs_and_states_have_the_shapes_of_torch(family: str, layers: int) -> None:
    output, final = MODULES[family](D, H, layers)(torch.zeros(T, B, D))
    states = final if family == "lstm" else (final,)
    assert output.shape == (T, B, H)
    assert [state.shape for state in states] == [(layers, B, H)] * (2 if family == "lstm" else 1)


@every_layout
@pytest.mark.parametrize(
    ("family", "biases", "count"),
    [
        ("rnn", 1, 4_288),
        ("rnn", 2, 4_352),
        ("lstm", 1, 17_152),
        ("lstm", 2, 17_408),
        ("gru", 1, 12_864),
        ("gru", 2, 13_056),
    ],
)
def test_64_units_on_2_inputs_have_the_published_number_of_parameters(
    family: str, biases: int, count: int, weights: str
) -> None:
    module = MODULES[family](2, 64, biases=biases, weights=weights)
    assert sum(parameter.numel() for parameter in module.parameters()) == count
