"""How fast can a product of small matrices be? As fast as BLAS multiplies without packing."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lstm_core.kernels.elementwise import inner
from lstm_core.kernels.matrix import Matrix
from lstm_core.kernels.piece import GEMM
from lstm_core.kernels.pointers import moved
from lstm_core.kernels.vectors import FLOATS

# Up to a million multiplications OpenBLAS takes the matrices as they lie; beyond, it packs them first, and for
# matrices that fit the cache that costs a quarter of the time.
WITHOUT_PACKING = 1_000_000
# A part of a product has whole groups of so many columns, which are one vector or two.
COLUMNS = 16


@intrinsic
def gemm(typingctx, transposed, m, n, k, a, lda, b, ldb, added, c, ldc):  # type: ignore[no-untyped-def]
    """
    BLAS's function of that name, which counts by columns and takes everything by address: C (m, n) = A B', A (m, k); B'
    is B (k, n) as it is, or `transposed` from (n, k); `added` to what stands in C.
    """
    number, precision = FLOATS[c.dtype], str(c.dtype)

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        transposed, m, n, k, a, lda, b, ldb, added, c, ldc = values
        letter, whole = ir.IntType(8), ir.IntType(32)

        def kept(value: Any) -> Any:
            return cgutils.alloca_once_value(builder, value)

        m, n, k, lda, ldb, ldc = (kept(builder.trunc(value, whole)) for value in (m, n, k, lda, ldb, ldc))
        as_it_is, other = (ir.Constant(letter, ord(name)) for name in "nt")
        one, zero = (ir.Constant(number, value) for value in (1, 0))
        operations = kept(as_it_is), kept(builder.select(transposed, other, as_it_is))
        beta = kept(builder.select(added, one, zero))
        arguments = [*operations, m, n, k, kept(one), a, lda, b, ldb, beta, c, ldc]
        kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, GEMM[precision]), arguments)
        return context.get_dummy_value()

    pointer = types.CPointer(c.dtype)
    sizes = types.intp, types.intp
    given = types.boolean, *sizes, types.intp, pointer, types.intp, pointer, types.intp, types.boolean, pointer
    return types.void(*given, types.intp), codegen


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
    _in_parts(False, a, b, c, m, k, n, added)


@inner
def add_transposed_product(a: Matrix, b: Matrix, c: Matrix, m: int, k: int, n: int) -> None:
    """c (k, n) += a' b, of a (m, k) and b (m, n)."""
    _in_parts(True, a, b, c, k, m, n, True)


@inner
def _in_parts(transposed: bool, a: Matrix, b: Matrix, c: Matrix, m: int, k: int, n: int, added: bool) -> None:
    """c (m, n), so many columns at a time; a is as it is (m, k), or transposed (k, m)."""
    at_once, left = _columns_at_once(m, k, n), moved(a.numbers, a.at)
    for start in range(0, n, at_once):
        # BLAS counts by columns: to it, each matrix is its own transpose.
        some = at_once if at_once < n - start else n - start
        right, out = moved(b.numbers, b.at + start), moved(c.numbers, c.at + start)
        gemm(transposed, some, m, k, right, b.row, left, a.row, added, out, c.row)
