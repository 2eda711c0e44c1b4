"""What all tests share: one thread, as in the laboratory itself, and kernels that are ready."""

import torch

from lstm_core import engine

torch.set_num_threads(1)
for dtype in (torch.float32, torch.float64):
    engine.resolve(engine.FUSED, dtype)
