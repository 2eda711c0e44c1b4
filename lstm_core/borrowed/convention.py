"""How is a function called that numba has compiled, where numba is not loaded? As numba does, and does not promise."""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any


def function_at(address: int, arguments: Sequence[Any]) -> Callable[..., None]:
    """
    The function at this address, with arguments of these types of ctypes, which lets go of Python's lock. Before them
    numba wants places for a result and for an error: it has neither.
    """
    pointer = ctypes.c_void_p
    compiled = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer, *arguments)(address)
    places = [(pointer * 1)() for _ in range(2)]

    def function(*given: Any) -> None:
        compiled(*places, *given)

    return function
