"""How it runs: the command line, the local stack, the monitoring. No triage decisions enter here."""
