"""What does numba do for the kernels that its documentation does not promise? Options and a setting of its compiler."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba import config


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
