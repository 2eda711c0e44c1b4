"""Is a file read as somebody meant it?"""
