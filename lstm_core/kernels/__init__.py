"""What is a cell at the speed of a machine? The same equations as in `lstm_core.cells`, compiled by numba."""
