"""Whose a process is, and which variables it may see."""
