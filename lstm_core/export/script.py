"""How does an experiment read in plain torch? As a script that draws, computes and prints the same numbers."""

from collections.abc import Iterable, Iterator
from inspect import isfunction
from typing import NamedTuple

from lstm_core.data import MOST_DRAWN, VALUES_DRAWN
from lstm_core.experiment import Experiment
from lstm_core.export.layer import layer
from lstm_core.export.plain import tasks
from lstm_core.export.sources import imports, needed
from lstm_core.layers import TRANSFORM_BIAS
from lstm_core.streams import Purpose
from lstm_core.tasks.series import FILLED, known
from lstm_core.training.standing import MEAN_OVER, solved_below
from lstm_core.wiring import PLAIN, WIRINGS

UPDATES = {
    "adam": "torch.optim.Adam(network.parameters(), lr=LR, fused=True)",
    "rmsprop": "torch.optim.RMSprop(network.parameters(), lr=LR, alpha=0.9)",
    "sgd": "torch.optim.SGD(network.parameters(), lr=LR, momentum={momentum})",
}


class Section(NamedTuple):
    """A part of a script: its title, and its lines."""

    title: str
    code: str


def script(parts: Iterable[Section], docstring: str) -> str:
    """These sections as one file, which begins with this docstring."""
    return "\n\n\n".join([f'"""\n{docstring}\n"""', *(f"# %% {title}\n{code}" for title, code in parts)]) + "\n"


def sections(experiment: Experiment) -> list[Section]:
    """
    Its parts, to be run one after the other. They need torch alone, and series.csv in the same folder where a series is
    forecast. ValueError, naming the field, for a task, a cell or an activation without code of its own.
    """
    if experiment.refusal:
        raise ValueError(experiment.refusal)
    if experiment.problem.of and (reason := _unwritten(experiment)):
        raise ValueError(reason)
    if not isfunction(getattr(tasks, experiment.task, None)):
        raise ValueError(f"task: {experiment.task!r} has no code of its own")
    written = [
        Section("The cell", layer(experiment)),
        Section("The network", "\n".join(_network(experiment))),
        Section("The training", "\n".join(_training(experiment))),
    ]
    drawing, settings = "\n".join(_drawing(experiment)), "\n".join(_settings(experiment))
    code = [section.code for section in written]
    numbers, sequences, slopes = needed("\n".join([drawing, *code]))
    first, *others = written
    return [
        Section("Settings", f"{imports([numbers, sequences, slopes, *code])}\n\n{settings}"),
        Section("Random numbers, the same as numpy's: skip this part at first", numbers),
        Section("The task", _joined(sequences, drawing)),
        Section(first.title, _joined(slopes, first.code)),
        *others,
    ]


def _unwritten(experiment: Experiment) -> str:
    """What of a forecast has no code of its own, in one line; "" if all has."""
    view = experiment.view
    asked = {
        "log": view.log,
        "difference": view.difference,
        "folds": experiment.folds > 1,
        "with": bool(view.series.beside),
    }
    return next((f"{name}: a script does not forecast so" for name, is_asked in asked.items() if is_asked), "")


def _joined(*parts: str) -> str:
    return "\n\n\n".join(filter(None, parts))


def _settings(experiment: Experiment) -> Iterator[str]:
    task = experiment.problem
    yield f"SEED = {experiment.seed}"
    yield f"T = {experiment.length}  # time steps of the memory"
    yield f"D, H, O = {len(task.inputs)}, {experiment.hidden}, {len(task.outputs)}  # inputs, hidden units, outputs"
    yield f"BATCH, STEPS, LR = {experiment.batch}, {experiment.steps}, {experiment.lr}"
    if task.of:
        filled = known(experiment.series).gaps == FILLED
        yield f"HORIZON, FILLED = {experiment.horizon}, {filled}  # steps ahead; whether gaps of the series are filled"
    yield ""
    yield f"torch.set_default_dtype(torch.{experiment.precision})"
    yield "torch.set_flush_denormal(True)  # the smallest numbers are slow"
    yield "torch.set_num_threads(1)"


def _drawing(experiment: Experiment) -> Iterator[str]:
    """An endless stream of batches."""
    further, along = ", HORIZON, FILLED" if experiment.problem.of else "", int(experiment.problem.every_step)
    kind, fixed = ".to(torch.get_default_dtype())", experiment.sequences
    yield "def drawn(stream, sequences):"
    yield f"    inputs, targets = {experiment.task}(stream, T, sequences{further})"
    yield f"    return inputs{kind}, targets{'' if experiment.problem.classes else kind}"
    yield ""
    yield ""
    yield "def batches():"
    if fixed:
        yield f'    """Out of a fixed set of {fixed} sequences, for ever: inputs (T, B, D) and targets."""'
        yield f"    inputs, targets = drawn(Stream(SEED, {int(Purpose.DATA)}), {fixed})"
        yield f"    stream = Stream(SEED, {int(Purpose.BATCHES)})"
        yield "    while True:"
        yield f"        places = integers(stream, 0, {fixed}, BATCH)"
        yield f"        yield inputs[:, places], targets[{':, ' * along}places]"
        return
    together = min(MOST_DRAWN, 1 + VALUES_DRAWN // (experiment.time_steps * experiment.batch))
    yield '    """New sequences for ever, drawn for several batches at once: inputs (T, B, D) and targets."""'
    yield f"    stream = Stream(SEED, {int(Purpose.DATA)})"
    yield "    while True:"
    yield f"        inputs, targets = drawn(stream, {together} * BATCH)"
    yield f"        yield from zip(inputs.split(BATCH, 1), targets.split(BATCH{', 1' * along}))"


ABOVE = {
    PLAIN: ("seen = layer(seen)",),
    "residual": ("hidden = layer(seen)", "seen = seen + hidden if number else hidden"),
    "highway": (
        "hidden = layer(seen)",
        "seen = torch.lerp(seen, hidden, self.gates[number - 1](seen)) if number else hidden",
    ),
    "dense": ("seen = torch.cat([seen, layer(seen)], -1)",),
}


GATE = f'''class Gate(nn.Module):
    """How much of a layer's hidden states is let through, from 0 to 1; the rest of what it saw stays."""

    def __init__(self, stream):
        super().__init__()
        self.W = parameter(uniform(stream, H**-0.5, H, H))
        self.b = parameter(torch.full((H,), {TRANSFORM_BIAS}))

    def forward(self, seen):
        return F.linear(seen, self.W, self.b).sigmoid()'''


def _network(experiment: Experiment) -> Iterator[str]:
    """Layers, and a linear readout of what the wiring shows."""
    wiring = WIRINGS[experiment.wiring]
    *sizes, width = wiring.widths(len(experiment.problem.inputs), experiment.hidden, experiment.layers)
    gates = wiring.gates(experiment.layers)
    if gates:
        yield from (GATE, "", "")
    yield "class Network(nn.Module):"
    yield '    """Layers, and a linear readout of what they show."""'
    yield ""
    yield "    def __init__(self, stream):"
    yield "        super().__init__()"
    yield f"        self.W = parameter(uniform(stream, {width}**-0.5, O, {width}))"
    yield f"        self.b = parameter(uniform(stream, {width}**-0.5, O))"
    yield f"        self.layers = nn.ModuleList(Layer(width, stream) for width in {sizes})"
    if gates:
        yield f"        self.gates = nn.ModuleList(Gate(stream) for _ in range({gates}))"
    yield ""
    yield "    def forward(self, inputs):"
    yield "        seen = inputs"
    number = "number, " if any("number" in line for line in ABOVE[experiment.wiring]) else ""
    yield f"        for {number}layer in {'enumerate(self.layers)' if number else 'self.layers'}:"
    for line in ABOVE[experiment.wiring]:
        yield f"            {line}"
    yield f"        return F.linear({'seen' if experiment.problem.every_step else 'seen[-1]'}, self.W, self.b)"


def _training(experiment: Experiment) -> Iterator[str]:
    loss = "F.mse_loss(answer, targets)"
    if experiment.problem.classes:
        loss = "F.cross_entropy(answer.flatten(0, -2), targets.flatten())"
    yield f"network = Network(Stream(SEED, {int(Purpose.WEIGHTS)}))"
    yield f"optimizer = {UPDATES[experiment.optimizer].format(momentum=experiment.momentum)}"
    yield "losses = []"
    yield "print(f\"{'step':>7} {'loss':>18} {'gradient norm':>14} {'||dL/dh_1||':>14}\")"
    yield "for step, (inputs, targets) in zip(range(1, STEPS + 1), batches()):"
    yield "    answer = network(inputs)"
    yield f"    loss = {loss}"
    yield "    first = network.layers[-1].states[0]"
    yield "    first.retain_grad()"
    yield "    optimizer.zero_grad()"
    yield "    loss.backward()"
    yield "    gradient = torch.cat([weights.grad.flatten() for weights in network.parameters()])"
    yield "    norm = float(torch.linalg.vector_norm(gradient, dtype=torch.float64))"
    yield "    losses.append(loss.item())"
    yield '    print(f"{step:7} {losses[-1]:18.12g} {norm:14.6g} {float(first.grad.norm()):14.6g}", flush=True)'
    yield "    if not math.isfinite(losses[-1] + norm):"
    yield '        print("diverged")'
    yield "        break"
    if solved := solved_below(experiment):
        yield f"    if step >= {MEAN_OVER} and sum(losses[-{MEAN_OVER}:]) / {MEAN_OVER} < {solved!r}:"
        yield '        print("solved")'
        yield "        break"
    if experiment.clip == "norm":
        yield f"    if norm > {experiment.clip_at!r}:"
        yield "        for weights in network.parameters():"
        yield f"            weights.grad *= {experiment.clip_at!r} / norm"
    elif experiment.clip == "value":
        yield "    for weights in network.parameters():"
        yield f"        weights.grad.clamp_(-{experiment.clip_at!r}, {experiment.clip_at!r})"
    yield "    optimizer.step()"
