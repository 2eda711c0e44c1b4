"""What are phi(x) and phi'(x) in a kernel? One row for each row of `lstm_core.activations.ACTIVATIONS`."""

from collections.abc import Callable
from typing import Any

from numba import njit

from lstm_core.activations import LEAK
from lstm_core.kernels.elementwise import (
    OPTIONS,
    Precision,
    elementary,
    exp,
    expm1,
    log1p,
    normal_distribution,
    power_and_rest,
    sigmoid,
    sine_and_cosine,
)

Pair = Callable[[Any], Any]
# Beyond it torch takes softplus for the identity.
LINEAR_BEYOND = 20


@elementary
def _sigmoid(p: Precision) -> Pair:
    """y = 1 / (1 + e), slope = y^2 e, with e = e^-x."""
    one = p.real(1)

    def function(x: Any) -> Any:
        e = exp(-x)
        y = one / (one + e)
        return y, y * (y * e)

    return function


@elementary
def _tanh(p: Precision) -> Pair:
    """y = (e - 1) / (e + 1), slope = 4 e / (e + 1)^2, with e = e^2x; 0 where e + 1 has no inverse of all digits."""
    zero, one, four, farthest = p.real(0), p.real(1), p.real(4), p.real(-p.least)

    def function(x: Any) -> Any:
        double = x + x
        double = -farthest if double < -farthest else (farthest if double > farthest else double)
        power, rest = power_and_rest(double)
        e = power * rest + power
        share = one / (e + one)
        slope = four * (e * share) * share
        return (power * rest + (power - one)) * share, zero if abs(double) >= farthest else slope

    return function


@elementary
def _softsign(p: Precision) -> Pair:
    one = p.real(1)

    def function(x: Any) -> Any:
        scale = one / (one + abs(x))
        return x * scale, scale * scale

    return function


@elementary
def _hardtanh(p: Precision) -> Pair:
    zero, one = p.real(0), p.real(1)
    return lambda x: (-one if x < -one else (one if x > one else x), zero if abs(x) >= one else one)


@elementary
def _softplus(p: Precision) -> Pair:
    zero, one, beyond = p.real(0), p.real(1), p.real(LINEAR_BEYOND)

    def function(x: Any) -> Any:
        y, slope = (zero if x < zero else x) + log1p(exp(-abs(x))), sigmoid(x)
        return (x, one) if x > beyond else (y, slope)

    return function


@elementary
def _relu(p: Precision) -> Pair:
    zero, one = p.real(0), p.real(1)
    return lambda x: (zero if x <= zero else x, zero if x <= zero else one)


@elementary
def _leaky_relu(p: Precision) -> Pair:
    zero, one, leak = p.real(0), p.real(1), p.real(LEAK)
    return lambda x: (x, one) if x > zero else (leak * x, leak)


@elementary
def _elu(p: Precision) -> Pair:
    zero, one = p.real(0), p.real(1)
    return lambda x: (x, one) if x > zero else (expm1(x), exp(x))


@elementary
def _identity(p: Precision) -> Pair:
    one = p.real(1)
    return lambda x: (x, one)


@elementary
def _silu(p: Precision) -> Pair:
    one = p.real(1)

    def function(x: Any) -> Any:
        opened = sigmoid(x)
        return x * opened, opened * (one + x * (one - opened))

    return function


@elementary
def _gelu(p: Precision) -> Pair:
    def function(x: Any) -> Any:
        below, density = normal_distribution(x)
        return x * below, below + x * density

    return function


# One function holds all loops: twelve functions would take five times as long to compile.
SIGMOID, TANH, SOFTSIGN, HARDTANH, SINE, SOFTPLUS, RELU, LEAKY_RELU, ELU, IDENTITY, SILU, GELU = range(12)
CODES = {
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "softsign": SOFTSIGN,
    "hardtanh": HARDTANH,
    "sine": SINE,
    "softplus": SOFTPLUS,
    "relu": RELU,
    "leaky_relu": LEAKY_RELU,
    "elu": ELU,
    "identity": IDENTITY,
    "silu": SILU,
    "gelu": GELU,
}


@njit(**OPTIONS)
def values(code: int, x: Any, y: Any) -> None:
    """y = phi(x), for the activation of that code."""
    if code == SIGMOID:
        for k in range(x.size):
            y[k] = _sigmoid(x[k])[0]
    elif code == TANH:
        for k in range(x.size):
            y[k] = _tanh(x[k])[0]
    elif code == SOFTSIGN:
        for k in range(x.size):
            y[k] = _softsign(x[k])[0]
    elif code == HARDTANH:
        for k in range(x.size):
            y[k] = _hardtanh(x[k])[0]
    elif code == SINE:
        for k in range(x.size):
            y[k] = sine_and_cosine(x[k])[0]
    elif code == SOFTPLUS:
        for k in range(x.size):
            y[k] = _softplus(x[k])[0]
    elif code == RELU:
        for k in range(x.size):
            y[k] = _relu(x[k])[0]
    elif code == LEAKY_RELU:
        for k in range(x.size):
            y[k] = _leaky_relu(x[k])[0]
    elif code == ELU:
        for k in range(x.size):
            y[k] = _elu(x[k])[0]
    elif code == IDENTITY:
        for k in range(x.size):
            y[k] = _identity(x[k])[0]
    elif code == SILU:
        for k in range(x.size):
            y[k] = _silu(x[k])[0]
    elif code == GELU:
        for k in range(x.size):
            y[k] = _gelu(x[k])[0]


@njit(**OPTIONS)
def values_and_slopes(code: int, x: Any, y: Any, slope: Any) -> None:
    """y = phi(x), slope = phi'(x)."""
    if code == SIGMOID:
        for k in range(x.size):
            y[k], slope[k] = _sigmoid(x[k])
    elif code == TANH:
        for k in range(x.size):
            y[k], slope[k] = _tanh(x[k])
    elif code == SOFTSIGN:
        for k in range(x.size):
            y[k], slope[k] = _softsign(x[k])
    elif code == HARDTANH:
        for k in range(x.size):
            y[k], slope[k] = _hardtanh(x[k])
    elif code == SINE:
        for k in range(x.size):
            y[k], slope[k] = sine_and_cosine(x[k])
    elif code == SOFTPLUS:
        for k in range(x.size):
            y[k], slope[k] = _softplus(x[k])
    elif code == RELU:
        for k in range(x.size):
            y[k], slope[k] = _relu(x[k])
    elif code == LEAKY_RELU:
        for k in range(x.size):
            y[k], slope[k] = _leaky_relu(x[k])
    elif code == ELU:
        for k in range(x.size):
            y[k], slope[k] = _elu(x[k])
    elif code == IDENTITY:
        for k in range(x.size):
            y[k], slope[k] = _identity(x[k])
    elif code == SILU:
        for k in range(x.size):
            y[k], slope[k] = _silu(x[k])
    elif code == GELU:
        for k in range(x.size):
            y[k], slope[k] = _gelu(x[k])
