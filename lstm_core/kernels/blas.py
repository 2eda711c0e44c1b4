"""How fast can a product of small matrices be? As fast as BLAS multiplies without packing."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lstm_core.borrowed import compiler
from lstm_core.kernels.elementwise import inner
from lstm_core.kernels.matrix import Matrix
from lstm_core.kernels.vectors import FLOATS, address

# Up to a million multiplications OpenBLAS takes the matrices as they lie; beyond, it packs them first, and for
# matrices that fit the cache that costs a quarter of the time.
WITHOUT_PACKING = 1_000_000
# A part of a product has whole groups of so many columns, which are one vector or two.
COLUMNS = 16

_general_product = compiler.general_product()
AS_IT_IS, TRANSPOSED, SINGLE, DOUBLE = map(ord, "ntsd")


@intrinsic(prefer_literal=True)
def _constant(typingctx, like, value):  # type: ignore[no-untyped-def]
    """The address of a number of the type of an array."""
    number = FLOATS[like.dtype]

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        place = cgutils.global_constant(builder, "blas", ir.Constant(number, value.literal_value))
        return builder.ptrtoint(place, context.get_value_type(types.intp))

    return types.intp(like, value), codegen


@inner
def _columns_at_once(m: int, k: int, n: int) -> int:
    """Of n columns, so many that (m, k) times (k, ...) packs nothing; all of them where a few would be too many."""
    most = WITHOUT_PACKING // (m * k) // COLUMNS * COLUMNS
    if most == 0:
        return n
    parts = -(-n // most)
    return -(-n // (parts * COLUMNS)) * COLUMNS


@inner
def product(a: Matrix, b: Matrix, c: Matrix, m: int, k: int, n: int, added: bool) -> None:
    """c (m, n) = a (m, k) b (k, n); `added` to what stands in c, if that is asked for."""
    _in_parts(AS_IT_IS, a, b, c, m, k, n, added)


@inner
def add_transposed_product(a: Matrix, b: Matrix, c: Matrix, m: int, k: int, n: int) -> None:
    """c (k, n) += a' b, of a (m, k) and b (m, n)."""
    _in_parts(TRANSPOSED, a, b, c, k, m, n, True)


@inner
def _in_parts(operation: int, a: Matrix, b: Matrix, c: Matrix, m: int, k: int, n: int, added: bool) -> None:
    """c (m, n), so many columns at a time; a is as it is (m, k), or transposed (k, m)."""
    like = c.numbers
    kind, one = SINGLE if like.itemsize == 4 else DOUBLE, _constant(like, 1)
    beta = one if added else _constant(like, 0)
    at_once = _columns_at_once(m, k, n)
    for start in range(0, n, at_once):
        # BLAS counts by columns: to it, each matrix is its own transpose.
        _general_product(
            kind,
            AS_IT_IS,
            operation,
            min(at_once, n - start),
            m,
            k,
            one,
            address(b.numbers, b.at + start),
            b.row,
            address(a.numbers, a.at),
            a.row,
            beta,
            address(c.numbers, c.at + start),
            c.row,
        )
