"""People: a right is checked at a door, and the rota is checked for gaps; both are recorded and reported."""
