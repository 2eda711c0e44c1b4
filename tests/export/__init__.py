"""Is what can be taken away of a race the same, wherever it is run?"""
