"""What is asked of a Prefect server: runs, approvals, queues, progress."""
