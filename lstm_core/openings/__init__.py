"""With which race does a page open, and does it show what the page says?"""
