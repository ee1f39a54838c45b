"""A maintenance window: a person's word that a service is being worked on."""

from pydantic import AwareDatetime

from tasks.model.values import Value

STARTED_TYPE = "maintenance_started"
ENDED_TYPE = "maintenance_ended"
LONGEST_S = 86_400


class Maintenance(Value):
    """The window that is open: looking goes on, acting and paging stop, recovery is still told."""

    started_at: AwareDatetime
    until: AwareDatetime
    reason: str = ""
    by: str = ""
