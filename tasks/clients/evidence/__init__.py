"""Stored observations, evidence and snapshots of the runs."""
