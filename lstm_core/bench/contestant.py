"""
One contestant in a process of its own: eight full LSTMs on the adding problem in whole training steps, on two threads.

No contestant's threads live in another's process: beside a pool of threads OpenMP is many times slower. Started with
the name of a contestant, it says "ready"; for each line T, B, H and steps it writes the milliseconds of one step of one
network. Run from another folder it trains with the project that lies there.
"""

import importlib
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

NETWORKS, THREADS, EVERY = 8, 2, 3
# Of each contestant: who trains, and on how many threads of torch; None: a pool of threads with one each.
CONTESTANTS: dict[str, tuple[str, int | None]] = {
    "ours": ("ours", None),
    "one": ("torch", 1),
    "two": ("torch", 2),
    "pool": ("torch", None),
    "jax": ("jax", None),
}
# Three ways to write the same optimizer.
ADAMS = (None, "fused", "foreach")
# Run, and it makes so many steps.
Network = Callable[[int], None]


@lru_cache
def _batches(steps: int, batch: int) -> list[tuple[Any, Any]]:
    """Drawn beforehand, the same for everybody."""
    from lstm_core.data import samples
    from lstm_core.experiment import Experiment

    return list(itertools.islice(samples(Experiment(length=steps, batch=batch, stream=2)), 32))


def _cycle(steps: int, batch: int) -> Iterator[Any]:
    return itertools.cycle(_batches(steps, batch))


def _side_by_side(steps: int, batch: int) -> Iterator[Any]:
    inputs, targets = zip(*_batches(steps, batch), strict=True)
    return itertools.repeat((torch.cat(inputs, 1), torch.cat(targets)))


def _ours(size: tuple[int, int, int]) -> Network:
    """As a race does it, every third step recorded."""
    from lstm_core import data
    from lstm_core.experiment import Experiment
    from lstm_core.fair_lock import TRAINING, held

    steps, batch, hidden = size
    drawn = _side_by_side(steps, batch)
    patch.object(data, "_draws", lambda _: drawn).start()
    experiment = Experiment(length=steps, batch=batch, hidden=hidden, lr=1e-6, engine="fused", stream=2)
    # Another state of the project may have it in another module.
    snapshots = importlib.import_module("lstm_core").train(replace(experiment, steps=1_000_000), EVERY)
    next(snapshots)
    with held(TRAINING):
        next(snapshots)

    def run(count: int) -> None:
        for _ in range(count // EVERY):
            with held(TRAINING):
                next(snapshots)

    return run


def _torch(size: tuple[int, int, int], adam: str | None) -> Network:
    steps, batch, hidden = size
    lstm, readout, data = nn.LSTM(2, hidden), nn.Linear(hidden, 1), _cycle(steps, batch)
    parameters = [*lstm.parameters(), *readout.parameters()]
    fused, foreach = (adam == way or None for way in ADAMS[1:])
    optimizer = torch.optim.Adam(parameters, lr=1e-6, fused=fused, foreach=foreach)

    def run(count: int) -> None:
        for _ in range(count):
            inputs, targets = next(data)
            optimizer.zero_grad()
            loss = F.mse_loss(readout(lstm(inputs)[0][-1]), targets)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()

    return run


def _jax(size: tuple[int, int, int]) -> Network:
    """A scan with the product with the inputs inside, compiled as a whole step; its buffers are donated."""
    from lstm_core.streams import Purpose, stream

    jax, jnp, flatten = map(importlib.import_module, ("jax", "jax.numpy", "jax.flatten_util"))
    steps, batch, hidden = size
    numbers, shapes = stream(0, Purpose.PROBES), ((hidden + 3, 4 * hidden), (hidden, 1), (1,))
    first = [jnp.asarray(hidden**-0.5 * numbers.standard_normal(shape, dtype=np.float32)) for shape in shapes]
    weights, unravel = flatten.ravel_pytree(first)
    data = itertools.cycle([(jnp.asarray(x.numpy()), jnp.asarray(y.numpy())) for x, y in _batches(steps, batch)])

    def loss(weights: Any, inputs: Any, targets: Any) -> Any:
        matrix, out, bias = unravel(weights)
        ones = jnp.ones((batch, 1))

        def step(state: Any, x: Any) -> Any:
            h, c = state
            i, f, g, o = jnp.split(jnp.concatenate([h, x, ones], 1) @ matrix, 4, 1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        (h, _), _ = jax.lax.scan(step, (jnp.zeros((batch, hidden)),) * 2, inputs)
        return jnp.mean((h @ out + bias - targets) ** 2)

    def adam(state: Any, inputs: Any, targets: Any) -> Any:
        weights, first, second, t = state
        gradient = jax.grad(loss)(weights, inputs, targets)
        gradient *= jnp.minimum(1, 1 / jnp.linalg.norm(gradient))
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        change = first / (1 - 0.9**t) / (jnp.sqrt(second / (1 - 0.999**t)) + 1e-8)
        return weights - 1e-6 * change, first, second, t + 1

    trained = jax.jit(adam, donate_argnums=0)
    held = [(weights, jnp.zeros_like(weights), jnp.zeros_like(weights), jnp.float32(1))]

    def run(count: int) -> None:
        state = held.pop()
        for _ in range(count):
            state = trained(state, *next(data))
        held.append(jax.block_until_ready(state))

    return run


def _milliseconds(networks: list[Network], pool: ThreadPoolExecutor | None, steps: int) -> float:
    """For one step of one network."""
    begun = time.perf_counter()
    list((pool.map if pool else map)(lambda network: network(steps), networks))
    return (time.perf_counter() - begun) * 1e3 / steps / len(networks)


def _fastest(kind: str, size: tuple[int, int, int], pool: ThreadPoolExecutor | None) -> list[Network]:
    """Networks of the fastest way to write them: of torch's Adam there are three."""
    ways: dict[str, list[Callable[[Any], Network]]] = {
        "ours": [_ours],
        "jax": [_jax],
        "torch": [partial(_torch, adam=way) for way in ADAMS],
    }
    teams = [[way(size) for _ in range(NETWORKS)] for way in ways[kind]]
    for team in teams:
        _milliseconds(team, pool, EVERY)
    return min(teams, key=lambda team: min(_milliseconds(team, pool, EVERY) for _ in range(2)) if teams[1:] else 0)


def _settled() -> None:
    torch.set_flush_denormal(True)


def main(name: str) -> None:
    """Answer lines until there are no more."""
    kind, threads = CONTESTANTS[name]
    torch.set_num_threads(threads or 1)
    _settled()
    if kind == "ours":
        from lstm_core.engine import FUSED, resolve

        resolve(FUSED)
    pool = ThreadPoolExecutor(THREADS, initializer=_settled) if threads is None else None
    networks: dict[tuple[int, int, int], list[Network]] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        time_steps, batch, hidden, steps = map(int, line.split())
        size = time_steps, batch, hidden
        networks[size] = networks.get(size) or _fastest(kind, size, pool)
        print(_milliseconds(networks[size], pool, steps), flush=True)


if __name__ == "__main__":
    sys.path[0] = "."
    main(sys.argv[1])
