"""The timers of §3 over any schedule of losses, and over any ledger."""

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Event, Source
from tasks.model.incidents.maintenance import ENDED_TYPE, STARTED_TYPE
from tests.fakes.incident.escalating import SERVICE, Incident

T2, T3 = Audience.TIER_2, Audience.TIER_3


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=40, max_size=40),
    acknowledged_at=st.one_of(st.none(), st.integers(1, 40)),
)
def test_whatever_is_lost_on_the_way_the_last_tier_hears_and_the_number_of_pages_is_bounded(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[bool, bool]], acknowledged_at: int | None
) -> None:
    """Runs that are missed, and runs that are killed after sending: a page may be reported twice, and is never lost."""
    incident = Incident(tmp_path_factory.mktemp("lost")).opened()
    sent: list[str] = []
    for number, (happens, survives) in enumerate([*runs, *[(True, True)] * 40], start=1):
        if number == acknowledged_at:
            incident.acknowledged(number, 20)
        if happens:
            sent += [message.key for message in incident.due(number)]
            incident.minute(number, delivered=tuple(Audience) if survives else ())

    assert {key.split("/")[1] for key in sent} >= {T2, T3}
    assert len(incident.said) == len({(audience, about) for _, audience, about in incident.said})
    assert len(incident.said) <= 12


EXTREMES = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-23T15:00:00Z", "2026-11-23T15:05:00Z")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.fixed_dictionaries(
            {
                "timestamp": st.sampled_from(EXTREMES),
                "type": st.sampled_from((STARTED_TYPE, ENDED_TYPE, "x")),
                "service": st.just(SERVICE),
                "incident_id": st.sampled_from(("INC-1", "", "a/b#2")),
                "event": st.sampled_from([None, *Event]),
                "source": st.sampled_from([None, *Source]),
                "details": st.dictionaries(
                    st.sampled_from(("key", "audience", "tier", "cause", "until", "by", "gateways", "asset_classes")),
                    st.one_of(
                        st.sampled_from((*EXTREMES, "tier_2", "desk", "INC-1/tier_1/again-1", "INC-1/tier_2/closed#2")),
                        st.lists(st.sampled_from(("equity", "XNAS", 7)), max_size=3),
                        st.none(),
                        st.floats(),
                        st.text(max_size=20),
                    ),
                ),
            }
        ),
        max_size=12,
    )
)
def test_no_ledger_keeps_the_timers_from_running(
    tmp_path_factory: pytest.TempPathFactory, lines: list[dict[str, object]]
) -> None:
    """Both sides write the file, and so may anybody: whatever stands in it, the minute's run goes on."""
    incident = Incident(tmp_path_factory.mktemp("any"))
    path = incident.settings.ledger_path(SERVICE)
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))

    messages = incident.due(10)

    assert len({message.key for message in messages}) == len(messages)
