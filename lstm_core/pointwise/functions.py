"""
What does a kernel of an activation compute? Of one number x the value and the slope, in plain arithmetic.

These functions know neither torch nor the compiler, which makes loops of them.
"""

from typing import Any

from lstm_core.pointwise.arithmetic import Arithmetic, Pair

LEAK = 0.01
# Beyond it torch takes softplus for the identity.
LINEAR_BEYOND = 20


def sigmoid(a: Arithmetic) -> Pair:
    """y = 1 / (1 + e), slope = y^2 e, with e = e^-x."""
    one, exp = a.real(1), a.exp

    def function(x: Any) -> tuple[Any, Any]:
        e = exp(-x)
        y = one / (one + e)
        return y, y * (y * e)

    return function


def tanh(a: Arithmetic) -> Pair:
    """y = (e - 1) / (e + 1), slope = 4 e / (e + 1)^2, with e = e^2x; 0 where e + 1 has no inverse of all digits."""
    zero, one, four, farthest, power_and_rest = a.real(0), a.real(1), a.real(4), a.real(-a.least), a.power_and_rest

    def function(x: Any) -> tuple[Any, Any]:
        double = x + x
        double = -farthest if double < -farthest else (farthest if double > farthest else double)
        power, rest = power_and_rest(double)
        e = power * rest + power
        share = one / (e + one)
        slope = four * (e * share) * share
        return (power * rest + (power - one)) * share, zero if abs(double) >= farthest else slope

    return function


def softsign(a: Arithmetic) -> Pair:
    one = a.real(1)

    def function(x: Any) -> tuple[Any, Any]:
        scale = one / (one + abs(x))
        return x * scale, scale * scale

    return function


def hardtanh(a: Arithmetic) -> Pair:
    zero, one = a.real(0), a.real(1)
    return lambda x: (-one if x < -one else (one if x > one else x), zero if abs(x) >= one else one)


def sine(a: Arithmetic) -> Pair:
    sine_and_cosine = a.sine_and_cosine
    return lambda x: sine_and_cosine(x)


def softplus(a: Arithmetic) -> Pair:
    zero, one, beyond, log1p, exp, sigmoid = a.real(0), a.real(1), a.real(LINEAR_BEYOND), a.log1p, a.exp, a.sigmoid

    def function(x: Any) -> tuple[Any, Any]:
        y, slope = (zero if x < zero else x) + log1p(exp(-abs(x))), sigmoid(x)
        return (x, one) if x > beyond else (y, slope)

    return function


def relu(a: Arithmetic) -> Pair:
    zero, one = a.real(0), a.real(1)
    return lambda x: (zero if x <= zero else x, zero if x <= zero else one)


def leaky_relu(a: Arithmetic) -> Pair:
    zero, one, leak = a.real(0), a.real(1), a.real(LEAK)
    return lambda x: (x, one) if x > zero else (leak * x, leak)


def elu(a: Arithmetic) -> Pair:
    zero, one, exp, expm1 = a.real(0), a.real(1), a.exp, a.expm1
    return lambda x: (x, one) if x > zero else (expm1(x), exp(x))


def identity(a: Arithmetic) -> Pair:
    one = a.real(1)
    return lambda x: (x, one)


def gelu(a: Arithmetic) -> Pair:
    normal_distribution = a.normal_distribution

    def function(x: Any) -> tuple[Any, Any]:
        below, density = normal_distribution(x)
        return x * below, below + x * density

    return function


def silu(a: Arithmetic) -> Pair:
    one, sigmoid = a.real(1), a.sigmoid

    def function(x: Any) -> tuple[Any, Any]:
        opened = sigmoid(x)
        return x * opened, opened * (one + x * (one - opened))

    return function
