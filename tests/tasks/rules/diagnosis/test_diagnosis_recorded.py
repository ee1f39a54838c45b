"""Naming the cause on evidence that was recorded while each fault was in force on a real stack."""

import gzip
from pathlib import Path
from typing import NamedTuple

import pytest

from tasks.clients.evidence.store import load_run
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Kind
from tasks.model.evidence.stored_run import StoredRun
from tasks.rules.diagnosis.replay import replay, replayed

RECORDED = Path(__file__).parent / "recorded"
T1, T2, T3 = Audience.TIER_1, Audience.TIER_2, Audience.TIER_3


class Expected(NamedTuple):
    """What the drill's row asks for, and the classes and gateways that were really hit."""

    row: str
    file: str
    cause: Cause
    tier: Audience
    kinds: tuple[Kind, ...] = ()
    classes: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()


DRILLS = (
    Expected("1", "hung_stopped", Cause.SERVICE_HUNG, T1),
    Expected("2", "killed", Cause.SERVICE_DOWN, T1),
    Expected("3", "crash_loop", Cause.CRASH_LOOP, T2, (Kind.CRASHES,)),
    Expected("10", "refuse", Cause.DEPENDENCY_UNREACHABLE, T3, (Kind.UNREACHABLE,), ("future",), ("XCME",)),
    Expected("11", "unreachable", Cause.DEPENDENCY_UNREACHABLE, T3, (Kind.UNREACHABLE,), ("fx",), ("FXALL",)),
    Expected("12", "gateway_stopped", Cause.GATEWAY_FAILING, T3, (Kind.UNKNOWN_OUTCOMES,), ("equity",), ("XNAS",)),
    Expected("12a", "silence", Cause.GATEWAY_FAILING, T3, (Kind.UNKNOWN_OUTCOMES,), ("equity",), ("XNAS",)),
    Expected("12b", "reset", Cause.GATEWAY_FAILING, T3, (Kind.UNKNOWN_OUTCOMES,), ("crypto",), ("CRYP",)),
    Expected("13", "latency", Cause.GATEWAY_FAILING, T3, (Kind.LATENCY,), ("equity",), ("XNAS",)),
    Expected("14", "flapping", Cause.GATEWAY_FAILING, T3, (Kind.UNSTABLE,), ("crypto",), ("CRYP",)),
    Expected("14a", "after_flapping", Cause.GATEWAY_FAILING, T3, (Kind.UNSTABLE,), ("crypto",), ("CRYP",)),
    Expected("15", "reject", Cause.GATEWAY_FAILING, T3, (Kind.REJECTS,), ("equity",), ("XNAS",)),
    Expected("17", "wrong_rule", Cause.ROUTING_MISCONFIGURED, T2, (Kind.WRONG_RULE,), ("equity",)),
    Expected("18", "class_missing", Cause.ROUTING_MISCONFIGURED, T2, (Kind.CLASS_MISSING,), ("future",)),
    Expected("19", "table_corrupt", Cause.ROUTING_MISCONFIGURED, T2, (Kind.LATENT,)),
    Expected("20", "bad_release_errors", Cause.BAD_RELEASE, T2, (Kind.ERRORS,), ("equity", "future", "fx", "crypto")),
    Expected("21", "bad_release_slow", Cause.BAD_RELEASE, T2, (Kind.LATENCY,)),
    Expected("22a", "bad_release_crypto", Cause.BAD_RELEASE, T2, (Kind.ERRORS,), ("crypto",)),
    Expected("25", "descriptors", Cause.RESOURCE_EXHAUSTED, T1, (Kind.DESCRIPTORS,)),
)
CONTROLS = ("clean1", "clean3", "latency_ok", "after_hung", "after_kill", "after_descriptors", "after_rollback")


def diagnosis_of(file: str) -> Diagnosis:
    """Name the cause of a recording."""
    return replay(load_run(RECORDED / f"{file}.json.gz").evidence)


@pytest.mark.parametrize("drill", DRILLS, ids=lambda one: f"row {one.row} {one.file}")
def test_a_fault_drill_is_named_exactly(drill: Expected) -> None:
    """A wrong cause restarts the wrong thing, or wakes the wrong person."""
    diagnosis = diagnosis_of(drill.file)

    assert [finding.cause for finding in diagnosis.findings] == [drill.cause]
    finding = diagnosis.findings[0]
    assert finding.confidence is Confidence.CONFIRMED
    assert finding.tier is drill.tier
    assert finding.kinds == drill.kinds
    assert finding.asset_classes == drill.classes
    assert finding.gateways == drill.gateways
    assert finding.because


def test_a_gateway_that_acknowledges_and_never_fills_is_seen_at_the_first_look_and_sure_with_more() -> None:
    """Row 16: an acknowledgement alone is a resting order anywhere else; here the route has always filled."""
    run = load_run(RECORDED / "ack.json.gz")
    first = replay(run.evidence).findings[0]
    thrice = replay(run.evidence.model_copy(update={"observations": run.evidence.observations * 3})).findings[0]

    assert (first.cause, first.kinds, first.confidence) == (
        Cause.GATEWAY_FAILING,
        (Kind.NO_EXECUTIONS,),
        Confidence.LIKELY,
    )
    assert thrice.confidence is Confidence.CONFIRMED


def test_a_hung_service_and_a_dead_gateway_are_two_causes_in_order() -> None:
    """Row 29: restart once, then degrade; and the class of the gateway is known though the service says nothing."""
    findings = diagnosis_of("hung_and_gateway").findings

    assert [finding.cause for finding in findings] == [Cause.SERVICE_HUNG, Cause.DEPENDENCY_UNREACHABLE]
    assert [finding.tier for finding in findings] == [T1, T3]
    assert findings[1].asset_classes == ("equity",)


def test_a_route_that_left_the_releases_table_unannounced_is_told_though_its_orders_fill() -> None:
    """Row 17: a wrong venue that fills is still the wrong venue."""
    finding = diagnosis_of("wrong_rule_fills").findings[0]

    assert (finding.cause, finding.kinds) == (Cause.ROUTING_MISCONFIGURED, (Kind.WRONG_RULE,))
    assert finding.asset_classes == ("fx",)


@pytest.mark.parametrize("file", CONTROLS)
def test_nothing_is_found_where_nothing_is_wrong(file: str) -> None:
    """A healthy run, latency within bounds, and each service after its fault is over: nobody is called."""
    assert diagnosis_of(file).findings == ()


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.json.gz")), ids=lambda path: path.name)
def test_a_recorded_run_reads_back_whole_and_gives_the_same_answer_twice(path: Path) -> None:
    """A replay that differs from itself proves nothing."""
    run = load_run(path)
    again = StoredRun.model_validate_json(run.model_dump_json())

    assert again == run
    assert replay(again.evidence).model_dump_json() == replay(run.evidence).model_dump_json()
    assert replayed(run.model_copy(update={"diagnosis": replay(run.evidence)})).same


def test_recordings_hold_no_place_of_one_machine() -> None:
    """What is recorded on one machine is read on any."""
    texts = [gzip.decompress(path.read_bytes()).decode() for path in RECORDED.glob("*.json.gz")]

    assert texts
    assert not [text for text in texts if "/" + "work/" in text or "/" + "root/" in text]
