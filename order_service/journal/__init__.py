"""The order journal: what was promised and what came of it, on disk before and after each send. Nothing else enters."""
