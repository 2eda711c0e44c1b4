"""
What is done to a matrix that lies somewhere in memory, whatever the cell? Copied, added to, looked at.

Where rows are said to have whole vectors, the last of these may have lanes beyond the numbers that are meant.
"""

from typing import Any, NamedTuple

import numpy as np

from lstm_core.kernels.elementwise import inner
from lstm_core.kernels.vectors import (
    first,
    lanes,
    larger,
    largest,
    load,
    load_first,
    root,
    store,
    store_first,
    total,
    widened,
    zeros,
)


class Matrix(NamedTuple):
    """Rows of numbers that are pointed to: the first begins at place `at`, each `row` numbers after the one before."""

    numbers: Any
    at: int
    row: int


@inner
def clear(numbers: Any, start: int, end: int) -> None:
    """Zeros from start to end, whole vectors."""
    for k in range(start, end, lanes(numbers)):
        store(zeros(numbers), numbers, k)


@inner
def copy(a: Matrix, out: Matrix, rows: int, columns: int) -> None:
    """out = a, whole vectors."""
    for r in range(rows):
        for j in range(0, columns, lanes(out.numbers)):
            store(load(a.numbers, a.at + r * a.row + j), out.numbers, out.at + r * out.row + j)


@inner
def copy_exactly(a: Matrix, out: Matrix, rows: int, columns: int) -> None:
    """out = a, of any number of columns."""
    for r in range(rows):
        for j in range(0, columns, lanes(out.numbers)):
            some = load_first(a.numbers, a.at + r * a.row + j, columns - j)
            store_first(some, out.numbers, out.at + r * out.row + j, columns - j)


@inner
def add_exactly(a: Matrix, out: Matrix, rows: int, columns: int) -> None:
    """out += a, of any number of columns; what stands beyond them is written as it was."""
    for r in range(rows):
        for j in range(0, columns, lanes(out.numbers)):
            some, place = load_first(a.numbers, a.at + r * a.row + j, columns - j), out.at + r * out.row + j
            store(load(out.numbers, place) + some, out.numbers, place)


@inner
def transpose(a: Matrix, out: Matrix, rows: int, columns: int) -> None:
    """out (columns, rows) = a (rows, columns) transposed."""
    for r in range(rows):
        for column in range(columns):
            out.numbers[out.at + column * out.row + r] = a.numbers[a.at + r * a.row + column]


@inner
def norm_of(a: Matrix, rows: int, units: int) -> float:
    """Euclidean, in double precision, where no square of single precision overflows or underflows."""
    squares = widened(zeros(a.numbers))
    for r in range(rows):
        for j in range(0, units, lanes(a.numbers)):
            wide = widened(first(load(a.numbers, a.at + r * a.row + j), units - j))
            squares = squares + wide * wide
    return np.sqrt(total(squares))


@inner
def sum_of(a: Matrix, rows: int, units: int) -> float:
    """In double precision."""
    sums = widened(zeros(a.numbers))
    for r in range(rows):
        for j in range(0, units, lanes(a.numbers)):
            sums = sums + widened(first(load(a.numbers, a.at + r * a.row + j), units - j))
    return total(sums)


@inner
def largest_of(a: Matrix, rows: int, units: int) -> float:
    """The largest |x|; nan if one of the numbers is."""
    top = zeros(a.numbers)
    for r in range(rows):
        for j in range(0, units, lanes(a.numbers)):
            top = larger(first(load(a.numbers, a.at + r * a.row + j), units - j), top)
    return np.float64(largest(top))


@inner
def largest_modulus_of(real: Matrix, imaginary: Matrix, rows: int, units: int) -> float:
    """The largest |x| of complex numbers; nan if one of them is."""
    top = widened(zeros(real.numbers))
    for r in range(rows):
        for j in range(0, units, lanes(real.numbers)):
            x = widened(first(load(real.numbers, real.at + r * real.row + j), units - j))
            y = widened(first(load(imaginary.numbers, imaginary.at + r * imaginary.row + j), units - j))
            top = larger(root(x * x + y * y), top)
    return np.float64(largest(top))
