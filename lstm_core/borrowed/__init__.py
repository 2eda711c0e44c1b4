"""What do libraries and the operating system do for us that they do not promise? One function each, with a reason."""
