"""Turns of kernels against the training step of torch."""
