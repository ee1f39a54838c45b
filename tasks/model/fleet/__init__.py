"""Sweeps and queues."""
