"""Do both engines keep torch's contract: derivatives of every order, transforms, precisions, copies, hooks?"""

import copy
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn
from torch.autograd import forward_ad, functional, gradcheck, gradgradcheck
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, stack_module_state, vjp, vmap
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import pack_sequence
from torch.utils.checkpoint import checkpoint

from lstm_core.borrowed.autograd import more_than_numbers
from lstm_core.cells import Cell
from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.kernels.autograd import FusedTrace
from lstm_core.layers import Stack
from lstm_core.model import GRU, LSTM, RNN

# Torch's own forward-mode differentiation calls what torch itself calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")

T, B, D, H = 3, 2, 2, 3
ENGINES = FUSED, REFERENCE_ENGINE
VARIANTS: dict[str, tuple[Cell, dict[str, Any]]] = {
    "rnn": (Cell("rnn"), {}),
    "lstm": (Cell("lstm"), {}),
    "gru": (Cell("gru"), {}),
    "peepholes": (Cell("lstm", peephole=True), {"biases": 2}),
    "one peephole": (Cell("lstm", gates="o", peephole=True), {}),
    "coupled": (Cell("lstm", coupled=True, peephole=True), {"weights": "concatenated"}),
    "no gates": (Cell("lstm", gates=""), {}),
    "joint lstm": (Cell("lstm"), {"weights": "concatenated", "biases": 2}),
    "joint gru": (Cell("gru"), {"weights": "concatenated", "biases": 2}),
    "window": (Cell("rnn", window=2), {}),
    "joint window": (Cell("rnn", window=2), {"weights": "concatenated", "biases": 2}),
    "two layers": (Cell("lstm"), {"num_layers": 2, "wiring": "dense"}),
}
KINDS: dict[str, Any] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}

every_variant = pytest.mark.parametrize("variant", VARIANTS)
every_kind = pytest.mark.parametrize("kind", KINDS)
both_engines = pytest.mark.parametrize("engine", ENGINES)

Function = Callable[..., tuple[Tensor, ...]]
close = partial(torch.testing.assert_close, rtol=1e-9, atol=1e-10)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def stack(variant: str, engine: str) -> Stack:
    cell, options = VARIANTS[variant]
    return Stack(cell, D, H, engine=engine, generator=Generator().manual_seed(1), **options).double()


def module(kind: str, engine: str, seed: int = 1, **options: Any) -> Any:
    return KINDS[kind](D, H, engine=engine, generator=Generator().manual_seed(seed), **options).double()


def states(kind: str, layers: int = 1) -> Any:
    """As the module takes them."""
    hidden, cell = normal(layers, B, H, seed=2), normal(layers, B, H, seed=3)
    return (hidden, cell) if kind == "lstm" else hidden


def flat(result: Any) -> list[Tensor]:
    return [result] if isinstance(result, Tensor) else [tensor for part in result for tensor in flat(part)]


def total(result: Any) -> Tensor:
    """Of all outputs, each with a weight of its own for every number."""
    return sum((t * normal(*t.shape, seed=k).to(t.dtype)).sum() for k, t in enumerate(flat(result)))  # type: ignore[return-value]


def function(variant: str, engine: str) -> tuple[Function, list[Tensor]]:
    """Of inputs, first states and weights to all outputs; and a point to take it at."""
    layers, own = stack(variant, engine), dict(stack(variant, engine).named_parameters())
    number = 2 if layers.cell.family == "lstm" else 1
    given = [normal(layers.num_layers, B, H, seed=2 + k) for k in range(number)]

    def outputs(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        weights = dict(zip(own, others[number:], strict=True))
        output, final, traces = functional_call(layers, weights, (x, others[:number]))
        assert more_than_numbers() or isinstance(traces[0], FusedTrace) == (engine == FUSED)
        return output, *final

    point = [normal(T, B, D), *given, *(tensor.detach() for tensor in own.values())]
    return outputs, [tensor.requires_grad_() for tensor in point]


def penalty(outputs: Function, point: list[Tensor], order: int, parts: slice = slice(None)) -> tuple[Tensor, ...]:
    """All derivatives of the squares of derivatives of the squares of ..., so many times."""
    value = torch.stack([output.square().sum() for output in outputs(*point)[parts]]).sum()
    for _ in range(order - 1):
        slopes = torch.autograd.grad(value, point, create_graph=True, materialize_grads=True)
        value = torch.stack([slope.square().sum() for slope in slopes]).sum()
    return torch.autograd.grad(value, point, materialize_grads=True)


# derivatives


@both_engines
@every_variant
def test_first_derivatives_are_those_of_finite_differences(variant: str, engine: str) -> None:
    """By inputs, first states and every weight; forwards too, and many at once."""
    outputs, point = function(variant, engine)
    assert gradcheck(outputs, point, fast_mode=True)
    assert gradcheck(outputs, point, fast_mode=True, check_forward_ad=True, check_batched_grad=False)


@both_engines
@every_variant
def test_second_derivatives_are_those_of_finite_differences(variant: str, engine: str) -> None:
    outputs, point = function(variant, engine)
    assert gradgradcheck(outputs, point, fast_mode=True)


@pytest.mark.parametrize("order", [1, 2, 3])
@every_variant
def test_derivatives_of_every_order_are_those_of_the_reference(variant: str, order: int) -> None:
    close(*(penalty(*function(variant, engine), order) for engine in ENGINES))


@pytest.mark.parametrize("part", [0, 1, 2], ids=["hidden", "final hidden", "final cell"])
@every_variant
def test_second_derivatives_may_enter_through_one_output_alone(variant: str, part: int) -> None:
    if part == 2 and VARIANTS[variant][0].family != "lstm":
        pytest.skip("one state only")
    close(*(penalty(*function(variant, engine), 2, slice(part, part + 1)) for engine in ENGINES))


@every_variant
def test_a_gradient_that_can_be_differentiated_further_is_the_plain_one_with_its_norms(variant: str) -> None:
    layers, x = stack(variant, FUSED), normal(T, B, D).requires_grad_()

    def slopes_and_norms(further: bool) -> list[Tensor]:
        output, _, traces = layers(x)
        slopes = torch.autograd.grad(total(output), [x, *layers.parameters()], create_graph=further)
        assert slopes[0].requires_grad == further
        return [*slopes, *(norms for trace in traces for norms in trace.gradient_norms())]

    close(slopes_and_norms(True), slopes_and_norms(False))


@both_engines
@every_kind
def test_only_weights_need_gradients_of_their_gradients(kind: str, engine: str) -> None:
    """As in a training that looks ahead; inputs and states need none."""
    layer, expected = module(kind, engine), module(kind, REFERENCE_ENGINE)
    second_slopes = []
    for one in (layer, expected):
        weights = list(one.parameters())
        slopes = torch.autograd.grad(total(one(normal(T, B, D), states(kind))), weights, create_graph=True)
        second_slopes.append(torch.autograd.grad(sum(slope.square().sum() for slope in slopes), weights))  # type: ignore[arg-type]
    close(*second_slopes)


@both_engines
def test_one_tensor_may_be_given_in_several_places(engine: str) -> None:
    """Inputs that the first states are made of have the gradient of all three, once each."""
    layers = Stack(Cell("lstm"), H, H, engine=engine, generator=Generator().manual_seed(1)).double()

    def outputs(x: Tensor) -> Tensor:
        return layers(x, (x[:1], x[:1]))[0]

    x = normal(T, B, H).requires_grad_()
    assert gradcheck(outputs, [x])
    assert gradgradcheck(outputs, [x])
    close(*(torch.autograd.grad(total(outputs(x)), x, create_graph=further)[0] for further in (False, True)))


def test_a_weight_that_an_output_does_not_depend_on_has_a_gradient_of_0() -> None:
    """The output gate's peephole, from the cell state of one step: the same whether more is wanted or not."""
    layers = stack("one peephole", FUSED).requires_grad_(False)
    peephole = layers.layer_list[0].peephole
    assert peephole is not None
    peephole.requires_grad_()
    _, (_, cell), _ = layers(normal(1, B, D))
    for further in (False, True):
        (slope,) = torch.autograd.grad(cell.sum(), peephole, create_graph=further, retain_graph=True)
        assert not slope.any()


@both_engines
def test_a_gradient_that_does_not_arrive_is_none_or_zero(engine: str) -> None:
    class Nothing(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.set_materialize_grads(False)
            return x.sum()

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> None:
            return None

    for further in (False, True):
        x = normal(T, B, D).requires_grad_()
        value = Nothing.apply(module("lstm", engine)(x)[0])
        (slope,) = torch.autograd.grad(value, x, create_graph=further, materialize_grads=True)
        assert not slope.any()


# transforms


def sum_of_squares(outputs: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return outputs(x).square().sum()


def dual(outputs: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(outputs(forward_ad.make_dual(x, normal(*x.shape, seed=5)))).tangent
        assert tangent is not None
        return tangent


def by_numbers(outputs: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The Jacobian, by rows that the reference differentiates one by one."""
    return functional.jacobian(outputs, x)


Transform = Callable[[Callable[[Tensor], Tensor], Tensor], Any]
# What torch makes of a function of x, beside the same in plain autograd.
TRANSFORMS: dict[str, tuple[Transform, Transform]] = {
    "grad": (
        lambda f, x: grad(partial(sum_of_squares, f))(x),
        lambda f, x: functional.jacobian(partial(sum_of_squares, f), x),
    ),
    "vjp": (
        lambda f, x: vjp(f, x)[1](normal(T, B, H, seed=5))[0],
        lambda f, x: torch.tensordot(normal(T, B, H, seed=5), by_numbers(f, x), 3),
    ),
    "jvp": (
        lambda f, x: jvp(f, (x,), (normal(*x.shape, seed=5),))[1],
        lambda f, x: torch.tensordot(by_numbers(f, x), normal(*x.shape, seed=5), x.dim()),
    ),
    "dual numbers": (dual, lambda f, x: torch.tensordot(by_numbers(f, x), normal(*x.shape, seed=5), x.dim())),
    "jacrev": (lambda f, x: jacrev(f)(x), by_numbers),
    "jacfwd": (lambda f, x: jacfwd(f)(x), by_numbers),
    "vmap": (lambda f, x: vmap(f)(torch.stack([x, 2 * x])), lambda f, x: torch.stack([f(x), f(2 * x)])),
    "hessian": (
        lambda f, x: hessian(partial(sum_of_squares, f))(x),
        lambda f, x: functional.hessian(partial(sum_of_squares, f), x),
    ),
    "functional.hessian": (
        lambda f, x: functional.hessian(partial(sum_of_squares, f), x),
        lambda f, x: hessian(partial(sum_of_squares, f))(x),
    ),
    "functional.hessian, vectorized": (
        lambda f, x: functional.hessian(partial(sum_of_squares, f), x, vectorize=True),
        lambda f, x: functional.hessian(partial(sum_of_squares, f), x),
    ),
    "functional.jacobian, vectorized": (lambda f, x: functional.jacobian(f, x, vectorize=True), by_numbers),
    "functional.jacobian, forwards": (
        lambda f, x: functional.jacobian(f, x, vectorize=True, strategy="forward-mode").detach(),
        by_numbers,
    ),
    "functional.jvp": (
        lambda f, x: functional.jvp(f, x, normal(*x.shape, seed=5))[1],
        lambda f, x: torch.tensordot(by_numbers(f, x), normal(*x.shape, seed=5), x.dim()),
    ),
    "functional.vjp": (
        lambda f, x: functional.vjp(f, x, normal(T, B, H, seed=5))[1],
        lambda f, x: torch.tensordot(normal(T, B, H, seed=5), by_numbers(f, x), 3),
    ),
    "gradients of gradients forwards": (
        lambda f, x: jacfwd(grad(partial(sum_of_squares, f)))(x),
        lambda f, x: functional.hessian(partial(sum_of_squares, f), x),
    ),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@every_kind
def test_a_transform_of_the_inputs_is_that_of_the_reference(kind: str, name: str) -> None:
    transformed, plain = TRANSFORMS[name]
    fused, reference = (module(kind, engine) for engine in ENGINES)
    close(transformed(lambda x: fused(x)[0], normal(T, B, D)), plain(lambda x: reference(x)[0], normal(T, B, D)))


@pytest.mark.parametrize("name", ["grad", "jvp", "dual numbers", "jacrev", "jacfwd", "vmap", "hessian"])
@every_kind
def test_a_transform_of_a_weight_is_that_of_the_reference(kind: str, name: str) -> None:
    """By `functional_call`, from first states."""
    (transformed, plain), given = TRANSFORMS[name], (normal(T, B, D), states(kind))

    def outputs(layer: nn.Module, weight: Tensor) -> Tensor:
        return functional_call(layer, {"stack.layers.0.weight_x": weight}, given)[0]

    fused, reference = (module(kind, engine) for engine in ENGINES)
    weight = fused.stack.layers[0].weight_x.detach()
    close(transformed(partial(outputs, fused), weight), plain(partial(outputs, reference), weight))


@both_engines
@every_kind
def test_many_modules_at_once_are_each_of_them(kind: str, engine: str) -> None:
    ensemble = [module(kind, engine, seed) for seed in range(3)]
    weights, buffers = stack_module_state(ensemble)
    x = normal(T, B, D)
    together = vmap(lambda p, b: functional_call(ensemble[0], (p, b), (x,))[0])(weights, buffers)
    close(together, torch.stack([layer(x)[0] for layer in ensemble]))


@every_kind
def test_gradients_may_go_back_many_at_once_from_kernels(kind: str) -> None:
    layer, x = module(kind, FUSED), normal(T, B, D).requires_grad_()
    output, incoming = layer(x)[0], normal(4, T, B, H)
    (together,) = torch.autograd.grad(output, x, incoming, is_grads_batched=True, retain_graph=True)
    alone = [torch.autograd.grad(output, x, gradient, retain_graph=True)[0] for gradient in incoming]
    close(together, torch.stack(alone))
    assert not together.requires_grad
    (mapped,) = vmap(lambda gradient: torch.autograd.grad(output, x, gradient, retain_graph=True))(incoming)
    close(mapped, torch.stack(alone))


def test_more_than_numbers_is_seen_in_every_transform_and_nowhere_else() -> None:
    """It asks torch in private: a torch that answers otherwise fails here first."""
    seen: list[bool] = []

    def look(x: Tensor) -> Tensor:
        seen.append(more_than_numbers())
        return x.sum()

    x = torch.ones(2)
    assert not more_than_numbers()
    for within in (grad(look), vmap(look), jacrev(look), jacfwd(look), hessian(look), torch.func.functionalize(look)):
        within(x.clone()) if within is not vmap else within(x[None])
    jvp(look, (x,), (x,))
    vjp(look, x)
    with forward_ad.dual_level():
        look(x)
    assert seen
    assert all(seen)
    assert not more_than_numbers()

    class Look(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            seen.append(more_than_numbers([None, gradient]))
            return gradient

    seen.clear()
    leaf = torch.ones(2).requires_grad_()
    torch.autograd.grad(Look.apply(leaf).sum(), leaf)
    torch.autograd.grad(Look.apply(leaf), leaf, torch.eye(2), is_grads_batched=True)
    assert seen == [False, True]


# precisions, places and shapes


def gradients(layer: nn.Module, x: Tensor, *given: Any) -> list[Tensor | None]:
    """By inputs and weights, of all outputs."""
    x = x.detach().requires_grad_()
    layer.zero_grad()
    total(layer(x, *given)).backward()
    return [x.grad, *(parameter.grad for parameter in layer.parameters())]


OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "float32": Tensor.float,
    "bfloat16": Tensor.bfloat16,
    "int64": Tensor.long,
    "complex128": lambda tensor: tensor.to(torch.complex128),
}


@pytest.mark.parametrize("other", OTHERS)
@both_engines
@every_kind
def test_another_type_than_that_of_the_weights_is_refused(kind: str, engine: str, other: str) -> None:
    layer, x, given, change = module(kind, engine), normal(T, B, D), states(kind), OTHERS[other]
    with pytest.raises(ValueError, match=f"^input: {other} is not float64, the type of the weights$"):
        layer(change(x))
    wrong: dict[str, Any] = {"state": change(given)} if kind != "lstm" else {"state": (change(given[0]), given[1])}
    if kind == "lstm":
        wrong["cell state"] = given[0], change(given[1])
    for name, pair in wrong.items():
        with pytest.raises(ValueError, match=f"^{name}: {other} is not float64, the type of the weights$"):
            layer(x, pair)
    layer.stack.layers[0].bias = nn.Parameter(layer.stack.layers[0].bias.detach().float())
    with pytest.raises(ValueError, match=r"^bias: float32 is not float64, the type of the weights$"):
        layer(x)


@both_engines
@every_kind
def test_another_device_than_that_of_the_weights_is_refused(kind: str, engine: str) -> None:
    with pytest.raises(ValueError, match=r"^input: meta is not cpu, the device of the weights$"):
        module(kind, engine)(normal(T, B, D).to("meta"))
    output, _ = module(kind, "auto").to("meta")(normal(T, B, D).to("meta"))
    assert output.shape == (T, B, H)


@both_engines
@every_kind
def test_under_autocast_a_layer_computes_in_the_type_of_its_weights(kind: str, engine: str) -> None:
    """Inputs and states of a lower precision, as a layer before it makes them, are taken."""
    layer, x, given = module(kind, engine).float(), normal(T, B, D), states(kind)
    low_x = x.bfloat16()
    low_given: Any = tuple(map(Tensor.bfloat16, given)) if kind == "lstm" else given.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        output, final = layer(low_x, low_given)
    slopes = torch.autograd.grad(total(output), list(layer.parameters()))
    high = tuple(map(Tensor.float, low_given)) if kind == "lstm" else low_given.float()
    expected, expected_final = layer(low_x.float(), high)
    torch.testing.assert_close([output, *flat(final)], [expected, *flat(expected_final)])
    torch.testing.assert_close(slopes, torch.autograd.grad(total(expected), list(layer.parameters())))


@every_kind
def test_under_autocast_a_gradient_that_can_be_differentiated_further_is_as_without(kind: str) -> None:
    layer, x = module(kind, FUSED).float(), normal(T, B, D).float().requires_grad_()
    value = total(layer(x))
    with torch.autocast("cpu", torch.bfloat16):
        (slope,) = torch.autograd.grad(value, x, create_graph=True)
    torch.testing.assert_close(slope, torch.autograd.grad(value, x)[0])


@both_engines
@every_kind
def test_a_batch_of_0_has_outputs_of_its_shape_and_gradients_of_0(kind: str, engine: str) -> None:
    layer = module(kind, engine)
    output, final = layer(normal(T, 0, D))
    assert [output.shape, *(state.shape for state in flat(final))][:2] == [(T, 0, H), (1, 0, H)]
    first, *others = gradients(layer, normal(T, 0, D))
    assert first is not None
    assert first.shape == (T, 0, D)
    for slope in others:
        assert slope is not None
        assert not slope.any()


@both_engines
@every_kind
def test_a_packed_sequence_is_refused(kind: str, engine: str) -> None:
    with pytest.raises(ValueError, match=r"^input: PackedSequence is not a tensor \(time, batch, 2\)$"):
        module(kind, engine)(pack_sequence([normal(T, D)]))


LAID: dict[str, Callable[[Tensor], Tensor]] = {
    "transposed": lambda tensor: tensor.mT.contiguous().mT,
    "batch first": lambda tensor: tensor.transpose(0, 1).contiguous().transpose(0, 1),
    "every other": lambda tensor: torch.stack([tensor, tensor], -1)[..., 0],
    "backwards": lambda tensor: tensor.flip(0, 1, 2).flip(0, 1, 2).transpose(0, 2).contiguous().transpose(0, 2),
    "expanded": lambda tensor: tensor[:1, :1, :1].expand_as(tensor),
}


@pytest.mark.parametrize("laid", LAID)
@both_engines
@every_kind
def test_it_does_not_matter_how_inputs_and_states_lie_in_memory(kind: str, engine: str, laid: str) -> None:
    layer, x = module(kind, engine, num_layers=2), LAID[laid](normal(T, B, D))
    given = [LAID[laid](state) for state in flat(states(kind, 2))]
    assert not x.is_contiguous()

    def outputs_and_slopes(x: Tensor, given: list[Tensor]) -> list[Tensor]:
        x, *given = (tensor.detach().requires_grad_() for tensor in (x, *given))
        outputs = flat(layer(x, tuple(given) if kind == "lstm" else given[0]))
        return [*outputs, *torch.autograd.grad(total(outputs), [x, *given, *layer.parameters()])]

    close(outputs_and_slopes(x, given), outputs_and_slopes(x.contiguous(), [state.contiguous() for state in given]))


# compilers


@both_engines
@every_kind
def test_a_compiled_module_is_the_module(kind: str, engine: str) -> None:
    """In one graph, with its gradients."""
    layer, x, given = module(kind, engine), normal(T, B, D), states(kind)
    compiled: Any = torch.compile(layer, backend="eager", fullgraph=True)
    close(flat(compiled(x, given)), flat(layer(x, given)))
    close(gradients(compiled, x, given), gradients(layer, x, given))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
@both_engines
@every_kind
def test_a_traced_module_is_the_module(kind: str, engine: str) -> None:
    layer, x = module(kind, engine), normal(T, B, D)
    close(torch.jit.trace(layer, normal(T, B, D, seed=7))(x)[0], layer(x)[0])


# copies


def saved(layer: nn.Module) -> Any:
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def loaded(layer: Any) -> Any:
    """By the weights alone, in single precision, into a module that is different otherwise."""
    other = copy.deepcopy(layer)
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    weights = {name: tensor.float() for name, tensor in layer.state_dict().items()}
    other.load_state_dict(weights)
    return other


@pytest.mark.parametrize("copied", [copy.deepcopy, saved, loaded])
@both_engines
@every_kind
def test_a_copy_computes_the_same_and_learns_alone(kind: str, engine: str, copied: Callable[[Any], Any]) -> None:
    """Also one that has computed before, with weights that have gradients."""
    layer, x = module(kind, engine).float().double(), normal(T, B, D)
    expected = gradients(layer, x)
    other = copied(layer)
    assert {parameter.dtype for parameter in other.parameters()} == {torch.float64}
    close(flat(other(x)), flat(layer(x)))
    close(gradients(other, x), expected)
    layer.zero_grad()
    assert all(parameter.grad is not None for parameter in other.parameters())


@both_engines
@every_kind
def test_a_module_may_change_its_precision_after_it_has_computed(kind: str, engine: str) -> None:
    layer, x = module(kind, engine), normal(T, B, D)
    expected = layer(x)[0]
    torch.testing.assert_close(layer.float()(x.float())[0], expected.float())
    torch.testing.assert_close(layer.double()(x)[0], expected, rtol=1e-5, atol=1e-6)


# hooks and modes


@both_engines
@every_kind
def test_hooks_see_what_the_module_does(kind: str, engine: str) -> None:
    layer, x, seen = module(kind, engine), normal(T, B, D), dict[str, Any]()
    expected = gradients(layer, x)
    layer.register_forward_pre_hook(lambda _, given: seen.update(given=given[0]))
    layer.register_forward_hook(lambda _, given, result: seen.update(result=result[0]))
    layer.register_full_backward_pre_hook(lambda _, incoming: seen.update(incoming=incoming[0]))
    layer.register_full_backward_hook(lambda _, outgoing, incoming: seen.update(outgoing=outgoing[0]))
    weight = layer.stack.layers[0].weight_h
    weight.register_hook(lambda gradient: 2 * gradient)
    weight.register_post_accumulate_grad_hook(lambda parameter: seen.update(weight=parameter.grad.clone()))
    actual = gradients(layer, x)
    assert expected[1] is not None
    close(actual, [expected[0], 2 * expected[1], *expected[2:]])
    close([seen["given"], seen["outgoing"], seen["weight"]], [x, expected[0], 2 * expected[1]])
    close([seen["result"], seen["incoming"]], [layer(x)[0], normal(T, B, H)])


@both_engines
@every_kind
def test_a_forward_hook_may_change_what_comes_out(kind: str, engine: str) -> None:
    layer, x = module(kind, engine), normal(T, B, D)
    expected = layer(x)[0]
    layer.register_forward_hook(lambda _, given, result: (2 * result[0], result[1]))
    close(layer(x)[0], 2 * expected)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@both_engines
@every_kind
def test_without_gradients_the_values_are_the_same(kind: str, engine: str, mode: Any) -> None:
    layer, x, given = module(kind, engine), normal(T, B, D), states(kind)
    with mode():
        looking = flat(layer(x, given))
    assert not any(tensor.requires_grad for tensor in looking)
    assert all(tensor.is_inference() == (mode is torch.inference_mode) for tensor in looking)
    learning = flat(layer(x, given))
    assert all(tensor.requires_grad for tensor in learning)
    close([tensor.clone() for tensor in looking], [tensor.detach() for tensor in learning])


@both_engines
@every_kind
def test_frozen_weights_have_no_gradient_and_the_others_theirs(kind: str, engine: str) -> None:
    layer, x, whole = module(kind, engine, biases=2), normal(T, B, D), module(kind, engine, biases=2)
    layer.stack.layers[0].weight_h.requires_grad_(False)
    layer.stack.layers[0].bias.requires_grad_(False)
    for actual, expected, parameter in zip(
        gradients(layer, x)[1:], gradients(whole, x)[1:], layer.parameters(), strict=True
    ):
        if parameter.requires_grad:
            close(actual, expected)
        else:
            assert actual is None
    outputs, x = layer(x.requires_grad_())[0], x.detach()
    weights = [parameter for parameter in layer.parameters() if parameter.requires_grad]
    close(
        torch.autograd.grad(total(outputs), weights, create_graph=True, retain_graph=True),
        torch.autograd.grad(total(outputs), weights),
    )


@both_engines
@every_kind
def test_going_back_twice_gives_the_same_gradients_twice(kind: str, engine: str) -> None:
    layer, x = module(kind, engine), normal(T, B, D).requires_grad_()
    value = total(layer(x))
    value.backward(retain_graph=True)
    once = [parameter.grad.clone() for parameter in layer.parameters()]
    layer.zero_grad()
    value.backward()
    assert all(torch.equal(parameter.grad, slope) for parameter, slope in zip(layer.parameters(), once, strict=True))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        value.backward()


@pytest.mark.parametrize("place", ["output", "input", "cell state", "weight"])
@every_kind
def test_what_the_way_back_reads_may_not_change_in_place(kind: str, place: str) -> None:
    if place == "cell state" and kind != "lstm":
        pytest.skip("hidden state only")
    layer, x, given = module(kind, FUSED), normal(T, B, D), states(kind)
    output, _ = layer(x, given)
    changed = {"output": output, "input": x, "cell state": given[-1], "weight": layer.stack.layers[0].weight_h}
    with torch.no_grad():
        changed[place].add_(1)
    with pytest.raises(RuntimeError, match=r"modified .*inplace"):
        total(output).backward()


@every_kind
def test_an_output_of_kernels_may_not_change_in_place(kind: str) -> None:
    output, _ = module(kind, FUSED)(normal(T, B, D))
    with pytest.raises(RuntimeError, match=r"is being modified inplace"):
        output.add_(1)


class Twice(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


@pytest.mark.parametrize("weights", ["separate", "concatenated"])
@both_engines
@every_kind
def test_a_weight_may_be_parametrized(kind: str, engine: str, weights: str) -> None:
    """It is computed once a pass."""
    layer, doubled = (module(kind, engine, weights=weights) for _ in range(2))
    name = "weight" if weights == "concatenated" else "weight_h"
    parametrize.register_parametrization(layer.stack.layers[0], name, Twice())
    looks: list[None] = []
    layer.stack.layers[0].parametrizations[name][0].register_forward_hook(lambda *_: looks.append(None))
    with torch.no_grad():
        getattr(doubled.stack.layers[0], name).mul_(2)
    x = normal(T, B, D)
    close(layer(x)[0], doubled(x)[0])
    assert len(looks) == 1
    gradients(layer, x)
    gradients(doubled, x)
    close(layer.stack.layers[0].parametrizations[name].original.grad, 2 * getattr(doubled.stack.layers[0], name).grad)


@both_engines
@every_kind
def test_two_modules_may_share_a_layer(kind: str, engine: str) -> None:
    one, other, x = module(kind, engine), module(kind, engine, 2), normal(T, B, D)
    other.stack.layers[0] = one.stack.layers[0]
    total([one(x), other(2 * x)]).backward()
    together = [parameter.grad for parameter in one.parameters()]
    separate = [module(kind, engine) for _ in range(2)]
    total([separate[0](x), separate[1](2 * x)]).backward()
    expected = [a.grad + b.grad for a, b in zip(*(layer.parameters() for layer in separate), strict=True)]
    close(together, expected)


@pytest.mark.parametrize("further", [False, True])
@both_engines
@every_kind
def test_another_thread_may_go_back(kind: str, engine: str, further: bool) -> None:
    layer, x = module(kind, engine), normal(T, B, D)
    value, weights = total(layer(x)), list(layer.parameters())
    with ThreadPoolExecutor(1) as pool:
        slopes = pool.submit(torch.autograd.grad, value, weights, create_graph=further, retain_graph=True).result()
    close(slopes, torch.autograd.grad(value, weights))


@both_engines
@every_kind
def test_a_pass_may_be_computed_again_to_save_memory(kind: str, engine: str) -> None:
    layer, x = module(kind, engine), normal(T, B, D)
    expected = gradients(layer, x)
    layer.zero_grad()
    x.requires_grad_()
    total(checkpoint(layer, x, use_reentrant=False)).backward()
    close([x.grad, *(parameter.grad for parameter in layer.parameters())], expected)
