"""
How do kernels compute on many numbers at once? With vectors of 64 bytes, a type of numba's, which LLVM splits for a
processor that has shorter ones.

Vectors add, subtract, multiply and divide, among themselves and with single numbers. They lie anywhere in memory, found
by a pointer to numbers, or by an array of one dimension, and a place counted from there. The number of numbers in a
vector is the same on every machine, and so is every sum.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_jitable, register_model, type_callable

from lstm_core.kernels.pointers import place
from lstm_core.kernels.spec import BYTES

FLOATS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


class Vector(types.Type):  # type: ignore[misc]
    """So many numbers of one type, float32 or float64."""

    def __init__(self, number: Any, count: int) -> None:
        self.number, self.count = number, count
        super().__init__(f"Vector({number}, {count})")

    @property
    def in_llvm(self) -> Any:
        return ir.VectorType(FLOATS[self.number], self.count)


def whole(number: Any) -> Vector:
    """The vector that has 64 bytes."""
    return Vector(number, BYTES * 8 // number.bitwidth)


@register_model(Vector)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, vector.in_llvm)


@intrinsic
def lanes(typingctx, like):  # type: ignore[no-untyped-def]
    """How many numbers of the type that is pointed to a vector has."""
    count = whole(like.dtype).count

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return context.get_constant(types.intp, count)

    return types.intp(like), codegen


def _constant(kind: Any, value: Any) -> Any:
    """The same number in every lane, or that number where there are no lanes."""
    return ir.Constant(kind, [value] * kind.count if isinstance(kind, ir.VectorType) else value)


def _in_every_lane(builder: Any, value: Any, count: int) -> Any:
    kind, index = ir.VectorType(value.type, count), ir.IntType(32)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(index, 0))
    return builder.shuffle_vector(one, one, _constant(ir.VectorType(index, count), 0))


def _as_vector(context: Any, builder: Any, value: Any, kind: Any, vector: Vector) -> Any:
    if kind == vector:
        return value
    return _in_every_lane(builder, context.cast(builder, value, kind, vector.number), vector.count)


def _define(operation: Any, emit: Callable[..., Any]) -> None:
    """An operator of two vectors, or of a vector and a whole number or one of its type."""

    @type_callable(operation)
    def _typed(context: Any) -> Any:
        def typer(x: Any, y: Any) -> Any:
            vector = x if isinstance(x, Vector) else y
            if not isinstance(vector, Vector):
                return None
            allowed = all(one in (vector, vector.number) or isinstance(one, types.Integer) for one in (x, y))
            return vector if allowed else None

        return typer

    def lowered(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pairs = zip(values, signature.args, strict=True)
        return emit(builder, *(_as_vector(context, builder, *pair, signature.return_type) for pair in pairs))

    for kinds in ((Vector, Vector), (Vector, types.Number), (types.Number, Vector)):
        lower_builtin(operation, *kinds)(lowered)


_define(operator.add, lambda builder, x, y: builder.fadd(x, y))
_define(operator.sub, lambda builder, x, y: builder.fsub(x, y))
_define(operator.mul, lambda builder, x, y: builder.fmul(x, y))
_define(operator.truediv, lambda builder, x, y: builder.fdiv(x, y))


@type_callable(operator.neg)
def _typed_negative(context: Any) -> Any:
    def typer(x: Any) -> Any:
        return x if isinstance(x, Vector) else None

    return typer


@lower_builtin(operator.neg, Vector)
def _negative(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    return builder.fneg(*values)


@intrinsic
def zeros(typingctx, like):  # type: ignore[no-untyped-def]
    """A vector of zeros, of the type that is pointed to."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return _constant(whole(like.dtype).in_llvm, 0)

    return whole(like.dtype)(like), codegen


def _vector_address(context: Any, builder: Any, kind: Any, array: Any, k: Any) -> Any:
    return builder.bitcast(place(context, builder, kind, array, k), whole(kind.dtype).in_llvm.as_pointer())


@intrinsic
def load(typingctx, array, k):  # type: ignore[no-untyped-def]
    """The vector that begins with number k."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.load(_vector_address(context, builder, array, *values), align=array.dtype.bitwidth // 8)

    return whole(array.dtype)(array, types.intp), codegen


@intrinsic
def store(typingctx, x, array, k):  # type: ignore[no-untyped-def]
    """Put a vector into memory, from number k on."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        x, *where = values
        builder.store(x, _vector_address(context, builder, array, *where), align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(whole(array.dtype), array, types.intp), codegen


def _first_lanes(builder: Any, count: int, few: Any) -> Any:
    """Which lanes are among the first few."""
    numbers = ir.Constant(ir.VectorType(few.type, count), list(range(count)))
    return builder.icmp_signed("<", numbers, _in_every_lane(builder, few, count))


def _masked(builder: Any, name: str, vector: Vector, result: Any, values: Any) -> Any:
    """A call of one of LLVM's instructions for some lanes."""
    width = vector.number.bitwidth
    kind = ir.FunctionType(result, [value.type for value in values])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.masked.{name}.v{vector.count}f{width}.p0")
    return builder.call(function, values)


@intrinsic
def load_first(typingctx, array, k, few):  # type: ignore[no-untyped-def]
    """The same of the first few lanes, zeros in the others: nothing beyond is read."""
    vector = whole(array.dtype)

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        *where, few = values
        start, mask = _vector_address(context, builder, array, *where), _first_lanes(builder, vector.count, few)
        alignment = ir.Constant(ir.IntType(32), array.dtype.bitwidth // 8)
        return _masked(builder, "load", vector, vector.in_llvm, [start, alignment, mask, _constant(vector.in_llvm, 0)])

    return vector(array, types.intp, types.intp), codegen


@intrinsic
def store_first(typingctx, x, array, k, few):  # type: ignore[no-untyped-def]
    """Put the first few lanes of a vector into memory, from number k on: nothing beyond is written."""
    vector = whole(array.dtype)

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        x, *where, few = values
        start, mask = _vector_address(context, builder, array, *where), _first_lanes(builder, vector.count, few)
        alignment = ir.Constant(ir.IntType(32), array.dtype.bitwidth // 8)
        _masked(builder, "store", vector, ir.VoidType(), [x, start, alignment, mask])
        return context.get_dummy_value()

    return types.void(vector, array, types.intp, types.intp), codegen


@register_jitable
def put(x: Any, numbers: Any, k: Any, few: Any) -> None:
    """Put a vector into memory, from number k on, or the first few of its lanes where there are no more."""
    if few >= lanes(numbers):
        store(x, numbers, k)
    else:
        store_first(x, numbers, k, few)


@intrinsic
def first(typingctx, x, few):  # type: ignore[no-untyped-def]
    """The first few lanes of a vector, zeros in the others, whatever stands there."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        value, few = values
        return builder.select(_first_lanes(builder, x.count, few), value, _constant(x.in_llvm, 0))

    return x(x, types.intp), codegen


@intrinsic
def where_zero(typingctx, x, then, otherwise):  # type: ignore[no-untyped-def]
    """In each lane `then` if x is 0 there, `otherwise` if not."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        value, then, otherwise = values
        return builder.select(builder.fcmp_ordered("==", value, _constant(x.in_llvm, 0)), then, otherwise)

    return x(x, x, x), codegen


@intrinsic
def greater(typingctx, x, y):  # type: ignore[no-untyped-def]
    """In each lane the larger one of x and y; nan where one of them is nan."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        x, y = values
        first = builder.or_(builder.fcmp_unordered("uno", x, x), builder.fcmp_ordered(">", x, y))
        return builder.select(first, x, y)

    return x(x, x), codegen


@intrinsic
def clamped(typingctx, x, least, most):  # type: ignore[no-untyped-def]
    """x between two numbers, of a vector in each lane; nan stays nan."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        x, *ends = values
        if isinstance(signature.args[0], Vector):
            ends = [_in_every_lane(builder, end, signature.args[0].count) for end in ends]
        least, most = ends
        x = builder.select(builder.fcmp_ordered("<", x, least), least, x)
        return builder.select(builder.fcmp_ordered(">", x, most), most, x)

    return x(x, least, most), codegen


MANTISSA = {types.float32: 23, types.float64: 52}
BIAS = {types.float32: 127, types.float64: 1023}


def _as_bits(builder: Any, x: Any, number: Any) -> Any:
    bits = ir.IntType(number.bitwidth)
    return builder.bitcast(x, ir.VectorType(bits, x.type.count) if isinstance(x.type, ir.VectorType) else bits)


@intrinsic
def root(typingctx, x):  # type: ignore[no-untyped-def]
    """The square root of a vector."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        (value,) = values
        kind = ir.FunctionType(value.type, [value.type])
        name = f"llvm.sqrt.v{x.count}f{x.number.bitwidth}"
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)

    return x(x), codegen


@intrinsic
def power_of_two(typingctx, shifted):  # type: ignore[no-untyped-def]
    """2^n of a number, or a vector, that has n in its lowest bits, being n + 1.5 * 2^(digits of its mantissa)."""
    number = getattr(shifted, "number", shifted)

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        bits = _as_bits(builder, values[0], number)
        exponent = builder.shl(bits, _constant(bits.type, MANTISSA[number]))
        power = builder.add(exponent, _constant(bits.type, BIAS[number] << MANTISSA[number]))
        return builder.bitcast(power, values[0].type)

    return shifted(shifted), codegen


@intrinsic
def widened(typingctx, x):  # type: ignore[no-untyped-def]
    """A vector in double precision, with as many numbers."""
    wide = Vector(types.float64, x.count)

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return values[0] if x == wide else builder.fpext(values[0], wide.in_llvm)

    return wide(x), codegen


def _folded(builder: Any, x: Any, fold: Callable[[Any, Any], Any]) -> Any:
    """All lanes made one, half with half, which makes the order the same on every machine."""
    index = ir.IntType(32)
    while x.type.count > 1:
        half = x.type.count // 2
        kind = ir.VectorType(index, half)
        low, high = (
            builder.shuffle_vector(x, x, ir.Constant(kind, list(range(start, start + half)))) for start in (0, half)
        )
        x = fold(low, high)
    return builder.extract_element(x, ir.Constant(index, 0))


@intrinsic
def total(typingctx, x):  # type: ignore[no-untyped-def]
    """The sum of a vector."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return _folded(builder, values[0], builder.fadd)

    return x.number(x), codegen


def _larger(builder: Any, x: Any, y: Any, number: Any) -> Any:
    """Of numbers without a sign; as bits they have their order, and nan is the largest."""
    bigger = builder.icmp_unsigned(">", _as_bits(builder, x, number), _as_bits(builder, y, number))
    return builder.select(bigger, x, y)


@intrinsic
def larger(typingctx, x, y):  # type: ignore[no-untyped-def]
    """In each lane the larger one of |x| and y, y being no less than 0; nan where one of them is nan."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        x, y = values
        bits = _as_bits(builder, x, signature.args[0].number)
        magnitude = builder.and_(bits, _constant(bits.type, (1 << (bits.type.element.width - 1)) - 1))
        return _larger(builder, builder.bitcast(magnitude, x.type), y, signature.args[0].number)

    return x(x, x), codegen


@intrinsic
def largest(typingctx, x):  # type: ignore[no-untyped-def]
    """Of a vector whose numbers are no less than 0; nan if one of them is."""

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return _folded(builder, values[0], lambda low, high: _larger(builder, low, high, x.number))

    return x.number(x), codegen
