"""Findings and checkpoints of a log scan."""
