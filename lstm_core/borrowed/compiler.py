"""What does numba do for the kernels that its documentation does not promise? Options, machine code, calls of it."""

from collections.abc import Mapping
from typing import Any

from numba import njit, types
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target
from numba.extending import intrinsic


def uncounted(options: Mapping[str, Any]) -> dict[str, Any]:
    """
    These options of `njit`, without numba's runtime, by the private option `_nrt`, which a function that says nothing
    has from its caller. The runtime counts references to every view of an array, which takes as long as a short loop;
    without it a function can make no array.
    """
    return {**options, "_nrt": False}


def inlined(options: Mapping[str, Any]) -> dict[str, Any]:
    """
    These options, with `forceinline`, which numba's documentation does not have: LLVM copies the function into every
    loop that calls it, without which that loop does not compute vectors.
    """
    return {**options, "forceinline": True}


class _Part(JITCodeLibrary):  # type: ignore[misc]
    """
    What one function becomes, as it was written for LLVM: numba would optimise it, and make machine code of it, to be
    called from Python, and do both again with each function that calls it.
    """

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0

    def whole(self) -> bytes:
        """The object code of the function with all that it calls, optimised as one."""
        super()._optimize_final_module()
        return bytes(self._codegen._tm.emit_object(self._final_module))


def machine_code(function: Any, signature: Any, options: Mapping[str, Any]) -> tuple[str, bytes]:
    """
    The object code of a function, compiled for one signature, and its name there; called by `call` and by `prototype`
    alone. From then on, this process can do nothing else with what it compiles.
    """
    codegen = cpu_target.target_context.codegen()
    codegen._library_class, codegen.set_env = _Part, lambda name, environment: None
    compiled = njit(signature, **options, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    (only,) = compiled.overloads.values()
    return only.fndesc.llvm_func_name, only.library.whole()


@intrinsic
def call(typingctx, place, *arguments):  # type: ignore[no-untyped-def]
    """
    In compiled code: call the function at this address, which returns nothing, with arguments of exactly its types.

    A function that is called by its name becomes part of whoever calls it, and is compiled with it once more.
    """

    def codegen(context, builder, signature, values):  # type: ignore[no-untyped-def]
        convention, kinds = context.call_conv, signature.args[1]
        function = builder.inttoptr(values[0], convention.get_function_type(types.none, kinds).as_pointer())
        given = [builder.extract_value(values[1], k) for k in range(len(kinds))]
        convention.call_function(builder, function, types.none, kinds, given)
        return context.get_dummy_value()

    return types.void(place, types.StarArgTuple(arguments)), codegen
