"""
How does a kernel compute exp and its relatives? Functions of one number, in plain arithmetic, which LLVM makes loops
over vectors of; those that have no comparisons of their own are functions of a `Vector` as well.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload, register_jitable
from numpy.polynomial import Chebyshev, Polynomial

from lstm_core.borrowed import compiler
from lstm_core.kernels.vectors import clamped, power_of_two
from lstm_core.pointwise.arithmetic import Arithmetic

# Without "nnan" and "ninf": an exploding network must reach inf and nan as it does in torch. Without "reassoc": it
# would undo the argument reductions below, and the bits of a sum would depend on the machine's vectors.
OPTIONS = compiler.uncounted({"error_model": "numpy", "fastmath": {"contract", "nsz"}})


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that compiled code calls, and Python as it is; compiled without what Python would call it by."""
    return register_jitable(**OPTIONS, no_cfunc_wrapper=True)(function)


class Precision:
    """A floating-point type and constants of it, which keep a kernel in that type when it closes over them."""

    def __init__(
        self,
        real: Any,
        integer: Any,
        ln2: tuple[float, ...],
        pi: tuple[float, ...],
        exponents: tuple[float, float],
    ) -> None:
        self.real, self.integer = real, integer
        # x + rounder keeps the nearest whole number to x in its lowest bits; minus rounder it is that number.
        self.rounder = real(1.5 * 2.0 ** int(np.finfo(real).nmant))
        # Sums of parts; all but the last have so few digits that a whole number of up to four figures times them is
        # exact.
        self.ln2, self.pi = tuple(map(real, ln2)), tuple(map(real, pi))
        self.least, self.most = real(exponents[0]), real(exponents[1])

    def horner(self, coefficients: Iterable[float]) -> tuple[Any, tuple[Any, ...]]:
        """Coefficients, given with the lowest power first, as Horner's rule takes them: the highest, and the others."""
        *others, highest = map(self.real, coefficients)
        return highest, tuple(reversed(others))


SINGLE = Precision(
    np.float32,
    np.int32,
    ln2=(math.log(2),),
    pi=(3.140625, 9.670257568359375e-4, 6.278329573009626e-7),
    exponents=(-87, 88),
)
DOUBLE = Precision(
    np.float64,
    np.int64,
    ln2=(float.fromhex("0x1.62e42fefa4p-1"), -1.7239444525614835e-13),
    pi=(float.fromhex("0x1.921fb54p+1"), float.fromhex("0x1.10b46118p-29"), 1.034036596358821e-18),
    exponents=(-708, 709),
)
BY_TYPE = {types.float32: SINGLE, types.float64: DOUBLE}


def fitted(function: Callable[[float], float], degree: int, low: float, high: float) -> Any:
    """The polynomial through Chebyshev's points between `low` and `high`; coefficients, lowest power first."""
    fit = Chebyshev.interpolate(np.vectorize(function), degree, domain=[low, high])
    return fit.convert(kind=Polynomial, domain=[-1, 1]).coef


def elementary(make: Callable[[Precision], Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """A function to be called in kernels, made for the precision of its argument, a number or a vector."""

    def stub(x):  # type: ignore[no-untyped-def]
        raise NotImplementedError("for compiled code only")

    def implementation(x):  # type: ignore[no-untyped-def]
        function = make(BY_TYPE[getattr(x, "number", x)])
        function.__annotations__.clear()
        return function

    overload(stub, jit_options={**compiler.inlined(OPTIONS), "no_cfunc_wrapper": True})(implementation)
    return stub


def _rise(r: float) -> float:
    """(e^r - 1) / r"""
    return math.expm1(r) / r if r else 1.0


@elementary
def power_and_rest(p: Precision) -> Callable[[Any], Any]:
    """2^n and e^r - 1 of e^x = 2^n e^r, n = x / ln 2 rounded, |r| <= ln 2 / 2; x ends where e^x over- or underflows."""
    rounder, parts_of_ln2, least, most = p.rounder, p.ln2, p.least, p.most
    per_ln2, farthest = p.real(1 / math.log(2)), math.log(2) / 2
    first, (second, *rest) = p.horner(fitted(_rise, 4 if p is SINGLE else 10, -farthest, farthest))
    others = tuple(rest)

    def function(x: Any) -> Any:
        x = clamped(x, least, most)
        shifted = x * per_ln2 + rounder
        n = shifted - rounder
        r = x
        for part in parts_of_ln2:
            r = r - n * part
        series = first * r + second
        for coefficient in others:
            series = series * r + coefficient
        return power_of_two(shifted), series * r

    return function


@elementary
def exp(p: Precision) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        power, rest = power_and_rest(x)
        return power * rest + power

    return function


@elementary
def expm1(p: Precision) -> Callable[[Any], Any]:
    one = p.real(1)

    def function(x: Any) -> Any:
        power, rest = power_and_rest(x)
        return power * rest + (power - one)

    return function


@elementary
def sigmoid(p: Precision) -> Callable[[Any], Any]:
    """1 / (1 + e^-x)"""
    one = p.real(1)
    return lambda x: one / (one + exp(-x))


@elementary
def tanh(p: Precision) -> Callable[[Any], Any]:
    """(e^2x - 1) / (e^2x + 1); where |x| > 22 it is 1, or -1, to all digits."""
    two, least, most = p.real(2), p.real(-44), p.real(44)

    def function(x: Any) -> Any:
        less = expm1(clamped(x + x, least, most))
        return less / (less + two)

    return function


def _artanh(square: float) -> float:
    """artanh(r) / r for r * r = `square`"""
    return math.atanh(math.sqrt(square)) / math.sqrt(square)


@elementary
def log1p(p: Precision) -> Callable[[Any], Any]:
    """ln(1 + x) = 2 artanh(x / (2 + x)) for 0 <= x <= 1."""
    two = p.real(2)
    first, (second, *rest) = p.horner(fitted(_artanh, 4 if p is SINGLE else 10, 0, 1 / 9))
    others = tuple(rest)

    def function(x: Any) -> Any:
        ratio = x / (two + x)
        square = ratio * ratio
        series = first * square + second
        for coefficient in others:
            series = series * square + coefficient
        return two * ratio * series

    return function


@elementary
def log_sigmoid(p: Precision) -> Callable[[Any], Any]:
    """min(x, 0) - ln(1 + e^-|x|)"""
    zero, end = p.real(0), p.real(np.inf)

    def function(x: Any) -> Any:
        below = clamped(x, -end, zero)
        return below - log1p(exp(below - clamped(x, zero, end)))

    return function


@elementary
def unbounded_exp(p: Precision) -> Callable[[Any], Any]:
    """e^x, which is inf and 0 where it over- and underflows: the square of e^(x / 2), which does neither there."""
    half = p.real(0.5)

    def function(x: Any) -> Any:
        root = exp(x * half)
        return root * root

    return function


@elementary
def sine_and_cosine(p: Precision) -> Callable[[Any], Any]:
    """sin r and cos r with |r| <= pi / 2, r = x - n pi, both with the sign (-1)^n; beyond a million, some such r."""
    real, integer, rounder = p.real, p.integer, p.rounder
    per_pi, one, two = real(1 / math.pi), real(1), real(2)
    parts_of_pi, quarter = p.pi, real(math.pi / 2)
    terms = range(7 if p is SINGLE else 12)
    first_sine, sines = p.horner((-1) ** k / math.factorial(2 * k + 1) for k in terms)
    first_cosine, cosines = p.horner((-1) ** k / math.factorial(2 * k) for k in terms)

    def function(x: Any) -> Any:
        shifted = x * per_pi + rounder
        n = shifted - rounder
        r = x
        for part in parts_of_pi:
            r = r - n * part
        r = -quarter if r < -quarter else (quarter if r > quarter else r)
        sign = one - two * real(real(shifted).view(integer) & integer(1))
        square = r * r
        sine, cosine = first_sine, first_cosine
        for coefficient in sines:
            sine = sine * square + coefficient
        for coefficient in cosines:
            cosine = cosine * square + coefficient
        return sign * r * sine, sign * cosine

    return function


def _scaled_erfc(t: float) -> float:
    """e^(z z) erfc(z) for t = 4 / (2 + z) - 1"""
    z = 4 / (1 + t) - 2
    return math.exp(z * z) * math.erfc(z)


@elementary
def normal_distribution(p: Precision) -> Callable[[Any], Any]:
    """Phi(x) and Phi'(x), by erfc(z) = e^(-z z) P(t), t = 4 / (2 + z) - 1, z = |x| / sqrt 2."""
    zero, one, two, half = p.real(0), p.real(1), p.real(2), p.real(0.5)
    farthest, per_sqrt2, per_sqrt_2pi = p.real(9), p.real(1 / math.sqrt(2)), p.real(1 / math.sqrt(2 * math.pi))
    coefficients = fitted(_scaled_erfc, 11 if p is SINGLE else 21, 4 / 11 - 1, 1)
    (first_even, even), (first_odd, odd) = p.horner(coefficients[::2]), p.horner(coefficients[1::2])

    def function(x: Any) -> Any:
        z = abs(x) * per_sqrt2
        z = farthest if z > farthest else z
        t = two * (two / (two + z)) - one
        square, evens, odds = t * t, first_even, first_odd
        for coefficient in even:
            evens = evens * square + coefficient
        for coefficient in odd:
            odds = odds * square + coefficient
        bell = zero if z >= farthest else exp(-z * z)
        tail = half * bell * (evens + t * odds)
        return (tail if x < 0 else one - tail), per_sqrt_2pi * bell

    return function


def arithmetic(p: Precision) -> Arithmetic:
    """What the kernels of activations are made of."""
    return Arithmetic(p.real, p.least, exp, expm1, log1p, sigmoid, power_and_rest, sine_and_cosine, normal_distribution)
