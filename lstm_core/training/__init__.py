"""What happens at every step of a training? One step after the other in Python, or many in one call of kernels."""
