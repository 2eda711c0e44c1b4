"""Commands that are about the program itself, and how commands tell what they do."""
