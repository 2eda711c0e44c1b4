"""What is drawn? Tidy tables of what was measured, how each becomes a chart, and the equations of a cell as set."""
