"""The only doors out: one for each outside thing. httpx, psutil and slack_sdk are imported nowhere else."""
