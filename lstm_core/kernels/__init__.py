"""What is a cell at the speed of a machine? The same equations as in `lstm_core.cells`, compiled by numba."""

import os

from llvmlite import binding

# Races run one racer a core: a BLAS with threads of its own would make each of them slower. It reads this when it is
# loaded, which numba does with the first matrix product.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# For many processors the compiler keeps to vectors of 32 bytes although they have some of 64, so as not to lower their
# clock; BLAS uses the long ones anyway. numba reads these when it first compiles.
_features = binding.get_host_cpu_features()
if _features.get("avx512f") and "NUMBA_CPU_FEATURES" not in os.environ:
    os.environ.setdefault("NUMBA_CPU_NAME", binding.get_host_cpu_name())
    os.environ["NUMBA_CPU_FEATURES"] = _features.flatten() + ",-prefer-256-bit"
