"""
What would the same cell cost in JAX? Whole training steps, each compiled as one, with donated buffers.

A layer is a function of its weights and of the inputs (T, B, D); it returns the hidden states (T, B, H). Of the cells
written here the weights are `matrix`, what there is of [W_h W_x b], transposed, and what the family alone has, by name.
This module is for processes in which JAX is installed.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

Weights = Any
Layer = Callable[[Weights, Any], Any]


def _with_ones(inputs: Any) -> Any:
    return jnp.concatenate([inputs, jnp.ones((*inputs.shape[:2], 1))], 2)


def _recurrent(step: Callable[[Any, tuple[Any, ...]], tuple[Any, ...]], starts: tuple[float, ...]) -> Layer:
    """A scan with the product with [h; x; 1] inside; `step` makes the next states, h first, of it and of the others."""

    def layer(weights: Weights, inputs: Any) -> Any:
        matrix = weights["matrix"]
        size = len(matrix) - inputs.shape[2] - 1

        def once(states: tuple[Any, ...], x: Any) -> tuple[tuple[Any, ...], Any]:
            after = step(jnp.split(jnp.concatenate([states[0], x], 1) @ matrix, matrix.shape[1] // size, 1), states)
            return after, after[0]

        first = tuple(jnp.full((inputs.shape[1], size), start) for start in starts)
        return jax.lax.scan(once, first, _with_ones(inputs))[1]

    return layer


def _lstm(blocks: Any, states: tuple[Any, ...]) -> tuple[Any, ...]:
    (i, f, g, o), (_, c) = blocks, states
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def _slstm(blocks: Any, states: tuple[Any, ...]) -> tuple[Any, ...]:
    (log_i, f, z, o), (_, c, n, m) = blocks, states
    log_f = jax.nn.log_sigmoid(f) + m
    m = jnp.maximum(log_f, log_i)
    f, i = jnp.exp(log_f - m), jnp.exp(log_i - m)
    c, n = f * c + i * jnp.tanh(z), f * n + i
    return jax.nn.sigmoid(o) * c / n, c, n, m


class Terms(NamedTuple):
    """Of c' = a c + b, number by number, for all time steps; `read` makes h of all c."""

    a: Any
    b: Any
    read: Callable[[Any], Any] = lambda states: states


def _mingru(weights: Weights, inputs: Any) -> Terms:
    z, h = jnp.split(_with_ones(inputs) @ weights["matrix"], 2, 2)
    z = jax.nn.sigmoid(z)
    return Terms(1 - z, z * h)


def _minlstm(weights: Weights, inputs: Any) -> Terms:
    f, i, h = jnp.split(_with_ones(inputs) @ weights["matrix"], 3, 2)
    log_ratio = jax.nn.log_sigmoid(f) - jax.nn.log_sigmoid(i)
    return Terms(jax.nn.sigmoid(log_ratio), jax.nn.sigmoid(-log_ratio) * h)


def _lru(weights: Weights, inputs: Any) -> Terms:
    turned = jnp.exp(jax.lax.complex(-jnp.exp(weights["nu"]), jnp.exp(weights["theta"])))
    r, i, d = jnp.split(inputs @ weights["matrix"], 3, 2)
    gamma = jnp.exp(weights["gamma"])

    def read(states: Any) -> Any:
        return states.real @ weights["C_r"].T - states.imag @ weights["C_i"].T + d

    return Terms(jnp.broadcast_to(turned, (len(inputs), 1, len(turned))), jax.lax.complex(gamma * r, gamma * i), read)


def _one_by_one(a: Any, b: Any) -> Any:
    def once(state: Any, terms: Any) -> tuple[Any, Any]:
        after = terms[0] * state + terms[1]
        return after, after

    return jax.lax.scan(once, jnp.zeros_like(b[0]), (a, b))[1]


def _in_a_tree(a: Any, b: Any) -> Any:
    def both(early: Any, late: Any) -> tuple[Any, Any]:
        return late[0] * early[0], late[0] * early[1] + late[1]

    return jax.lax.associative_scan(both, (a, b))[1]


def _linear(terms: Callable[[Weights, Any], Terms], solved: Callable[[Any, Any], Any]) -> Layer:
    def layer(weights: Weights, inputs: Any) -> Any:
        found = terms(weights, inputs)
        return found.read(solved(found.a, found.b))

    return layer


_TERMS = {"mingru": _mingru, "minlstm": _minlstm, "lru": _lru}
SCANS: dict[str, Layer] = {
    "lstm": _recurrent(_lstm, (0.0, 0.0)),
    "slstm": _recurrent(_slstm, (0.0, 0.0, 0.0, -jnp.inf)),
    **{name: _linear(terms, _one_by_one) for name, terms in _TERMS.items()},
}
TREES: dict[str, Layer] = {name: _linear(terms, _in_a_tree) for name, terms in _TERMS.items()}


def in_flax(inputs: int, hidden: int) -> tuple[Layer, Weights]:
    """Its LSTM with one product for all gates."""
    from flax import nnx

    rnn = nnx.RNN(nnx.OptimizedLSTMCell(inputs, hidden, rngs=nnx.Rngs(0)), time_major=True)
    graph, weights, others = nnx.split(rnn, nnx.Param, ...)

    def layer(weights: Weights, seen: Any) -> Any:
        zeros = jnp.zeros((seen.shape[1], hidden))
        return nnx.merge(graph, weights, others)(seen, initial_carry=(zeros, zeros))

    return layer, weights


def in_keras(inputs: int, hidden: int) -> tuple[Layer, Weights]:
    """Its LSTM, where the backend of Keras is JAX."""
    import keras

    rnn = keras.layers.RNN(keras.layers.LSTMCell(hidden), return_sequences=True)
    rnn.build((None, None, inputs))
    weights, others = (
        [variable.value for variable in variables]
        for variables in (rnn.trainable_variables, rnn.non_trainable_variables)
    )

    def layer(weights: Weights, seen: Any) -> Any:
        return rnn.stateless_call(weights, others, seen.swapaxes(0, 1))[0].swapaxes(0, 1)

    return layer, weights


def training(layer: Layer, weights: Weights, hidden: int, batches: Iterable[Any]) -> Callable[[int], None]:
    """
    Run, and it makes so many steps: a readout of the last hidden state (B, H), squared error, the norm clipped at 1,
    Adam on one vector of all weights. `batches` are inputs and targets, in turn.
    """
    readout = jnp.full((hidden, 1), hidden**-0.5), jnp.zeros(1)
    vector, unravel = ravel_pytree((weights, readout))
    data = itertools.cycle([tuple(jnp.asarray(tensor.numpy()) for tensor in batch) for batch in batches])

    def loss(vector: Any, inputs: Any, targets: Any) -> Any:
        weights, (out, bias) = unravel(vector)
        return jnp.mean((layer(weights, inputs)[-1] @ out + bias - targets) ** 2)

    def adam(state: Any, inputs: Any, targets: Any) -> Any:
        vector, first, second, t = state
        gradient = jax.grad(loss)(vector, inputs, targets)
        gradient *= jnp.minimum(1, 1 / jnp.linalg.norm(gradient))
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        change = first / (1 - 0.9**t) / (jnp.sqrt(second / (1 - 0.999**t)) + 1e-8)
        return vector - 1e-6 * change, first, second, t + 1

    trained = jax.jit(adam, donate_argnums=0)
    held = [(vector, jnp.zeros_like(vector), jnp.zeros_like(vector), np.float32(1))]

    def run(count: int) -> None:
        state = held.pop()
        for _ in range(count):
            state = trained(state, *next(data))
        held.append(jax.block_until_ready(state))

    return run
