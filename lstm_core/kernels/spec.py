"""What is a layer in numbers? Variants of one family differ in these alone, so that one kernel serves all of them."""

from typing import NamedTuple

RNN, LSTM, GRU = range(3)


class Spec(NamedTuple):
    """
    A cell in numbers: family, activations by code, the place of each block of rows (-1: there is none), flags, and how
    many of its last hidden states it sees.
    """

    family: int
    phi: int
    psi: int
    i: int
    f: int
    g: int
    o: int
    coupled: int
    peephole: int
    window: int


class Shape(NamedTuple):
    """T, B, D and H of a sequence."""

    steps: int
    batch: int
    features: int
    units: int
