"""What does a file of numbers say? Its table, a column as numbers, another as times, and where rows are missing."""
