"""What is in sight when a page opens, and does it keep still? Measured in a browser, on windows of every size."""
