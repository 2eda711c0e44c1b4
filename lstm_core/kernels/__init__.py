"""What is a cell at the speed of a machine? The same equations as in `lstm_core.cells`, compiled by numba."""

import os

# Races run one racer a core: a BLAS with threads of its own would make each of them slower. It reads this when it is
# loaded, which numba does with the first matrix product.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
