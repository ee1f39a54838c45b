"""Monitored services for tests."""
