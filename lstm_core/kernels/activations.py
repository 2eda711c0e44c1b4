"""How do kernels compute any activation? By its code, in a chain of loops that is written from `ACTIVATIONS`."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from numba.extending import overload

from lstm_core.activations import ACTIVATIONS, Activation
from lstm_core.kernels.elementwise import OPTIONS, Precision, arithmetic, elementary


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


@cache
def _chain(arguments: str, statement: str) -> Callable[..., None]:
    """
    A function with one loop over k for each code, in which `phi` stands for that activation.

    Written as text: numba knows no loop over functions, and a function for each activation, instead of one that holds
    all loops, would take five times as long to compile.
    """
    lines, names = [f"def chain({arguments}):"], {}
    for code, row in enumerate(rows()):
        names[f"phi{code}"] = _elementary(row)
        lines += [
            f"    {'elif' if code else 'if'} code == {code}:",
            "        for k in range(x.size):",
            f"            {statement.replace('phi', f'phi{code}')}",
        ]
    exec("\n".join(lines), names)
    return names["chain"]


def values(code: int, x: Any, y: Any) -> None:
    """In compiled code: y = phi(x), for the activation of that code."""
    raise NotImplementedError("for compiled code only")


def values_and_slopes(code: int, x: Any, y: Any, slope: Any) -> None:
    """In compiled code: y = phi(x), slope = phi'(x)."""
    raise NotImplementedError("for compiled code only")


# Written when they are compiled, and not before, so that rows can be added to the table until then.
@overload(values, jit_options=OPTIONS)
def _values(code, x, y):  # type: ignore[no-untyped-def]
    return _chain("code, x, y", "y[k] = phi(x[k])[0]")


@overload(values_and_slopes, jit_options=OPTIONS)
def _values_and_slopes(code, x, y, slope):  # type: ignore[no-untyped-def]
    return _chain("code, x, y, slope", "y[k], slope[k] = phi(x[k])")
