"""What is compiled for itself? One function of `lstm_core.kernels`, or one that is made for an activation."""

from collections.abc import Callable
from typing import NamedTuple

from lstm_core.pointwise.arithmetic import Arithmetic, Pair

# By these names compiled code finds BLAS's products of matrices.
GEMM = {"float32": "gradient_highway_sgemm", "float64": "gradient_highway_dgemm"}

Kernel = Callable[[Arithmetic], Pair]
VALUES = ("values", "values_and_slopes")


class Piece(NamedTuple):
    """
    A function of the module of that name; or `VALUES` of the activation of that name, whose kernel is the function of
    `lstm_core.pointwise.functions` that is called so unless it is given.
    """

    subject: str
    function: str
    kernel: Kernel | None = None

    @property
    def is_activation(self) -> bool:
        return self.function in VALUES

    def __str__(self) -> str:
        return f"{self.subject}.{self.function}"


FRAME = (Piece("turn", "turn"), Piece("sequence", "forward"), Piece("sequence", "backward"))
# With the frame, what the races need that pages open with, most of them.
USUAL = (
    *(Piece("lstm", f"plain_{way}") for way in ("forward", "backward")),
    *(Piece("rnn", way) for way in ("forward", "backward")),
    *(Piece("tanh", kind) for kind in VALUES),
    *(Piece("gru", way) for way in ("forward", "backward")),
)


class Object(NamedTuple):
    """One compiled function: the name by which its object code knows it."""

    symbol: str
    code: bytes
