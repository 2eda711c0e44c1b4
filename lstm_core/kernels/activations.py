"""How do compiled cells compute any activation? By the address of two functions, made from its kernel."""

from collections.abc import Callable
from typing import Any

from lstm_core.kernels.elementwise import Precision, arithmetic, elementary
from lstm_core.kernels.piece import Kernel


def _elementary(kernel: Kernel) -> Callable[[Any], Any]:
    @elementary
    def made(p: Precision) -> Callable[[Any], Any]:
        return kernel(arithmetic(p))

    return made


def values(kernel: Kernel) -> Callable[..., None]:
    """Of a matrix of so many rows, which are so many numbers apart. In place: no loop has to ask what overlaps."""
    phi = _elementary(kernel)

    def function(y: Any, apart: int, rows: int, columns: int) -> None:
        """y = phi(y)"""
        for row in range(rows):
            for k in range(columns):
                y[row * apart + k] = phi(y[row * apart + k])[0]

    return function


def values_and_slopes(kernel: Kernel) -> Callable[..., None]:
    """Of so many numbers."""
    phi = _elementary(kernel)

    def function(y: Any, slope: Any, count: int) -> None:
        """y = phi(y), and phi'(y) in a place of its own."""
        for k in range(count):
            y[k], slope[k] = phi(y[k])

    return function
