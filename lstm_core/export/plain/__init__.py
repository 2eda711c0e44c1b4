"""What do scripts contain that are taken away? These functions, word for word: torch alone, for readers."""
