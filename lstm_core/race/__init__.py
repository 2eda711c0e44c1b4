"""How do trainings share two cores and a crowd? Runs that are shared, races of them, and how much one may ask for."""
