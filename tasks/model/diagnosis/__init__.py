"""Symptoms, causes, recent changes and the limits that decide."""
