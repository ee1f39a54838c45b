"""What a triage gathers and confirms: context, one pass of probes, the confirming checks."""
