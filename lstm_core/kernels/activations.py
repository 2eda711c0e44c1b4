"""
How do kernels compute any activation? By its code, in a chain of loops that is written from `ACTIVATIONS`.

The chains are functions of C, compiled once for each precision, which kernels call by name: inside a kernel, the
compiler would go over all of them again for every function around them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from textwrap import indent
from typing import Any

from llvmlite import binding
from numba import cfunc, int64, types, void
from numba.extending import overload

from lstm_core.activations import ACTIVATIONS, Activation
from lstm_core.kernels.elementwise import OPTIONS, Precision, arithmetic, elementary
from lstm_core.kernels.vectors import address


@cache
def rows() -> tuple[Activation, ...]:
    """Those with a kernel, as they are when somebody asks first; kernels know no others for as long as Python runs."""
    return tuple(row for row in ACTIVATIONS.values() if row.kernel)


@cache
def codes() -> Mapping[str, int]:
    """The numbers of the activations that kernels know, by name."""
    return {row.name: code for code, row in enumerate(rows())}


@cache
def _elementary(row: Activation) -> Callable[[Any], Any]:
    """One for both chains, which is then compiled once."""

    @elementary
    def made(p: Precision) -> Callable[[Any], Any]:
        assert row.kernel
        return row.kernel(arithmetic(p))

    return made


# For one activation, phi, each; in place, so that no loop has to ask whether arrays overlap.
VALUES = """
for row in range(rows):
    for k in range(columns):
        y[row * apart + k] = phi(y[row * apart + k])[0]
"""
VALUES_AND_SLOPES = """
for k in range(count):
    y[k], slope[k] = phi(y[k])
"""


@cache
def _chain(arguments: str, loop: str) -> Callable[..., None]:
    """A function with a loop for each code, in which `phi` stands for that activation: numba has no table of those."""
    lines, names = [f"def chain(code, {arguments}):"], {}
    for code, row in enumerate(rows()):
        names[f"phi{code}"] = _elementary(row)
        lines += [f"    if code == {code}:", indent(loop.replace("phi", f"phi{code}"), " " * 8)]
    exec("\n".join(lines), names)
    return names["chain"]


def _all_values(code: int, y: Any, apart: int, rows: int, columns: int) -> None:
    raise NotImplementedError("for compiled code only")


def _all_values_and_slopes(code: int, y: Any, slope: Any, count: int) -> None:
    raise NotImplementedError("for compiled code only")


# Written when they are compiled, and not before, so that rows can be added to the table until then.
@overload(_all_values, jit_options=OPTIONS)
def _written_values(code, y, apart, rows, columns):  # type: ignore[no-untyped-def]
    return _chain("y, apart, rows, columns", VALUES)


@overload(_all_values_and_slopes, jit_options=OPTIONS)
def _written_values_and_slopes(code, y, slope, count):  # type: ignore[no-untyped-def]
    return _chain("y, slope, count", VALUES_AND_SLOPES)


def _values_in_c(code: int, y: Any, apart: int, rows: int, columns: int) -> None:
    _all_values(code, y, apart, rows, columns)


def _values_and_slopes_in_c(code: int, y: Any, slope: Any, count: int) -> None:
    _all_values_and_slopes(code, y, slope, count)


def _name(function: Callable[..., None], number: Any) -> str:
    """By which compiled code finds it."""
    return f"gradient_highway{function.__name__}_{number}"


_compiled: list[Any] = []


def compile_activations(precision: str, keep: bool) -> None:
    """So that kernels of a precision can be loaded; kept on disk, if they are to be."""
    number = getattr(types, precision)
    numbers = types.CPointer(number)
    for function, arguments in (
        (_values_in_c, (int64, numbers, int64, int64, int64)),
        (_values_and_slopes_in_c, (int64, numbers, numbers, int64)),
    ):
        _compiled.append(cfunc(void(*arguments), cache=keep, **OPTIONS)(function))
        binding.add_symbol(_name(function, number), _compiled[-1].address)


def _external(function: Callable[..., None], number: Any, arguments: int) -> Any:
    return types.ExternalFunction(_name(function, number), void(*[int64] * arguments))


def values(code: int, numbers: Any, at: int, apart: int, rows: int, columns: int) -> None:
    """In compiled code: y = phi(y), of so many rows from place `at` of an array on, `apart` from each to the next."""
    raise NotImplementedError("for compiled code only")


def values_and_slopes(code: int, numbers: Any, at: int, slope_at: int, count: int) -> None:
    """In compiled code: y = phi(y), and phi'(y) in a place of its own, of so many numbers one after the other."""
    raise NotImplementedError("for compiled code only")


def is_tanh(code: int) -> bool:
    """In compiled code: whether that is the activation of this code."""
    raise NotImplementedError("for compiled code only")


@overload(values, jit_options=OPTIONS)
def _values(code, numbers, at, apart, rows, columns):  # type: ignore[no-untyped-def]
    external = _external(_values_in_c, numbers.dtype, 5)
    return lambda code, numbers, at, apart, rows, columns: external(code, address(numbers, at), apart, rows, columns)


@overload(values_and_slopes, jit_options=OPTIONS)
def _values_and_slopes(code, numbers, at, slope_at, count):  # type: ignore[no-untyped-def]
    external = _external(_values_and_slopes_in_c, numbers.dtype, 4)
    return lambda code, numbers, at, slope_at, count: external(
        code, address(numbers, at), address(numbers, slope_at), count
    )


@overload(is_tanh, jit_options=OPTIONS)
def _is_tanh(code):  # type: ignore[no-untyped-def]
    tanh = codes()["tanh"]
    return lambda code: code == tanh
