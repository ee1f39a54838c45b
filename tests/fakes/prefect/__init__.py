"""Prefect for tests: servers, workers, a person at its UI."""
