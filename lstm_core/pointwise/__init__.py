"""What does a number become in an activation? Value and slope in plain arithmetic, for whoever compiles it."""
