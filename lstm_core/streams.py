"""
Where does every random number come from? From a stream of its own for each seed and purpose.

Nobody else in this package makes a generator.
"""

from enum import IntEnum

import numpy as np
import torch
from numpy.random import PCG64DXSM, SeedSequence

Rng = np.random.Generator

# The version of all streams: another one gives other numbers for the same seed.
CURRENT = 2
WORDS = 4


class Purpose(IntEnum):
    """What a stream is for. A number never changes its meaning: recorded results depend on it."""

    WEIGHTS = 1  # first weights
    DATA = 2  # sequences to train on
    HELD_OUT = 3  # sequences that are never trained on
    BATCHES = 4  # which sequences of a fixed training set make up a batch
    PROBES = 5  # states and directions that a measurement begins with
    NOISE = 6  # of a series that is made here
    DROPOUT = 7  # what a training leaves out by chance
    BLOCKS = 8  # which places a bootstrap takes
    ZONEOUT = 9  # which states a training keeps by chance


def stream(seed: int, purpose: Purpose, *place: int) -> Rng:
    """
    The random numbers of a seed, a whole number from 0 to 2**32 - 1, for one purpose; for one place of it, such as a
    training step and a layer, whatever was drawn elsewhere before.

    Two streams have nothing in common but by a chance of about 2**-128 (numpy's SeedSequence, with the generator
    PCG64DXSM of O'Neill 2014).
    """
    return Rng(PCG64DXSM(SeedSequence((seed, purpose), spawn_key=place)))


def stream_of(generator: torch.Generator | Rng | None) -> Rng:
    """
    A stream is what it is; one of torch's generators, by default that of the process, gives four words of 32 bits, with
    which a new stream begins.
    """
    if isinstance(generator, Rng):
        return generator
    return Rng(PCG64DXSM(SeedSequence(torch.randint(2**32, (WORDS,), generator=generator).tolist())))
