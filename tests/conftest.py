"""What all tests share: one thread, as in the laboratory itself, kernels that are ready, and a history of their own."""

import os
import tempfile

import torch

from lstm_core import engine

torch.set_num_threads(1)
_folder = tempfile.TemporaryDirectory(prefix="history")
os.environ["GRADIENT_HIGHWAY_HISTORY"] = f"sqlite:///{_folder.name}/history.sqlite"
for dtype in (torch.float32, torch.float64):
    engine.resolve(engine.FUSED, dtype)
