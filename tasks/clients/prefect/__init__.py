"""What a run shows in the Prefect UI: artifacts, progress, approval forms."""
