"""What do visitors see and do? A real browser at a dashboard of its own."""
