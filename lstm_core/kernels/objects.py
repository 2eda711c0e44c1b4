"""How does machine code get into this process that was compiled elsewhere, and before? LLVM loads object files."""

import ctypes
from functools import cache
from typing import Any

from llvmlite import binding
from scipy.linalg import cython_blas

from lstm_core.kernels.piece import GEMM, Object


def _blas(name: str) -> int:
    """The address of a function of the BLAS that scipy has, as scipy shows it to Cython."""
    capsule = cython_blas.__pyx_capi__[name]
    name_of, pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(pointer(capsule, name_of(capsule)))


@cache
def name_products() -> None:
    """So that compiled code of this process finds those of BLAS."""
    for precision, name in zip(GEMM, ("sgemm", "dgemm"), strict=True):
        binding.add_symbol(GEMM[precision], _blas(name))


@cache
def _target() -> Any:
    name_products()
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple()


_loaded: list[Any] = []


def load(compiled: Object) -> int:
    """The address of the function, which stays where it is as long as Python runs."""
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target().create_target_machine(jit=True))
    engine.add_object_file(binding.ObjectFileRef.from_data(compiled.code))
    engine.finalize_object()
    _loaded.append(engine)
    return int(engine.get_function_address(compiled.symbol))
