"""For which processor is code compiled? For this one, or for a level that many have in common, to be shipped."""

import os
from functools import cache
from typing import NamedTuple

from llvmlite import binding


class Processor(NamedTuple):
    """By LLVM's name, with features that it has or, after a minus, has not."""

    name: str
    features: str

    @property
    def environment(self) -> dict[str, str]:
        """In which numba compiles for it."""
        return {"NUMBA_CPU_NAME": self.name, "NUMBA_CPU_FEATURES": self.features}


# For many processors LLVM keeps to vectors of 32 bytes although they have some of 64, so as not to lower their clock;
# BLAS uses the long ones anyway. That decides how fast code is and not one bit of what comes out.
LONG_VECTORS = "-prefer-256-bit"
# Levels, the most able one first, with the features that make them, see the ABI of System V.
V3 = {"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}
LEVELS = {
    "x86-64-v4": (LONG_VECTORS, V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    "x86-64-v3": ("", V3),
}


def level(name: str) -> Processor:
    return Processor(name, LEVELS[name][0])


@cache
def own() -> Processor:
    """This one, or what the user has said that it is, in numba's variables."""
    name, named = os.environ.get("NUMBA_CPU_NAME"), os.environ.get("NUMBA_CPU_FEATURES")
    features = binding.get_host_cpu_features()
    found = "" if name else features.flatten() + (f",{LONG_VECTORS}" if features.get("avx512f") else "")
    return Processor(name or binding.get_host_cpu_name(), found if named is None else named)


@cache
def fitting() -> tuple[Processor, ...]:
    """Those whose code runs here, the fastest first; what the user has named is all that he wants."""
    if {"NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"} & set(os.environ):
        return (own(),)
    features = binding.get_host_cpu_features()
    can = {name for name in features if features[name]}
    return own(), *(level(name) for name, (_, needed) in LEVELS.items() if needed <= can)
