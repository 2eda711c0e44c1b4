"""How does one layer of an experiment read in plain torch? Its first weights, and its steps over time."""

from collections.abc import Iterator
from typing import NamedTuple

from lstm_core.cells import Cell
from lstm_core.cells.family import OPTIONS
from lstm_core.experiment import CHRONO, Experiment

# Fields of a cell that a script does not have.
WITHOUT_CODE = ("layer_norm", "zoneout_h", "zoneout_c")
ROOT, BOTH = "H**-0.5", "(H + width) ** -0.5"


class Start(NamedTuple):
    """A row of `INITS` in torch's words: one block of W_h, and the bounds of W_h and of W_x; `joint`, if it differs."""

    square: str
    of_h: str = ROOT
    of_x: str = ROOT
    joint: str = ""
    biases: bool = False


STARTS = {
    "uniform": Start("uniform(stream, {bound}, H, H)", biases=True),
    "linear": Start("uniform(stream, {bound}, H, H)", of_x="width**-0.5", joint=BOTH, biases=True),
    "xavier": Start("uniform(stream, {bound}, H, H)", "math.sqrt(3 / H)", "math.sqrt(6 / (H + width))"),
    "orthogonal": Start("orthogonal(stream)"),
    "identity": Start("torch.eye(H, dtype=torch.float64)"),
    "identity_alone": Start("torch.eye(H, dtype=torch.float64) + 0 * uniform(stream, {bound}, H, H)", biases=True),
    "gaussian": Start("normal(stream, H, H) / math.sqrt(H)"),
}
ORTHOGONAL = '''def orthogonal(stream):
    """Of a Gaussian matrix the factor Q, with signs that make all orthogonal matrices as likely."""
    q, r = torch.linalg.qr(normal(stream, H, H))
    return q * r.diagonal().sign()'''
PARAMETER = '''def parameter(values):
    """As drawn, but with the digits of single precision, whichever the training has."""
    return nn.Parameter(values.float().to(torch.get_default_dtype()))'''


def layer(experiment: Experiment) -> str:
    """
    The class of a layer, with the functions that draw its weights. ValueError for a cell or an activation without code.
    """
    cell = experiment.recurrent_cell
    check_code(cell)
    first, steps = _indented(_first_weights(experiment)), _indented(_over_time(experiment))
    written = f'''class Layer(nn.Module):
    """{cell.row.label}: hidden states (T, B, H) from inputs (T, B, width)."""

    def __init__(self, width, stream):
        super().__init__()
{first}

    def forward(self, inputs):
{steps}'''
    return "\n\n\n".join([ORTHOGONAL] * (experiment.init == "orthogonal") + [PARAMETER, written])


def check_code(cell: Cell) -> None:
    """ValueError, naming the field, for a cell that scripts and ONNX files do not know."""
    if cell.row.code is None or cell.row.own:
        raise ValueError(f"cell: {cell.family!r} has no code of its own")
    for name in WITHOUT_CODE:
        if (value := getattr(cell, name)) != OPTIONS[name]:
            raise ValueError(f"{name}: {value!r} has no code of its own")


def _indented(lines: Iterator[str]) -> str:
    return "\n".join(f"        {line}" for line in lines)


def _is_joint(experiment: Experiment) -> bool:
    return experiment.weights == "concatenated" and experiment.recurrent_cell.row.recurrent


def _has_peepholes(experiment: Experiment) -> bool:
    return experiment.peephole and bool(experiment.recurrent_cell.learned_gates)


def _vectors(experiment: Experiment) -> list[str]:
    return ["b", *["b_h"] * (experiment.biases == 2), *["p"] * _has_peepholes(experiment)]


def _first_weights(experiment: Experiment) -> Iterator[str]:
    """In the order of `Layer.initialise`, with which they share a stream."""
    cell, start = experiment.recurrent_cell, STARTS[experiment.init]
    joint = start.joint if _is_joint(experiment) else ""
    of_h, of_x, blocks = joint or start.of_h, joint or start.of_x, "".join(cell.row.blocks)
    scale = f"{experiment.gain!r} * " if experiment.gain != 1 else ""
    older = f" / {cell.window}" if cell.window > 1 else ""
    square, vectors = f"{scale}{start.square.format(bound=of_h)}{older}", _vectors(experiment)
    names = [*["W_h"] * cell.row.recurrent, "W_x", *vectors]
    yield f"{', '.join(names)} = {', '.join(['{}'] * len(names))}"
    why = "" if blocks == cell.rows else "  # also for gates that are left out: all others begin as with them"
    yield f'for block in "{blocks}":{why}'
    if cell.row.recurrent:
        yield f"    W_h[block] = {square}"
    yield f"    W_x[block] = uniform(stream, {of_x}, H, width)"
    yield "    three = uniform(stream, 1, 3, H)  # for up to two biases and a peephole"
    for name in vectors:
        bound, place = (of_x, 0) if name == "b" else (of_h, ("b_h", "p").index(name) + 1)
        yield f"    {name}[block] = {f'{bound} * three[{place}]' if start.biases else 'torch.zeros(H)'}"
    if older:
        yield f"older = [{square} for _ in range({cell.window - 1})]"
    yield from _forget_bias(experiment)
    yield from _parameters(experiment)


def _forget_bias(experiment: Experiment) -> Iterator[str]:
    cell, chrono = experiment.recurrent_cell, experiment.forget_bias == CHRONO
    signs = cell.remembering(chrono)
    if signs and chrono:
        longest = max(experiment.time_steps, 2)
        yield f"chrono = torch.log1p({longest - 2} * (uniform(stream, 0.5, H) + 0.5))"
    for name, sign in signs.items():
        if name in cell.rows:
            spread, value = "chrono" if sign > 0 else "-chrono", 0.0 if chrono else sign * float(experiment.forget_bias)
            yield f'b["{name}"] = {spread if chrono else f"torch.full((H,), {value!r})"}'
            if experiment.biases == 2:
                yield f'b_h["{name}"] = torch.zeros(H)'


def _parameters(experiment: Experiment) -> Iterator[str]:
    cell = experiment.recurrent_cell
    yield f'rows = "{cell.rows}"'
    of_h, of_x = (f"torch.cat([{name}[block] for block in rows])" for name in ("W_h", "W_x"))
    if cell.window > 1:
        of_h = f"torch.cat([{of_h}, *older], 1)"
    if _is_joint(experiment):
        yield f"W_h = {of_h}"
        yield f"W_x = {of_x}"
        yield "self.W = parameter(torch.cat([W_h, W_x], 1))"
    else:
        if cell.row.recurrent:
            yield f"self.W_h = parameter({of_h})"
        yield f"self.W_x = parameter({of_x})"
    for name in _vectors(experiment):
        if name == "p":
            yield f'self.p = parameter(torch.stack([p[gate] for gate in "{cell.learned_gates}"]))'
        else:
            yield f"self.{name} = parameter(torch.cat([{name}[block] for block in rows]))"


def _over_time(experiment: Experiment) -> Iterator[str]:
    """`unroll`, with the step of the cell in its middle."""
    cell, joint = experiment.recurrent_cell, _is_joint(experiment)
    assert cell.row.code is not None
    below = cell.row.from_below
    yield f"{' = '.join(state for state in cell.row.states if state not in below)} = torch.zeros(inputs.shape[1], H)"
    for state in below:
        yield f"{state} = torch.full((inputs.shape[1], H), -torch.inf)"
    if cell.window > 1:
        yield f"seen = torch.zeros(inputs.shape[1], {cell.window} * H)  # the last {cell.window} hidden states"
    if _has_peepholes(experiment):
        yield f"{_unpacked('p', cell.learned_gates)} = self.p"
    yield from _bias(experiment)
    yield "self.states = []"
    of_x = "F.linear(inputs, self.W_x, b):  # what x adds, at all time steps at once"
    yield f"for x in {'inputs:' if joint else of_x}"
    for line in (*_preactivations(experiment), *cell.row.code(cell)):
        yield f"    {line}"
    if cell.window > 1:
        yield "    seen = torch.cat([h, seen[:, :-H]], 1)"
    yield "    self.states.append(h)"
    yield "return torch.stack(self.states)"


def _unpacked(prefix: str, blocks: str) -> str:
    names = ", ".join(f"{prefix}_{block}" for block in blocks)
    return names if len(blocks) > 1 else f"({names},)"


def _bias(experiment: Experiment) -> Iterator[str]:
    """The sum of both; of a block whose halves reach the step one by one, the second goes with h."""
    if experiment.biases == 1:
        yield "b = self.b"
    elif experiment.recurrent_cell.row.apart:
        upper, lower = _halves(experiment)
        yield f"b = torch.cat([self.b[{upper}] + self.b_h[{upper}], self.b[{lower}]])"
    else:
        yield "b = self.b + self.b_h"


def _halves(experiment: Experiment) -> tuple[str, str]:
    """Of the rows, those that need one product, and those of the block that is `apart`."""
    size = len(experiment.recurrent_cell.rows) - 1
    return f": {size} * H", f"{size} * H :"


def _preactivations(experiment: Experiment) -> Iterator[str]:
    """W_h h + W_x x + b of each block, a_i and so on; of a block that is `apart` both halves, a_n and a_n_x."""
    cell, joint = experiment.recurrent_cell, _is_joint(experiment)
    seen = "seen" if cell.window > 1 else "h"
    if not cell.row.recurrent:
        yield _chunks(cell.rows, "x")
        return
    if not cell.row.apart:
        product = f"torch.cat([{seen}, x], 1), self.W.T" if joint else f"{seen}, self.W_h.T"
        yield _chunks(cell.rows, f"torch.addmm({'b' if joint else 'x'}, {product})")
        return
    upper, lower = _halves(experiment)
    block, second = cell.row.apart, f", self.b_h[{lower}]" if experiment.biases == 2 else ""
    product = f"torch.cat([h, x], 1), self.W[{upper}].T" if joint else f"h, self.W_h[{upper}].T"
    yield _chunks(cell.rows[:-1], f"torch.addmm({f'b[{upper}]' if joint else f'x[:, {upper}]'}, {product})")
    yield f"a_{block} = F.linear(h, {f'self.W[{lower}, :H]' if joint else f'self.W_h[{lower}]'}{second})"
    yield f"a_{block}_x = {f'F.linear(x, self.W[{lower}, H:], b[{lower}])' if joint else f'x[:, {lower}]'}"


def _chunks(blocks: str, product: str) -> str:
    return (
        f"a_{blocks} = {product}"
        if len(blocks) == 1
        else f"{_unpacked('a', blocks)} = {product}.chunk({len(blocks)}, 1)"
    )
