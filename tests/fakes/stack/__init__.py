"""Stacks, databases and monitoring for tests."""
