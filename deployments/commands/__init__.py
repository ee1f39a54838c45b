"""The commands of `runbook`, one a file. Each imports only what it needs, so that `--help` and `status` are instant."""
