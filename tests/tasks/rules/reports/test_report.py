"""The report: reads as the page, and lets nothing from outside act in it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tasks.clients.files.runbook_page import section_titles
from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.incidents.incident import Event, IncidentState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Exchange, Fault, OrderOutcome
from tasks.model.probes.processes import ProcessState
from tasks.model.remediation.remediation import IncidentUpdate
from tasks.model.reports.report import Mark, ReportLine, TriageStory
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.formats.markdown_cells import cell
from tasks.rules.in_force.headline import story_headline
from tasks.rules.reports.report_markdown import rows_of, triage_markdown
from tests.fakes.incident.observations import NOW, evidence, health, observation, order, process, three


def test_a_healthy_run_says_so_in_one_sentence_that_can_be_read_aloud() -> None:
    """On a call nobody wants a table."""
    seen = evidence(observation())

    line = story_headline(TriageStory(evidence=seen, diagnosis=Diagnosis(status=Status.OK)))

    assert line == (
        "order-service is healthy: health passed, its process runs, 2 of 2 test orders filled, 2 of 2 gateways answer."
    )


def test_records_that_a_folded_ledger_no_longer_counts_are_said_to_be_left_out() -> None:
    """Whoever reads *12 records* of a ledger that wrote thousands looks for the trouble elsewhere."""
    seen = evidence(observation())

    def line(**known: object) -> str:
        context = seen.context.model_copy(update={"recent_count": 12, **known})
        story = TriageStory(
            evidence=seen.model_copy(update={"context": context}), diagnosis=Diagnosis(status=Status.OK)
        )
        return triage_markdown(story)

    assert "; 12 records in 24 h" in line()
    assert "; at least 12 records in 24 h" in line(recent_is_least=True)


def test_every_part_of_the_page_has_its_name() -> None:
    """A heading without a name shows in the Prefect UI as stars and blanks."""
    healthy = TriageStory(evidence=evidence(observation()), diagnosis=Diagnosis(status=Status.OK))

    text = triage_markdown(healthy, section_titles())

    assert "**§2 Remediation of the common cases**" in text
    assert re.findall(r"^\*\*§[\d.]+ \*\*", text, re.MULTILINE) == []
    assert "1 pass of checks." in text


def test_a_hung_service_is_named_with_its_reasons_and_its_section() -> None:
    """The reader sees what it rests on, and where in the runbook to go on."""
    seen = three(health=health(Fault.TIMED_OUT), process=process(ProcessState.STOPPED), orders=())
    text = triage_markdown(TriageStory(evidence=seen, diagnosis=name_cause(seen)))

    assert "service hung, confirmed" in text
    assert "because health did not answer in 3 of 3 checks" in text
    assert "→ §2.1" in text


def test_the_failing_request_and_response_are_in_the_report() -> None:
    """The developer lead asks for the sample; it is there to the byte."""
    exchange = Exchange(
        method="POST",
        url="http://service/orders",
        request_body='{"symbol":"ZVZZT"}',
        http_status=500,
        body='{"oops":1}',
    )
    bad = order(AssetClass.EQUITY, OrderOutcome.ERROR).model_copy(update={"exchange": exchange})
    seen = three(orders=(bad, order(AssetClass.FX)))

    text = triage_markdown(TriageStory(evidence=seen, diagnosis=name_cause(seen)))

    assert '{"symbol":"ZVZZT"}' in text
    assert '{"oops":1}' in text


def test_orders_and_gateways_are_there_at_a_glance() -> None:
    """A narrow table shows which class trades where; nobody scrolls for it."""
    seen = evidence(observation())

    text = triage_markdown(TriageStory(evidence=seen, diagnosis=Diagnosis(status=Status.OK)))

    assert "| equity | executed | XNAS |" in text
    assert "| FXALL | passed |" in text


def test_a_healthy_report_is_one_screen_above_its_line() -> None:
    """Sixty healthy reports an hour are skimmed: the details lie below the line."""
    text = triage_markdown(TriageStory(evidence=evidence(observation()), diagnosis=Diagnosis(status=Status.OK)))
    above, _, below = text.partition("\n---\n")

    assert len(above.splitlines()) <= 20
    assert "- **To do**: nothing" in above
    assert "**Since**" not in above
    assert "## The runbook, line by line" in below


def test_the_first_screen_says_since_when_and_what_a_person_must_do() -> None:
    """The person paged reads four lines on a phone before anything else."""
    seen = three(health=health(Fault.TIMED_OUT), process=process(ProcessState.STOPPED), orders=())
    opened = IncidentState(incident_id="INC-1", service="order-service", state=Event.OPENED, opened_at=NOW)
    story = TriageStory(evidence=seen, diagnosis=name_cause(seen), incidents=IncidentUpdate(opened=(opened,)))
    head, _, _ = triage_markdown(story).partition("## Cause")

    assert "- **Since**: 2026-11-23T15:00:00.000Z" in head
    assert "- **To do**: acknowledge INC-1\n- **To do**: follow §2.1, with tier " in head


def test_a_reason_that_several_lines_share_stands_once() -> None:
    """Four lines that say one thing hide the fifth."""
    line = ReportLine(section="§1.2", step="GET /health", mark=Mark.COULD_NOT, evidence="refused")
    other = line.model_copy(update={"step": "GET /metrics"})

    assert list(rows_of((line, other))) == ["- GET /health, GET /metrics (could not): refused"]


@given(st.text(max_size=400))
def test_no_text_from_outside_leaves_its_line_or_starts_markup(text: str) -> None:
    """A log line or a symbol must not forge a row, a link or a picture in the report."""
    safe = cell(text)

    assert "\n" not in safe
    assert not re.search(r"(?<!\\)[\[\]<>|`*_#]", safe.replace("\\\\", ""))
