"""What is inside a network at a step of its training? Measured from weights, never from a chart."""
