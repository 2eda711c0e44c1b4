"""What is inside a network at a moment of its training? Measured from weights, never from a chart."""
