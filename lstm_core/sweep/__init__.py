"""What holds over many seeds? Grids of experiments, trained by many processes and ranked."""
