"""How an order service of any make is described: where each value stands in its answers."""
