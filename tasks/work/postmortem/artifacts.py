"""What a closed incident leaves besides its postmortem: a fixture that replays it, and draft checks."""

from collections.abc import Callable
from datetime import datetime

from tasks.model.errors import RunbookError
from tasks.model.evidence.stored_run import StoredRun
from tasks.model.incidents.incident import IncidentState
from tasks.model.postmortem.postmortem import KeptBeside
from tasks.rules.checks.drafts import draft_checks
from tasks.settings import RunbookSettings
from tasks.work.postmortem.accepted_checks import keep_drafts
from tasks.work.postmortem.case import known_case
from tasks.work.postmortem.regressions import keep_regression


def regression_written(settings: RunbookSettings, service: str, incident_id: str, now: datetime) -> KeptBeside:
    """Keep the fixture of a closed incident.

    Runbook: §5.2.
    Errors: none; without evidence there is none, and what could not be kept is named in the postmortem and tried again.
    """

    def keep(incident: IncidentState, run: StoredRun) -> tuple[str, ...]:
        return (keep_regression(settings.state_dir, incident, run, now),)

    return _kept(settings, service, incident_id, "the fixture", keep)


def checks_drafted(settings: RunbookSettings, service: str, incident_id: str, now: datetime) -> KeptBeside:
    """Keep the new draft checks of a closed incident.

    Runbook: §5.2.
    Errors: none; as above.
    """

    def keep(incident: IncidentState, run: StoredRun) -> tuple[str, ...]:
        return keep_drafts(settings.state_dir, draft_checks(incident, run, now))

    return _kept(settings, service, incident_id, "the draft check", keep)


def _kept(
    settings: RunbookSettings,
    service: str,
    incident_id: str,
    name: str,
    keep: Callable[[IncidentState, StoredRun], tuple[str, ...]],
) -> KeptBeside:
    try:
        case = known_case(settings, service, incident_id)
        if case.incident.is_open or case.first_run is None:
            return KeptBeside()
        return KeptBeside(names=keep(case.incident, case.first_run))
    except RunbookError as error:
        return KeptBeside(fault=f"{name}: {error}")
