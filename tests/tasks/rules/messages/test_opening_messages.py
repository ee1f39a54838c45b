"""Who is notified when an incident opens, and what stands beside the two templates."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Kind, Status
from tasks.model.evidence.evidence import Evidence, KnownGateway
from tasks.model.incidents.incident import IncidentState
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.messages.messages import Message
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome
from tasks.model.remediation.remediation import IncidentUpdate
from tasks.model.reports.report import TriageStory
from tasks.rules.messages.desk import affected_classes
from tasks.rules.messages.opening import opening_messages
from tasks.rules.messages.templates import desk_notice, escalation_text
from tests.fakes.incident.observations import NOW, evidence, metrics, observation, order, three
from tests.fakes.incident.past import with_past

EQUITY, FX = AssetClass.EQUITY, AssetClass.FX


def finding(cause: Cause = Cause.DEPENDENCY_UNREACHABLE, **changes: object) -> Finding:
    """One finding."""
    base = {"cause": cause, "confidence": Confidence.CONFIRMED, "because": ("XNAS refused",), "section": "§2.1"}
    return Finding.model_validate({**base, "tier": Audience.TIER_3, **changes})


def told(found: Finding, seen: Evidence | None = None, **changes: object) -> tuple[Message, ...]:
    """What is reported when a finding has just opened an incident."""
    base = {"incident_id": "INC-1", "service": "order-service", "state": "opened", "opened_at": NOW}
    incident = IncidentState.model_validate({**base, "causes": (found.cause,), "tier": found.tier, **changes})
    story = TriageStory(
        evidence=seen or evidence(observation()),
        diagnosis=Diagnosis(status=Status.CRITICAL, findings=(found,)),
        incidents=IncidentUpdate(opened=(incident,)),
    )
    return opening_messages(story)


def of(messages: tuple[Message, ...], audience: Audience) -> list[str]:
    """The keys of one audience."""
    return [one.key.split("/", 2)[2] for one in messages if one.audience is audience]


def test_the_notice_to_the_desk_is_the_template_alone_and_the_status_stands_beside_it() -> None:
    """One notice for all classes, to the letter; how trading stands is the detail."""
    (notice,) = (one for one in told(finding(asset_classes=(EQUITY, FX))) if one.audience is Audience.DESK)

    assert notice.text == desk_notice("equity", "fx")
    assert "Equity: trades at XNAS." in notice.detail
    assert notice.detail.endswith("mode=act.")


def test_the_time_of_the_escalation_is_utc_and_the_desks_own() -> None:
    """The template stays one sentence, with both clocks in the place of the time."""
    since = datetime(2026, 7, 1, 15, 0, tzinfo=UTC)

    assert escalation_text(since, "XNAS refused.", "America/New_York") == (
        "Incident: order-routing health checks failing since "
        "2026-07-01T15:00:00.000Z (2026-07-01 11:00:00 EDT, America/New_York). Errors: XNAS refused. "
        "Key artifacts: incidents.jsonl, service logs, sample failing request/response."
    )


def test_a_summary_of_many_lines_cannot_break_the_template() -> None:
    """A stack trace in the evidence, or a placeholder in it, leaves the sentence whole."""
    text = escalation_text(NOW, "line one\n\n[timestamp] two\t" + "x" * 5000)

    assert "\n" not in text
    assert "Errors: line one [timestamp] two xxx" in text
    assert text.endswith("Key artifacts: incidents.jsonl, service logs, sample failing request/response.")
    assert len(text) < 1300


def test_a_time_that_no_clock_of_the_desk_reaches_is_told_in_utc() -> None:
    """A ledger may tell of the year 1."""
    assert "0001-01-01T00:00:00.000Z. Errors" in escalation_text(datetime(1, 1, 1, tzinfo=UTC), "x", "America/New_York")


def test_nobody_is_told_while_a_maintenance_window_is_open() -> None:
    """Whoever works on the service knows."""
    window = Maintenance(started_at=NOW, until=NOW + timedelta(minutes=30))

    assert told(finding(), with_past((observation(),), maintenance=window)) == ()


@pytest.mark.parametrize(("tier", "above"), [(Audience.TIER_1, Audience.TIER_2), (Audience.TIER_2, Audience.TIER_3)])
def test_orders_without_a_proven_outcome_go_up_at_once(tier: Audience, above: Audience) -> None:
    """Money may be at risk in them: the next tier does not wait for a timer."""
    counted = metrics().model_copy(update={"orders_unknown_count": 3.0})
    messages = told(finding(Cause.BAD_RELEASE, tier=tier), three(metrics=counted))

    (risk,) = (one for one in messages if one.key.endswith("/orders-at-risk"))
    assert risk.audience is above
    assert "3 orders have no proven outcome. Never resend: ask the venue." in risk.text


def test_orders_at_risk_go_up_once_and_not_a_tier_every_minute() -> None:
    """The next tier has it now; the timers decide who is next."""
    counted = metrics().model_copy(update={"orders_unknown_count": 3.0})
    before = ("INC-1/tier_1/opened", "INC-1/tier_2/orders-at-risk")

    in_charge = {"tier": Audience.TIER_2, "told": before}
    messages = told(finding(Cause.SERVICE_HUNG, tier=Audience.TIER_1), three(metrics=counted), **in_charge)

    assert [one for one in messages if one.audience is not Audience.DESK] == []


def test_orders_that_were_proven_within_the_run_are_no_risk() -> None:
    """An order that is asked for and found within seconds wakes nobody."""
    rounds = [metrics().model_copy(update={"orders_unknown_count": count}) for count in (3.0, 1.0, 0.0)]
    seen = evidence(*(observation(2.0 * number, metrics=one) for number, one in enumerate(rounds)))

    assert of(told(finding(Cause.BAD_RELEASE, tier=Audience.TIER_2), seen), Audience.TIER_3) == []


def test_a_gateway_that_joins_an_open_incident_is_told() -> None:
    """It has grown: who took it for one venue must hear of the second."""
    messages = told(finding(gateways=("XCME", "XNAS")), gateways=("XNAS",), told=("INC-1/tier_3/opened",))

    (wider,) = (one for one in messages if one.audience is Audience.TIER_3)
    assert wider.key == "INC-1/tier_3/also-XCME"
    assert wider.text.startswith("Incident: order-routing health checks failing since")


def test_an_incident_that_came_back_is_told_anew() -> None:
    """They heard that it was over; they must hear that it is not."""
    messages = told(
        finding(asset_classes=(EQUITY,)), reopened=1, told=("INC-1/tier_3/opened", "INC-1/desk/desk-equity")
    )

    assert [one.key for one in messages] == ["INC-1/tier_3/opened#2", "INC-1/desk/desk-equity#2"]


def test_a_strategy_that_sends_too_much_is_told_to_the_desk_in_plain_words() -> None:
    """Routing is well; the desk must pause its strategy."""
    wild = finding(Cause.CLIENT_MISBEHAVIOUR, because=("strategy mm-1 sends 50 orders/s",), strategies=("mm-1",))

    (message,) = (one for one in told(wild) if one.audience is Audience.DESK)

    assert message.text == "Strategy mm-1 sends 50 orders/s. Please pause it."


def classes(found: Finding, seen: Evidence, *others: Finding) -> tuple[AssetClass, ...]:
    """The classes that the desk hears of."""
    return affected_classes(found, Diagnosis(status=Status.DEGRADED, findings=(found, *others)), seen)


def test_an_unexplained_failure_tells_the_desk_of_the_classes_whose_orders_fail() -> None:
    """Nobody knows why equity does not fill; that it does not is known."""
    failing = three(orders=(order(EQUITY, OrderOutcome.TIMED_OUT), order(FX)))

    assert classes(finding(Cause.UNKNOWN), failing) == (EQUITY,)
    named = finding(Cause.GATEWAY_FAILING, asset_classes=(EQUITY,))
    assert classes(finding(Cause.UNKNOWN), failing, named) == ()


def test_an_order_that_failed_once_in_a_run_degrades_no_class() -> None:
    """One lost test order is no reason to stop a desk."""
    rounds = (observation(orders=(order(EQUITY, OrderOutcome.TIMED_OUT),)), observation(2.0))

    assert classes(finding(Cause.UNKNOWN), evidence(*rounds)) == ()


@pytest.mark.parametrize("cause", [Cause.OBSERVABILITY_FAULT, Cause.MONITOR_BLIND, Cause.CLIENT_MISBEHAVIOUR])
def test_a_broken_gauge_degrades_no_class(cause: Cause) -> None:
    """The desk is not told of degraded routing where routing is well."""
    assert classes(finding(cause, kinds=(Kind.HEALTH,)), three(orders=(order(EQUITY, OrderOutcome.TIMED_OUT),))) == ()


def test_a_dead_service_without_test_orders_still_tells_every_class_that_its_gateways_take() -> None:
    """Who set no test orders up has a desk all the same."""
    gateways = (KnownGateway(name="XCME", asset_classes=(AssetClass.FUTURE, FX)),)

    seen = with_past((observation(orders=()),), known_gateways=gateways)

    assert classes(finding(Cause.SERVICE_DOWN), seen) == (AssetClass.FUTURE, FX)


def test_a_page_says_since_the_first_failed_check_and_not_since_it_was_written_down() -> None:
    """Who compares the page with the trade log searches at the right second."""
    first = observation().model_copy(update={"looked_at": NOW - timedelta(seconds=6)})
    seen = evidence(first, observation())
    hung = finding(Cause.SERVICE_HUNG, tier=Audience.TIER_1)

    (sure,) = (one.text for one in told(hung, seen) if one.audience is Audience.TIER_1)
    (unsure,) = (
        one.text
        for one in told(hung.model_copy(update={"confidence": Confidence.LIKELY}), seen)
        if one.audience is Audience.TIER_1
    )

    assert f"since {NOW - timedelta(seconds=6):%H:%M:%S}Z" in sure[:80]
    assert f"since {NOW:%H:%M:%S}Z" in unsure[:80]
