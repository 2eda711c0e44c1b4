"""How fast is it, and beside whom? Paired timings."""
