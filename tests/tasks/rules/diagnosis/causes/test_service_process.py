"""The service itself, to the unit: what makes it down or hung, and in which words."""

import pytest

from tasks.model.diagnosis.diagnosis import Confidence, Finding
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Exchange, Fault, OrderOutcome, OrderProbe
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.causes.down_or_hung import service_down, service_hung
from tests.fakes.incident.observations import evidence, health, observation, order, process, three

LOST = (order(outcome=OrderOutcome.TIMED_OUT), order(AssetClass.FX, OrderOutcome.TIMED_OUT))
ANSWERED = "gateways: XNAS, FXALL answer a direct probe"


def silent(cpu: float, wait_s: float | None = None, state: ProcessState = ProcessState.RUNNING) -> Evidence:
    """Three silent looks, during which the process got this much of a core, and waited so long for one."""
    return evidence(
        *(
            observation(
                after_s,
                health=health(Fault.TIMED_OUT),
                orders=LOST,
                process=process(
                    state, cpu_time_s=after_s * cpu, run_wait_s=None if wait_s is None else after_s / 4 * wait_s
                ),
            )
            for after_s in (0.0, 2.0, 4.0)
        )
    )


def found(seen: Evidence) -> Finding:
    """The hung service that is found."""
    finding = service_hung(seen)
    assert finding is not None
    return finding


@pytest.mark.parametrize(
    ("cpu", "wait_s", "confirmed"),
    [(0.02, None, True), (0.021, None, False), (0.89, None, False), (0.9, None, True), (0.5, 1.6, True)],
)
def test_a_silent_process_is_hung_where_it_stands_still_or_spins(
    cpu: float, wait_s: float | None, *, confirmed: bool
) -> None:
    """Two per cent of a core is standing still, nine tenths is spinning; what waits for its core is counted to it."""
    finding = found(silent(cpu, wait_s))

    assert (finding.confidence is Confidence.CONFIRMED) is confirmed
    assert ("no second signal that it hangs" in finding.because[1]) is not confirmed


def test_a_hung_service_is_told_with_what_is_ruled_out() -> None:
    """The reader asks first whether it is gone, whether the machine is crowded, and whether a gateway is to blame."""
    finding = found(silent(0.01, 0.04))

    assert finding.because[0] == "health did not answer in 3 of 3 checks, for 4.0 s"
    assert finding.ruled_out == (
        "service down: its process is alive",
        "cores taken by others: wait_ratio=0.01",
        ANSWERED,
    )


def test_one_silent_look_says_once_and_two_say_for_how_long() -> None:
    """There is no duration of one check."""
    looks = silent(0.0).observations

    assert found(evidence(looks[0])).because[0].endswith("in 1 of 1 checks, once")
    assert found(evidence(*looks[:2])).because[0].endswith("in 2 of 2 checks, for 2.0 s")


@pytest.mark.parametrize(
    ("state", "confidence"), [(ProcessState.STOPPED, Confidence.CONFIRMED), (ProcessState.RUNNING, Confidence.LIKELY)]
)
def test_a_process_that_is_blocked_for_seconds_may_go_on_and_a_stopped_one_does_not(
    state: ProcessState, confidence: Confidence
) -> None:
    """Three looks within three seconds restart what a signal stopped, and wait for what a disk holds up."""
    looks = tuple(
        one.model_copy(update={"looked_at": observation(at).looked_at, "process": process(state, cpu_time_s=1.0)})
        for one, at in zip(silent(0.0).observations, (0.0, 1.0, 3.9), strict=True)
    )
    looks = tuple(
        one.model_copy(update={"process": one.process.model_copy(update={"looked_at": one.looked_at})}) for one in looks
    )

    assert found(evidence(*looks)).confidence is confidence


def test_orders_of_which_one_was_answered_do_not_hang() -> None:
    """One that was denied is an answer."""
    denied: tuple[OrderProbe, ...] = (LOST[0], order(AssetClass.FX, OrderOutcome.DENIED))

    assert service_hung(three(orders=LOST)) is not None
    assert service_hung(three(orders=denied)) is None
    assert service_hung(three(orders=())) is None


@pytest.mark.parametrize(("seconds_s", "words"), [(7.5, "after 7.5 s"), (None, "after 0.0 s")])
def test_a_patient_probe_that_is_answered_says_slow(seconds_s: float | None, words: str) -> None:
    """How long it took is what tier 2 asks."""
    exchange = Exchange(method="GET", url="http://service/health", http_status=200, seconds_s=seconds_s or 0.0)
    patient = health().model_copy(update={"exchange": exchange if seconds_s else None})
    seen = silent(0.0)
    last = seen.latest.model_copy(update={"patience": patient})

    assert words in found(seen.model_copy(update={"observations": (*seen.observations[:-1], last)})).because[1]


def gone(*alive: bool) -> Finding | None:
    """Looks that find the service alive and failing, or gone."""
    return service_down(
        evidence(
            *(
                observation(
                    2.0 * at,
                    health=health(Fault.TIMED_OUT if lives else Fault.REFUSED),
                    process=process(ProcessState.RUNNING if lives else ProcessState.DEAD),
                    orders=(),
                )
                for at, lives in enumerate(alive)
            )
        )
    )


def test_a_service_that_is_down_is_told_by_health_process_and_gateways() -> None:
    """Both signals, and what they exclude."""
    finding = gone(False, False, False)

    assert finding is not None
    assert finding.confidence is Confidence.CONFIRMED
    assert finding.because == ("health refused in 3 of 3 checks", "process dead: pid=4321 is dead")
    assert finding.ruled_out == ("service hung: no process is left to hang", ANSWERED)


def test_a_service_that_went_away_during_the_looks_is_likely_and_counted() -> None:
    """Seen too few times to act on."""
    finding = gone(True, False, False)

    assert finding is not None
    assert finding.confidence is Confidence.LIKELY
    assert finding.because[0] == "health timed out, refused; in the last 2 of 3 checks it was gone"
    assert gone(False, False, True) is None


def test_a_port_that_refuses_beside_a_living_process_is_only_likely() -> None:
    """It may bind another port, or still start."""
    finding = service_down(three(health=health(Fault.REFUSED), orders=()))

    assert finding is not None
    assert finding.confidence is Confidence.LIKELY
    assert finding.because == ("health refused in 3 of 3 checks", "process: pid=4321 is running")
