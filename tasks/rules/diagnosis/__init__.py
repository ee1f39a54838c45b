"""From symptoms to named causes, with the numbers that decided."""
