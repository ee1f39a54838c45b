"""Processes for tests: signals, ports, supervisors."""
