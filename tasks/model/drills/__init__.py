"""Drills and their settings."""
