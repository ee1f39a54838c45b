"""What a deployment is called in the work queue of one trading host."""


def deployment_name(name: str, queue: str | None) -> str:
    """Name a deployment as it is called in a queue: `triage/do-triage`, or `triage/do-triage.HOST`."""
    return f"{name}.{queue}" if queue else name
