"""Stack traces of each runtime, gathered to one finding."""
