"""Where do finished runs stay? In a database, and in files that carry them."""
