"""The warm worker: each flow run is forked from a process that has imported Prefect and the flows. No runbook logic."""
