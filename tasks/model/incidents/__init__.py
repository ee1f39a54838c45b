"""Incidents, escalation, maintenance, modes."""
