"""The report: reads as the page, and lets nothing from outside act in it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tasks.model.diagnosis import Diagnosis, Status
from tasks.model.looks import Exchange, Fault, OrderOutcome
from tasks.model.orders import AssetClass
from tasks.model.processes import ProcessState
from tasks.model.report import TriageStory
from tasks.rules.cells import cell
from tasks.rules.diagnosis import name_cause
from tasks.rules.headline import story_headline
from tasks.rules.report_markdown import triage_markdown
from tests.fakes.looks import evidence, health, observation, order, process, three


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

    text = triage_markdown(healthy)

    assert "**§2 Remediation**" in text
    assert re.findall(r"^\*\*§[\d.]+ \*\*", text, re.MULTILINE) == []
    assert "1 round of looks." in text


def test_a_hung_service_is_named_with_its_reasons_and_its_section() -> None:
    """The reader sees what it rests on, and where in the runbook to go on."""
    seen = three(health=health(Fault.TIMED_OUT), process=process(ProcessState.STOPPED), orders=())
    text = triage_markdown(TriageStory(evidence=seen, diagnosis=name_cause(seen)))

    assert "service hung, confirmed" in text
    assert "because health did not answer in 3 of 3 looks" in text
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


@given(st.text(max_size=400))
def test_no_text_from_outside_leaves_its_line_or_starts_markup(text: str) -> None:
    """A log line or a symbol must not forge a row, a link or a picture in the report."""
    safe = cell(text)

    assert "\n" not in safe
    assert not re.search(r"(?<!\\)[\[\]<>|`*_#]", safe.replace("\\\\", ""))
