"""A drill as it runs: what is refused, what was seen of the reaction and of its end."""
