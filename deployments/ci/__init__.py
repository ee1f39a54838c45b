"""Triages in a firm's own tests: one Prefect server a session, and a process for each triage."""
