"""How long Prefect's server keeps runs and events: the one place that says it."""

import json

DAY_S = 86_400
HOUR_S = 3_600
# A beat is of use until the next one. The events of steps that went well are two thirds of all bytes, and say what the
# states of their runs say as well.
SHORT_LIVED = (
    "order-service.heartbeat",
    "prefect.flow-run.heartbeat",
    "prefect.task-run.Pending",
    "prefect.task-run.Running",
    "prefect.task-run.Completed",
)


def retention_variables() -> dict[str, str]:
    """Say to the server what to keep for how long. Units: seconds.

    A triage a minute leaves some 20 events and 15 states: kept for a day, and looked through every quarter hour.
    """
    return {
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "900",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ORPHAN_CLEANUP_LOOP_SECONDS": "3600",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(DAY_S),
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P1D",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_EVENT_RETENTION_OVERRIDES": json.dumps(dict.fromkeys(SHORT_LIVED, HOUR_S)),
    }
