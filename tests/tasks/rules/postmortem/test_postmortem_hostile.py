"""Hostile incidents: whatever others wrote into the ledger, the postmortem is written, and nothing of it acts."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tasks.model.incidents.incident import Event, IncidentState, LedgerRecord
from tasks.model.postmortem.postmortem import NumberedRecord, PostmortemCase
from tasks.rules.postmortem.merge_edits import composed
from tasks.rules.postmortem.picture import picture_svg
from tasks.rules.postmortem.template import postmortem_blocks
from tasks.work.postmortem.case import known_case
from tests.fakes.incident import observations
from tests.fakes.incident.story import INCIDENT, SERVICE, gateway_story

HOSTILE = (
    "<script>alert(1)</script>",
    "| forged | row |\n| --- | --- |",
    "](javascript:alert(1)) ![x](https://evil.example/x.png)",
    "<!-- runbook:end timeline -->",
    "# heading\n\n- list\n```\ncode",
    "\u0436\u0443\u202e\u0440\u043d\u0430\u043b 取引停止 \u0645\u0631\u062d\u0628\u0627 \x1b[31mred\x00",
    "A" * 1_000_000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:16]))
def test_text_from_outside_acts_nowhere_in_the_document(tmp_path: Path, text: str) -> None:
    """A log line or a symbol must not forge a row, run a script, or end a generated part."""
    story = gateway_story(tmp_path)
    story.told("order_routing_failed", 20, text, gateway=text)
    story.acts(text[:90], text[:90], 30, detail=text)
    story.acknowledged(text, 45)
    story.write(story.record(Event.DIAGNOSED, 50, text, {"because": [text], "ruled_out": [text], "gateways": [text]}))
    case = known_case(story.settings, SERVICE, INCIDENT)
    blocks = postmortem_blocks(case)
    document = composed("# x", blocks, None).text

    assert forged(document) == []
    assert document.count("<!-- runbook:end ") == len(blocks)
    assert composed("# x", blocks, document).edited == ()
    assert len(document) < 120_000
    ET.fromstring(picture_svg(case))  # noqa: S314 - our own drawing


def forged(document: str) -> list[str]:
    """Find what a page would take for markup of ours, in lines that we did not write."""
    plain = re.sub(r"\]\([A-Za-z0-9._~-]+\.svg\)", "](picture)", document)
    lines = [line for line in plain.splitlines() if not line.startswith(("![", "<!-- runbook:", "    "))]
    found = [line for line in lines if re.search(r"(?<!\\)<(?!!-- runbook)|(?<!\\)\]\(|(?<!\\)!\[|(?<!\\)://", line)]
    rows = [line for line in lines if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    controls = [line for line in lines if any(not one.isprintable() for one in line)]
    return [*found, *controls, *(row for row, width in zip(rows, widths, strict=True) if width not in {4, 5, 7, 9})]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.data())
def test_any_ledger_at_all_gives_a_postmortem(data: some.DataObject) -> None:
    """Whatever others wrote about the incident, times of the year 1 or 9999 among it, the document is written."""
    times = some.datetimes(timezones=some.just(observations.NOW.tzinfo or None))  # type: ignore[arg-type]
    words = some.text(max_size=30)
    leaves = some.one_of(words, some.none(), some.floats(), some.lists(words, max_size=3))
    records = some.builds(
        LedgerRecord,
        timestamp=times,
        type=some.sampled_from(["gateway_unreachable", "control_changed", "x"]),
        event=some.sampled_from([None, *Event]),
        source=some.sampled_from([None, "operator", "triage"]),
        incident_id=some.sampled_from([None, "I"]),
        summary=words,
        details=some.dictionaries(
            some.sampled_from(["key", "action", "outcome", "by", "because", "gateways", "part", "now"]), leaves
        ),
    )
    numbered = tuple(NumberedRecord(line=n, record=one) for n, one in enumerate(data.draw(some.lists(records)), 1))
    opened = data.draw(times)
    closed = data.draw(some.one_of(some.none(), times))
    case = PostmortemCase(
        incident=IncidentState(incident_id="I", service=SERVICE, state="x", opened_at=opened, closed_at=closed),
        records=numbered,
        around=numbered,
    )

    assert composed("# x", postmortem_blocks(case), None).text
    ET.fromstring(picture_svg(case))  # noqa: S314 - our own drawing
