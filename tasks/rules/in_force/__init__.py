"""What holds trading back now, how each asset class stands, and the one sentence that says it."""
