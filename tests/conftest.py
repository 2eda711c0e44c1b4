"""What all tests share: one thread, as in the laboratory itself."""

import torch

torch.set_num_threads(1)
