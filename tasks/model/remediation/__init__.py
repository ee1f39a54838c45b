"""Actions, plans, verdicts, and what is in force."""
