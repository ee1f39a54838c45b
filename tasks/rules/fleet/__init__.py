"""Many services at once: what a sweep says, shared causes, a triage that stalled."""
