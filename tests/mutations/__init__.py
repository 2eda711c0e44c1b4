"""Would the tests notice a fault? Small ones are made in copies of the sources, one at a time."""
