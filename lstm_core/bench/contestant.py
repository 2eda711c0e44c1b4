"""
One contestant in a process of its own: eight networks on the adding problem in whole training steps, on two threads.

No contestant's threads live in another's process: beside a pool of threads OpenMP is many times slower. Started with
the name of a contestant, it says "ready"; for each line of a cell, T, B, H and steps it writes the milliseconds of one
step of one network. Run from another folder it trains with the project that lies there.
"""

import itertools
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from shutil import which
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NETWORKS, THREADS, EVERY = 8, 2, 3
FEATURES = 2
# A loop over a whole sequence takes its compiler minutes.
COMPILED_STEPS = 10
# Three ways to write the same optimizer.
ADAMS = (None, "fused", "foreach")
# Run, and it makes so many steps.
Network = Callable[[int], None]


class Case(NamedTuple):
    """A cell by its name, and its sizes T, B, H."""

    cell: str
    time_steps: int
    batch: int
    hidden: int


@lru_cache
def _batches(time_steps: int, batch: int) -> list[tuple[Tensor, Tensor]]:
    """Drawn beforehand, the same for everybody."""
    from lstm_core.data import samples
    from lstm_core.experiment import Experiment

    return list(itertools.islice(samples(Experiment(length=time_steps, batch=batch, stream=2)), 32))


def _cycle(case: Case) -> Iterator[tuple[Tensor, Tensor]]:
    return itertools.cycle(_batches(case.time_steps, case.batch))


def _side_by_side(case: Case) -> Iterator[tuple[Tensor, Tensor]]:
    inputs, targets = zip(*_batches(case.time_steps, case.batch), strict=True)
    return itertools.repeat((torch.cat(inputs, 1), torch.cat(targets)))


def _experiment(case: Case) -> Any:
    """On the fused engine if that has kernels of the cell, and so slow that no training ends early."""
    from lstm_core.experiment import Experiment

    cell, length, batch, hidden = case
    slow: dict[str, Any] = {"lr": 1e-6, "steps": 1_000_000, "stream": 2}
    experiment = Experiment(cell=cell, length=length, batch=batch, hidden=hidden, engine="reference", **slow)
    try:
        return replace(experiment, engine="fused")
    except ValueError:
        return experiment


def first_weights(case: Case) -> dict[str, Tensor]:
    """Of the project's layer: `matrix`, what it has of [W_h W_x b], transposed; and what its family alone has."""
    from lstm_core.network import Network as Own

    layer = Own(_experiment(case)).layer
    learned = dict(layer.named_parameters())
    parts = [learned[name] for name in ("weight_h", "weight_x", "bias") if name in learned]
    matrix = torch.cat([part.reshape(len(part), -1) for part in parts], 1).t().contiguous()
    return {name: tensor.detach() for name, tensor in {"matrix": matrix, **layer.own}.items()}


def _ours(case: Case) -> Network:
    """As a race does it, every third step recorded."""
    from lstm_core import data
    from lstm_core.fair_lock import TRAINING, held

    drawn = _side_by_side(case)
    patch.object(data, "_draws", lambda _: drawn).start()
    # Another state of the project may have it in another module.
    snapshots = import_module("lstm_core").train(_experiment(case), EVERY)
    next(snapshots)
    with held(TRAINING):
        next(snapshots)

    def run(count: int) -> None:
        for _ in range(count // EVERY):
            with held(TRAINING):
                next(snapshots)

    return run


def _trained(parameters: list[nn.Parameter], loss: Callable[..., Tensor], case: Case, adam: str | None) -> Network:
    """`loss` of inputs and targets, as one trains it in torch."""
    data, (fused, foreach) = _cycle(case), (adam == way or None for way in ADAMS[1:])
    optimizer = torch.optim.Adam(parameters, lr=1e-6, fused=fused, foreach=foreach)

    def run(count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            loss(*next(data)).backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()

    return run


def _torch(case: Case, adam: str | None) -> Network:
    lstm, readout = nn.LSTM(FEATURES, case.hidden), nn.Linear(case.hidden, 1)

    def loss(inputs: Tensor, targets: Tensor) -> Tensor:
        return F.mse_loss(readout(lstm(inputs)[0][-1]), targets)

    return _trained([*lstm.parameters(), *readout.parameters()], loss, case, adam)


@lru_cache
def _compiled() -> Any:
    """A few time steps of an LSTM: h and c (B, H), [x; 1] of each step and [W_h W_x b] transposed to h and c."""

    def steps(h: Tensor, c: Tensor, inputs: tuple[Tensor, ...], matrix: Tensor) -> tuple[Tensor, Tensor]:
        for x in inputs:
            i, f, g, o = (torch.cat([h, x], 1) @ matrix).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h, c

    return torch.compile(steps, dynamic=False)


def _loop(case: Case) -> Network:
    matrix, readout, steps = nn.Parameter(first_weights(case)["matrix"]), nn.Linear(case.hidden, 1), _compiled()

    def loss(inputs: Tensor, targets: Tensor) -> Tensor:
        h = c = inputs.new_zeros(case.batch, case.hidden)
        for some in F.pad(inputs, (0, 1), value=1.0).split(COMPILED_STEPS):
            h, c = steps(h, c, some.unbind(), matrix)
        return F.mse_loss(readout(h), targets)

    return _trained([matrix, *readout.parameters()], loss, case, "fused")


def _in_jax(case: Case, scans: str) -> Network:
    """The cell's row of one of the tables of scans there, from the project's own first weights."""
    from lstm_core.bench import in_jax

    weights = {name: tensor.numpy() for name, tensor in first_weights(case).items()}
    return _run_in_jax(case, getattr(in_jax, scans)[case.cell], weights)


def _library(case: Case, name: str) -> Network:
    """An LSTM of a library that computes in JAX."""
    os.environ["KERAS_BACKEND"] = "jax"
    from lstm_core.bench import in_jax

    return _run_in_jax(case, *getattr(in_jax, name)(FEATURES, case.hidden))


def _run_in_jax(case: Case, layer: Any, weights: Any) -> Network:
    from lstm_core.bench import in_jax

    return in_jax.training(layer, weights, case.hidden, _batches(case.time_steps, case.batch))


class Contestant(NamedTuple):
    """The fastest of some ways to train is taken."""

    label: str
    ways: tuple[Callable[[Case], Network], ...]
    # Of torch; None: a pool of threads with one each.
    threads: int | None = None
    # Packages and programs.
    needs: Collection[str] = ()

    @property
    def missing(self) -> list[str]:
        """What it needs and is not installed."""
        return [name for name in self.needs if not (find_spec(name) or which(name))]


_NN_LSTM = tuple(partial(_torch, adam=way) for way in ADAMS)
POOL = f"pool of {THREADS} threads"
OURS, BEFORE = "ours", "before"
CONTESTANTS: dict[str, Contestant] = {
    OURS: Contestant(f"this project, {POOL}", (_ours,)),
    BEFORE: Contestant(f"this project, as it was in the other folder, {POOL}", (_ours,)),
    "one": Contestant("torch.nn.LSTM in turn, one thread", _NN_LSTM, 1),
    "two": Contestant("torch.nn.LSTM in turn, two threads", _NN_LSTM, 2),
    "pool": Contestant(f"torch.nn.LSTM, {POOL}", _NN_LSTM),
    "compiled": Contestant(
        f"torch.compile, {COMPILED_STEPS} steps of a loop at once, {POOL}", (_loop,), None, ("g++",)
    ),
    "jax": Contestant(f"JAX, lax.scan, {POOL}", (partial(_in_jax, scans="SCANS"),), None, ("jax",)),
    "associative": Contestant(f"JAX, lax.associative_scan, {POOL}", (partial(_in_jax, scans="TREES"),), None, ("jax",)),
    "flax": Contestant(f"Flax, nnx.RNN, {POOL}", (partial(_library, name="in_flax"),), None, ("jax", "flax")),
    "keras": Contestant(f"Keras on JAX, RNN, {POOL}", (partial(_library, name="in_keras"),), None, ("jax", "keras")),
}


def _milliseconds(networks: list[Network], pool: ThreadPoolExecutor | None, steps: int) -> float:
    """For one step of one network."""
    begun = time.perf_counter()
    list((pool.map if pool else map)(lambda network: network(steps), networks))
    return (time.perf_counter() - begun) * 1e3 / steps / len(networks)


def _fastest(ways: tuple[Callable[[Case], Network], ...], case: Case, pool: ThreadPoolExecutor | None) -> list[Network]:
    teams = [[way(case) for _ in range(NETWORKS)] for way in ways]
    for team in teams:
        _milliseconds(team, pool, EVERY)
    return min(teams, key=lambda team: min(_milliseconds(team, pool, EVERY) for _ in range(2)) if teams[1:] else 0)


def _settled() -> None:
    torch.set_flush_denormal(True)


def main(name: str) -> None:
    """Answer lines until there are no more."""
    contestant = CONTESTANTS[name]
    torch.set_num_threads(contestant.threads or 1)
    _settled()
    pool = ThreadPoolExecutor(THREADS, initializer=_settled) if contestant.threads is None else None
    teams: dict[Case, list[Network]] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        cell, *numbers = line.split()
        *sizes, steps = map(int, numbers)
        case = Case(cell, *sizes)
        teams[case] = teams.get(case) or _fastest(contestant.ways, case, pool)
        print(_milliseconds(teams[case], pool, steps), flush=True)


if __name__ == "__main__":
    sys.path[0] = "."
    main(sys.argv[1])
