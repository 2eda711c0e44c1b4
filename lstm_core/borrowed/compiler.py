"""What does numba do for the kernels that its documentation does not promise? Options and a setting of its compiler."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba import config, types
from numba.extending import intrinsic


def counted(options: Mapping[str, Any], counts: bool) -> dict[str, Any]:
    """
    These options of `njit`, with numba's runtime or without, by the private option `_nrt`, which a function that says
    nothing has from its caller. The runtime counts references to every view of an array, which takes as long as a short
    loop; without it a function can make no array.
    """
    return {**options, "_nrt": counts}


def inlined(options: Mapping[str, Any]) -> dict[str, Any]:
    """
    These options, with `forceinline`, which numba's documentation does not have: LLVM copies the function into every
    loop that calls it, without which that loop does not compute vectors.
    """
    return {**options, "forceinline": True}


def general_product() -> Any:
    """
    BLAS's gemm for compiled code, by the function with which numba itself does `np.dot`, which is not documented: C =
    alpha op(A) op(B) + beta C by columns, called with the letters of the type and of both op, m, n, k, and addresses:
    alpha, A and its leading dimension, B and its, beta, C and its. Nothing else reaches BLAS from code that is kept on
    disk without the machinery of arrays, which takes as long as a small product.
    """
    return types.ExternalFunction("numba_xxgemm", types.intc(*[types.char] * 3, *[types.intp] * 11))


def cache_folder() -> Path | None:
    """Where the user wants numba's cache to be, if he has said so, by NUMBA_CACHE_DIR."""
    return Path(config.CACHE_DIR) if config.CACHE_DIR else None


@contextmanager
def cached_in(folder: Path | None) -> Iterator[None]:
    """
    What is compiled in here is kept in this folder. numba documents the environment variable alone, which is the whole
    process's; its setting CACHE_DIR, read by each `njit`, can be put back.
    """
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder or before)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def target() -> tuple[str, ...]:
    """The processor, and its features, for which numba compiles where that is not what it finds out itself."""
    return str(config.CPU_NAME), str(config.CPU_FEATURES)


def address(compiled: Any) -> int:
    """
    Where the machine code of a function is that `njit` has compiled for one signature, for `call`. numba documents
    addresses of functions of C alone, which take no arrays.
    """
    (only,) = compiled.overloads.values()
    return int(only.library.get_pointer_to_function(only.fndesc.llvm_func_name))


@intrinsic
def call(typingctx, place, *arguments):  # type: ignore[no-untyped-def]
    """
    In compiled code: call the function at this `address`, which returns nothing, with arguments of exactly its types.

    A function that is called by its name becomes part of whoever calls it, and is compiled with it once more.
    """

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        convention, kinds = context.call_conv, signature.args[1]
        function = builder.inttoptr(values[0], convention.get_function_type(types.none, kinds).as_pointer())
        given = [builder.extract_value(values[1], k) for k in range(len(kinds))]
        convention.call_function(builder, function, types.none, kinds, given)
        return context.get_dummy_value()

    return types.void(place, types.StarArgTuple(arguments)), codegen
