"""What an incident that is over leaves behind besides its postmortem: a fixture that replays it, and draft checks."""

from datetime import datetime

from tasks.clients.accepted_checks import keep_drafts
from tasks.clients.postmortem_facts import known_case
from tasks.clients.regressions import keep_regression
from tasks.model.errors import RunbookError
from tasks.model.postmortem import KeptBeside
from tasks.rules.check_drafts import draft_checks
from tasks.settings import RunbookSettings


def regression_written(settings: RunbookSettings, service: str, incident_id: str, now: datetime) -> KeptBeside:
    """Keep the fixture of an incident that is over; where no evidence was kept there is none.

    Runbook: §5.2.
    Errors: none; what could not be kept is told in the postmortem, and the next run tries again.
    """
    try:
        case = known_case(settings, service, incident_id)
        if case.incident.is_open or case.first_run is None:
            return KeptBeside()
        return KeptBeside(names=(keep_regression(settings.state_dir, case.incident, case.first_run, now),))
    except RunbookError as error:
        return KeptBeside(fault=f"the fixture: {error}")


def checks_drafted(settings: RunbookSettings, service: str, incident_id: str, now: datetime) -> KeptBeside:
    """Keep the drafts that are new of an incident that is over; no evidence gives none.

    Runbook: §5.2.
    Errors: none; as above.
    """
    try:
        case = known_case(settings, service, incident_id)
        if case.incident.is_open or case.first_run is None:
            return KeptBeside()
        drafts = draft_checks(case.incident, case.first_run, now)
        return KeptBeside(names=keep_drafts(settings.state_dir, drafts))
    except RunbookError as error:
        return KeptBeside(fault=f"the draft check: {error}")
