"""How does a network read in ONNX? Layer by layer a `Scan`, whose body is translated from the code of its cell."""

import ast
import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lstm_core.cells import Cell, Parameters
from lstm_core.export.layer import check_code
from lstm_core.layers import Layer
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.network import Network
from lstm_core.wiring import PLAIN

if TYPE_CHECKING:
    import onnx

OPSET, FORMAT = 20, 10
# The last few hidden states, beside the states of a cell that sees them.
SEEN = "seen"
# Of a highway's gates, W_T transposed and b_T.
Gates = Sequence[tuple[str, str]]
SIGNS: dict[type[ast.operator], str] = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Div: "Div"}


class _Nodes:
    """A graph that grows: its nodes, and its constants, which bodies of scans share by their names."""

    def __init__(self, constants: dict[str, Tensor], prefix: str = "") -> None:
        self.made: list[Any] = []
        self.constants, self._prefix = constants, prefix

    def constant(self, values: Tensor) -> str:
        name = f"weights_{len(self.constants)}"
        self.constants[name] = values
        return name

    def number(self, value: float) -> str:
        return self.constant(torch.tensor(float(value)))

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> list[str]:
        """A node of that kind; the names of what it puts out."""
        from onnx import helper

        names = [f"{self._prefix}{kind}_{len(self.made)}_{place}" for place in range(outputs)]
        self.made.append(helper.make_node(kind, inputs, names, **attributes))
        return names

    def one(self, kind: str, *inputs: str, **attributes: Any) -> str:
        return self.add(kind, *inputs, **attributes)[0]


def _silu(nodes: _Nodes, x: str) -> str:
    return nodes.one("Mul", x, nodes.one("Sigmoid", x))


def _clipped(nodes: _Nodes, x: str) -> str:
    return nodes.one("Clip", x, nodes.number(-1), nodes.number(1))


def _log_sigmoid(nodes: _Nodes, x: str) -> str:
    return nodes.one("Neg", nodes.one("Softplus", nodes.one("Neg", x)))


def _operator(kind: str) -> Callable[..., str]:
    return lambda nodes, x: nodes.one(kind, x)


# By the words of code, with further arguments where they have some.
CALLS: dict[str, Callable[..., str]] = {
    "sigmoid": _operator("Sigmoid"),
    "tanh": _operator("Tanh"),
    "softsign": _operator("Softsign"),
    "gelu": _operator("Gelu"),
    "torch.sin": _operator("Sin"),
    "torch.relu": _operator("Relu"),
    "torch.exp": _operator("Exp"),
    "torch.maximum": lambda nodes, x, other: nodes.one("Max", x, other),
    "F.logsigmoid": _log_sigmoid,
    "F.softplus": _operator("Softplus"),
    "F.elu": _operator("Elu"),
    "F.silu": _silu,
    "F.hardtanh": _clipped,
    "F.leaky_relu": lambda nodes, x, slope: nodes.one("LeakyRelu", x, alpha=slope),
}


def _translated(node: ast.expr, known: dict[str, str], nodes: _Nodes) -> str:
    """The name of what an expression comes to. ValueError for what is not among `SIGNS` and `CALLS`."""
    match node:
        case ast.Name(id=name):
            return known[name]
        case ast.Constant(value=float() | int() as value):
            return nodes.number(value)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in SIGNS:
            both = (_translated(side, known, nodes) for side in (left, right))
            return nodes.one(SIGNS[type(sign)], *both)
        case ast.Call(func=function, args=[x, *others]) if (name := ast.unparse(function)) in CALLS:
            further = (known[one.id] if isinstance(one, ast.Name) else ast.literal_eval(one) for one in others)
            return CALLS[name](nodes, _translated(x, known, nodes), *further)
    raise ValueError(f"cell: {ast.unparse(node)} has no words in ONNX here; those that have are {', '.join(CALLS)}")


def _body(layer: Layer, constants: dict[str, Tensor], prefix: str) -> "onnx.GraphProto":
    """One time step: states and x to the new states, and the hidden state once more, which is kept."""
    from onnx import helper

    cell, nodes = layer.cell, _Nodes(constants, prefix)
    assert cell.row.code is not None
    before, x = {state: f"{prefix}{state}" for state in _states(cell)}, f"{prefix}x"
    seen = before.get(SEEN, before["h"])
    known = before | _preactivations(nodes, cell, layer.tensors(), seen, x)
    for line in cell.row.code(cell):
        (assignment,) = ast.parse(line).body
        assert isinstance(assignment, ast.Assign)
        known[ast.unparse(assignment.targets[0])] = _translated(assignment.value, known, nodes)
    if SEEN in before:
        newest = nodes.add("Split", seen, outputs=cell.window, axis=1, num_outputs=cell.window)[:-1]
        known[SEEN] = nodes.one("Concat", known["h"], *newest, axis=1)
    after = [nodes.one("Identity", known[state]) for state in (*before, "h")]
    return helper.make_graph(nodes.made, f"{prefix}step", _declared([*before.values(), x]), _declared(after))


def _preactivations(nodes: _Nodes, cell: Cell, p: Parameters, seen: str, x: str) -> dict[str, str]:
    """Of each block, a_i and so on; of a block that is `apart` both halves, a_n and a_n_x; and peepholes, p_i."""
    known: dict[str, str] = {}
    if not cell.row.recurrent:
        rows = nodes.one("Gemm", x, nodes.constant(p.input), nodes.constant(p.whole_bias), transB=1)
        blocks = nodes.add("Split", rows, outputs=len(cell.rows), axis=1, num_outputs=len(cell.rows))
        return dict(zip((f"a_{block}" for block in cell.rows), blocks, strict=True))
    for of, matrix, bias, name in ((seen, p.recurrent, p.recurrent_bias, "a_{}"), (x, p.input, p.bias, "a_{}_x")):
        given = [of, nodes.constant(matrix), *([] if bias is None else [nodes.constant(bias)])]
        rows = nodes.one("Gemm", *given, transB=1)
        blocks = nodes.add("Split", rows, outputs=len(cell.rows), axis=1, num_outputs=len(cell.rows))
        known |= {name.format(block): part for block, part in zip(cell.rows, blocks, strict=True)}
    for block in cell.rows:
        if block not in cell.row.apart:
            known[f"a_{block}"] = nodes.one("Add", known[f"a_{block}"], known[f"a_{block}_x"])
    if p.peephole is not None:
        known |= {f"p_{gate}": nodes.constant(p.peephole[row]) for row, gate in enumerate(cell.learned_gates)}
    return known


def _states(cell: Cell) -> tuple[str, ...]:
    return (*cell.row.states, SEEN) if cell.window > 1 else cell.row.states


def _declared(names: Iterable[str]) -> list[Any]:
    """Numbers in single precision, of any shape."""
    from onnx import TensorProto, helper

    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]


def _filled(nodes: _Nodes, batch: str, size: int, value: float) -> str:
    from onnx import TensorProto, helper

    shape = nodes.one("Concat", batch, nodes.constant(torch.tensor([size])), axis=0)
    return nodes.one("ConstantOfShape", shape, value=helper.make_tensor("value", TensorProto.FLOAT, [1], [value]))


def to_onnx(checkpoint: Checkpoint) -> bytes:
    """
    The forward pass of a network with these weights, in single precision: inputs (T, B, D) of any length and number to
    the answer, (B, O) or (T, B, O). ValueError for a cell without code, or with functions that ONNX has no words for.
    """
    from onnx import TensorProto, helper, numpy_helper

    network = Network(checkpoint.experiment).load(checkpoint.weights.float()).requires_grad_(False)
    cell, task = network.stack.cell, network.task
    check_code(cell)
    nodes = _Nodes({})
    shown = _through_layers(nodes, network)
    if not task.every_step:
        shown = nodes.one("Gather", shown, nodes.constant(torch.tensor(-1)), axis=0)
    product = nodes.one("MatMul", shown, nodes.constant(network.readout.weight.t()))
    nodes.made.append(helper.make_node("Add", [product, nodes.constant(network.readout.bias)], ["answer"]))
    sizes: list[int | str] = [*["T"] * task.every_step, "B", len(task.outputs)]
    graph = helper.make_graph(
        nodes.made,
        "network",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["T", "B", len(task.inputs)])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, sizes)],
        [numpy_helper.from_array(values.contiguous().numpy(), name) for name, values in nodes.constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=FORMAT)
    helper.set_model_props(model, {"experiment": checkpoint.experiment.to_json(), "step": str(checkpoint.step)})
    return model.SerializeToString()


def _through_layers(nodes: _Nodes, network: Network) -> str:
    """What the readout sees at all time steps, (T, B, W)."""
    gates = [(nodes.constant(gate.weight.t()), nodes.constant(gate.bias)) for gate in network.stack.gate_list]
    ends = [nodes.constant(torch.tensor([place])) for place in (1, 2)]
    batch, hidden = nodes.one("Slice", nodes.one("Shape", "inputs"), *ends), list[str]()
    above, states = ABOVE[network.stack.wiring], _states(network.stack.cell)
    for number, layer in enumerate(network.stack.layer_list):
        sizes = [layer.recurrent_size if state == SEEN else layer.hidden_size for state in states]
        values = [-math.inf if state in network.stack.cell.row.from_below else 0.0 for state in states]
        starts = [_filled(nodes, batch, size, value) for size, value in zip(sizes, values, strict=True)]
        body = _body(layer, nodes.constants, f"layer_{number}_")
        below = above(nodes, hidden, gates) if hidden else "inputs"
        *_, kept = nodes.add("Scan", *starts, below, outputs=len(starts) + 1, body=body, num_scan_inputs=1)
        hidden.append(kept)
    return above(nodes, hidden, gates)


def _gated_sum(nodes: _Nodes, hidden: Sequence[str], gates: Gates) -> str:
    seen, *others = hidden
    for (weight, bias), one in zip(gates, others, strict=False):
        through = nodes.one("Sigmoid", nodes.one("Add", nodes.one("MatMul", seen, weight), bias))
        seen = nodes.one("Add", seen, nodes.one("Mul", through, nodes.one("Sub", one, seen)))
    return seen


# What the rows of `WIRINGS` show above at least one layer with such hidden states.
ABOVE: dict[str, Callable[[_Nodes, Sequence[str], Gates], str]] = {
    PLAIN: lambda nodes, hidden, gates: hidden[-1],
    "residual": lambda nodes, hidden, gates: nodes.one("Sum", *hidden),
    "highway": _gated_sum,
    "dense": lambda nodes, hidden, gates: nodes.one("Concat", "inputs", *hidden, axis=-1),
}
