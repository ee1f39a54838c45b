"""What a deployment is called in the work queue of one trading host."""


def deployment_name(name: str, queue: str | None) -> str:
    """Name a deployment as it is called in a queue: `triage/manual`, or `triage/manual.HOST`."""
    return f"{name}.{queue}" if queue else name
