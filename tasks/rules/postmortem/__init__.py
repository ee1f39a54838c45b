"""The postmortem: its sections, its times, its impact."""
