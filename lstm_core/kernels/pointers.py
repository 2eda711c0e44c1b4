"""
How does compiled code find numbers in memory? By a pointer to numbers of one type, or by an array of one dimension, and
a place counted from there.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def place(context: Any, builder: Any, kind: Any, numbers: Any, k: Any) -> Any:
    """LLVM's pointer to number k."""
    start = numbers if isinstance(kind, types.CPointer) else context.make_array(kind)(context, builder, numbers).data
    return builder.gep(start, [k])


@intrinsic
def moved(typingctx, numbers, k):  # type: ignore[no-untyped-def]
    """A pointer to number k."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return place(context, builder, numbers, *values)

    return types.CPointer(numbers.dtype)(numbers, types.intp), codegen


@intrinsic
def at_address(typingctx, like, address):  # type: ignore[no-untyped-def]
    """A pointer to numbers of the type that is pointed to, at an address."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.inttoptr(values[1], context.get_value_type(signature.return_type))

    return types.CPointer(like.dtype)(like, types.intp), codegen


@intrinsic
def address(typingctx, numbers, k):  # type: ignore[no-untyped-def]
    """Where number k lies in memory."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.ptrtoint(place(context, builder, numbers, *values), context.get_value_type(types.intp))

    return types.intp(numbers, types.intp), codegen


@intrinsic
def real(typingctx, like, x):  # type: ignore[no-untyped-def]
    """A number in the type that is pointed to."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return context.cast(builder, values[1], signature.args[1], like.dtype)

    return like.dtype(like, x), codegen


@intrinsic
def fields(typingctx, kind, numbers):  # type: ignore[no-untyped-def]
    """A named tuple of this class, of the numbers that are pointed to."""
    named = kind.instance_class
    given = types.NamedUniTuple(numbers.dtype, len(named._fields), named)

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        index = ir.IntType(64)
        wheres = (place(context, builder, numbers, values[1], ir.Constant(index, k)) for k in range(given.count))
        return context.make_tuple(builder, given, [builder.load(where) for where in wheres])

    return given(kind, numbers), codegen
