"""Lines of a ledger that anybody may write, and that must end nothing."""

import orjson

from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.incidents.incident import LedgerRecord
from tasks.rules.incidents.fold import open_incidents
from tasks.rules.incidents.parse import parse_lines
from tasks.rules.incidents.transitions import OpenLedger, incident_changes
from tests.fakes.incident.observations import NOW, evidence, observation


def test_an_incident_of_the_year_9999_ends_no_triage() -> None:
    """Another tool's line; without a cause it counts as a person's own order, which is left for a while."""
    late = {"type": "x", "event": "opened", "service": "order-service", "incident_id": "X"}
    ledger = parse_lines(orjson.dumps({**late, "timestamp": "9999-12-31T23:59:59Z"}))
    far = OpenLedger(
        service="order-service", now=NOW, incidents=open_incidents(ledger.records, "order-service"), acting=False
    )

    assert len(far.incidents) == 1
    assert incident_changes(Diagnosis(status=Status.OK), evidence(observation()), far, lambda _: "INC-2") == ()


def test_absurd_nesting_is_cut_when_it_is_read() -> None:
    """Whoever writes it again recurses: the postmortem of an incident of that hour broke."""
    deep = b'{"timestamp": "2026-11-23T15:00:00Z", "type": "x", "details": {"a": ' + b"[" * 400 + b"]" * 400 + b"}}"

    (kept,) = parse_lines(deep).records

    assert "cut: nested too deeply" in kept.model_dump_json()
    assert LedgerRecord.model_validate_json(kept.model_dump_json()).details == kept.details
