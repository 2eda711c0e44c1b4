"""What can be taken away of a race? A script, a notebook, ONNX and all numbers, in one ZIP."""
