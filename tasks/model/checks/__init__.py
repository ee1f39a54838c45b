"""Checks that a postmortem drafted."""
