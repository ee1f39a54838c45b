"""What a release's own record says of it, as the automation reads it."""

import json

import pytest

from tasks.rules.diagnosis.recent_changes import parse_moves
from tasks.rules.remediation.release_record import ran_healthy, why_not_good

HEALTHY = frozenset({"1.0.0", "1.1.0"})


def manifest(version: str = "1.0.0", drill: object = None) -> str:
    """A manifest as a build writes it."""
    return json.dumps({"version": version, "drill": drill})


def move(action: str, before: str | None, to: str) -> bytes:
    """One line of the history of moves."""
    line = {"at": "2026-11-23T14:00:00Z", "action": action, "from": before, "to": to, "by": "kim", "reason": ""}
    return json.dumps({**line, "routing_file": "/state/routing.toml"}).encode()


def why(release: str, *moves: bytes, text: str | None = None, healthy: frozenset[str] = HEALTHY) -> str | None:
    """Why a release is not known to be good."""
    return why_not_good(release, manifest(release) if text is None else text, parse_moves(b"\n".join(moves)), healthy)


AWAY = (move("deploy", None, "1.0.0"), move("deploy", "1.0.0", "1.1.0"), move("roll-back", "1.1.0", "1.0.0"))


def test_a_release_with_a_healthy_run_on_record_is_known_to_be_good() -> None:
    """The way back has to be open at night, too."""
    assert why("1.0.0", *AWAY) is None
    assert why("1.1.0", *AWAY[:2]) is None


def test_what_was_rolled_away_from_is_not_good_until_it_is_made_current_again() -> None:
    """It may have run well for an hour, and be bad all the same."""
    assert why("1.1.0", *AWAY) == "it was rolled away from, and not deployed since"
    assert why("1.1.0", *AWAY, move("deploy", "1.0.0", "1.1.0")) is None


def test_a_release_without_a_healthy_run_is_not_known_to_be_good() -> None:
    """What is not known to be good is not good."""
    assert why("1.0.0", healthy=frozenset({"1.1.0"})) == "no healthy run of it is recorded"


def test_a_drill_release_is_never_good() -> None:
    """Its fault may wait for a signal, and it runs well until then."""
    assert "order_errors" in (why("1.0.0", text=manifest(drill={"fault": "order_errors"})) or "")
    assert why("1.0.0", text=manifest(drill={})) is not None


@pytest.mark.parametrize("text", ["", "{", "[]", manifest("1.1.0"), "{}"])
def test_a_manifest_that_cannot_be_read_proves_nothing(text: str) -> None:
    """A damaged release is no way back."""
    assert why("1.0.0", text=text) == "its manifest cannot be read"


@pytest.mark.parametrize(
    ("inputs", "is_healthy"),
    [
        ({"for_s": 30, "orders_count": 1}, True),
        ({"for_s": 0.1, "orders_count": 1}, True),
        ({"for_s": 0, "orders_count": 9}, False),
        ({"for_s": 30, "orders_count": 0}, False),
        ({"for_s": 30}, False),
        ({"for_s": "30", "orders_count": "many"}, False),
        ({}, False),
    ],
)
def test_a_run_counts_only_with_some_time_and_some_orders(inputs: dict[str, object], *, is_healthy: bool) -> None:
    """Serving without orders proves nothing."""
    line = json.dumps({"version": "1.0.0", **inputs}).encode()

    assert ran_healthy([b"{", line, b"\xff"]) == (frozenset({"1.0.0"}) if is_healthy else frozenset())
