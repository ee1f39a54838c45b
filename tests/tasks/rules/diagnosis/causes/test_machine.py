"""The machine beneath: where a number becomes a symptom, to the unit."""

import pytest

from tasks.model.diagnosis.diagnosis import Finding, Kind, Status
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.probes import DependencyStatus, Fault
from tasks.model.probes.processes import BusyProcess, Disk, MachineCheck, ProcessState
from tasks.rules.diagnosis.causes.machine import clock_apart, core_taken, low_disks, storage_fault, wait_ratio
from tasks.rules.diagnosis.name_causes import name_cause
from tests.fakes.incident.observations import evidence, gateway, health, observation, order, process

GB = 1_073_741_824
LIMITS = DiagnosisLimits()


def starved(
    wait_s: float = 2.0, cpu_s: float = 0.5, over_s: float = 4.0, state: ProcessState = ProcessState.RUNNING
) -> Evidence:
    """A service that answers nobody; over some seconds its process waited for a core, and got one, so long."""
    first = process(state, cpu_time_s=10.0, pid=4321, run_wait_s=1.0)
    last = process(state, cpu_time_s=10.0 + cpu_s, pid=4321, run_wait_s=1.0 + wait_s, machine=TAKEN)
    silent = health(Fault.TIMED_OUT)
    return evidence(observation(0.0, health=silent, process=first), observation(over_s, health=silent, process=last))


TAKEN = MachineCheck(busiest=(BusyProcess(pid=9, name="backup", cpu_ratio=1.9),))


def test_a_process_that_waits_half_the_time_for_a_core_is_starved() -> None:
    """A restart gives nobody a core; the page names who has them."""
    found = core_taken(starved(wait_s=2.0))

    assert found is not None
    assert found.kinds == (Kind.CPU,)
    assert "wait_ratio=0.50 cpu_ratio=0.12" in found.because[1]
    assert "pid=9 name=backup" in found.because[2]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (starved(wait_s=1.99), "it waited less"),
        (starved(wait_s=4.0, cpu_s=2.0), "it had half a core: it spins"),
        (starved(state=ProcessState.STOPPED), "it was stopped"),
        (starved(wait_s=0.6, cpu_s=0.1, over_s=0.9), "the time was too short to tell"),
        (starved(wait_s=-1.0), "a clock of the kernel went back"),
    ],
)
def test_a_process_is_not_starved(seen: Evidence, why: str) -> None:
    """A hung service that is called starved is restarted by nobody."""
    assert core_taken(seen) is None, why


def test_a_second_is_long_enough_to_tell() -> None:
    """The looks of one run lie a second apart at least."""
    assert core_taken(starved(wait_s=0.6, cpu_s=0.1, over_s=1.0)) is not None


def test_a_service_that_answers_once_lacks_no_core() -> None:
    """Starved is who is silent in every check."""
    seen = starved()
    answered = seen.observations[0].model_copy(update={"health": health()})

    assert core_taken(seen.model_copy(update={"observations": (answered, seen.latest)})) is None


def test_another_process_says_nothing_about_the_time_of_the_first() -> None:
    """A service that was restarted between two checks has counted again."""
    seen = starved()
    other = seen.latest.model_copy(update={"process": seen.latest.process.model_copy(update={"pid": 5})})

    assert core_taken(seen.model_copy(update={"observations": (seen.observations[0], other)})) is None


def disk(free: float, total: float = 100 * GB, inodes: tuple[int, int] | None = None) -> Disk:
    """One disk. Units: bytes."""
    free_inodes, total_inodes = inodes or (None, None)
    return Disk(
        what="journal",
        path="/data",
        free_bytes=int(free),
        total_bytes=int(total),
        free_inodes_count=free_inodes,
        total_inodes_count=total_inodes,
    )


@pytest.mark.parametrize(
    ("found", "full"),
    [
        (disk(LIMITS.disk_free_bytes - 1), True),
        (disk(LIMITS.disk_free_bytes), False),
        (disk(free=49, total=1000), True),
        (disk(free=50, total=1000), False),
        (disk(free=0, total=0), False),
        (disk(free=0, total=1), True),
        (disk(free=50 * GB, inodes=(9, 1000)), True),
        (disk(free=50 * GB, inodes=(10, 1000)), False),
        (disk(free=50 * GB, inodes=(0, 0)), False),
        (disk(free=50 * GB, inodes=(0, 1)), True),
    ],
)
def test_a_disk_is_full_below_its_limit_and_not_at_it(found: Disk, full: bool) -> None:
    """A page about a disk that has room is the last one that anybody reads."""
    seen = observation(process=process(machine=MachineCheck(disks=(found,))))

    assert bool(low_disks(seen, LIMITS)) is full
    assert (storage_fault(evidence(seen)) is not None) is full


def test_a_disk_that_has_room_again_is_no_fault() -> None:
    """A log that was rotated between two checks needs nobody."""
    full, free = (observation(process=process(machine=MachineCheck(disks=(disk(size),)))) for size in (0, 50 * GB))

    assert storage_fault(evidence(full, free)) is None
    assert storage_fault(evidence(free, full)) is None


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("journal", "error", True),
        ("Storage", "DOWN", True),
        ("journal", "degraded", False),
        ("XNAS", "error", False),
        *((word, "error", True) for word in ("disk", "log", "logs", "database", "db", "filesystem")),
        *(("journal", word, True) for word in ("unreachable", "failed", "critical", "offline")),
    ],
)
def test_what_the_service_says_of_its_storage_is_taken_for_it(name: str, status: str, told: bool) -> None:
    """It cannot write down an order, and only the platform can help."""
    answer = health(status="degraded").model_copy(
        update={"dependencies": (DependencyStatus(name=name, status=status, error="disk full"),)}
    )

    found = storage_fault(evidence(observation(health=answer)))

    assert (found is not None) is told
    assert found is None or "disk full" in found.because[0]


def test_orders_that_the_journal_denies_are_a_fault_of_the_storage() -> None:
    """The service says it of each order, also where its health does not."""
    denied = order().model_copy(update={"code": "JOURNAL_UNAVAILABLE"})

    found = storage_fault(evidence(observation(orders=(order(), denied))))

    assert found is not None
    assert storage_fault(evidence(observation(orders=(order(), denied)), observation(1.0))) is None


def apart(**skews: float | None) -> Finding | None:
    """Find what the clocks of these gateways tell."""
    probes = tuple(gateway(name).model_copy(update={"clock_skew_s": skew_s}) for name, skew_s in skews.items())
    return clock_apart(evidence(observation(gateways=probes)))


def test_a_clock_is_wrong_from_its_limit_on() -> None:
    """A `Date` has whole seconds; less than the limit is the network's."""
    assert apart(XNAS=LIMITS.clock_skew_s) is not None
    assert apart(XNAS=-LIMITS.clock_skew_s) is not None
    assert apart(XNAS=LIMITS.clock_skew_s - 0.01) is None
    assert apart(XNAS=None) is None


def test_it_is_our_clock_where_every_gateway_says_so_and_there_are_two() -> None:
    """One clock against one decides nothing; two against one do."""
    ours, single, some = apart(XNAS=9.0, FXALL=8.0), apart(XNAS=9.0), apart(XNAS=9.0, FXALL=0.0, XNYS=None)

    assert ours is not None
    assert "this machine clock is wrong: FXALL +8.0 s, XNAS +9.0 s" in ours.because[0]
    assert ours.gateways == ()
    for found in (single, some):
        assert found is not None
        assert "gateway clock is wrong" in found.because[0]
        assert found.gateways == ("XNAS",)


def test_a_file_system_without_a_size_is_never_full() -> None:
    """A pseudo file system has no room and needs none."""
    nothing = Disk(what="log", path="/proc", free_bytes=0, total_bytes=0, free_inodes_count=0, total_inodes_count=10)

    assert low_disks(observation(process=process(machine=MachineCheck(disks=(nothing,)))), LIMITS) == ()


def test_a_time_that_only_one_look_could_read_is_no_growth() -> None:
    """A kernel that tells nothing of waiting starves nobody."""
    first, last = process(run_wait_s=None), process(run_wait_s=4.0)

    assert wait_ratio(evidence(observation(0.0, process=first), observation(4.0, process=last))) is None
    assert wait_ratio(evidence(observation(0.0, process=last), observation(4.0, process=first))) is None


def test_a_full_disk_and_what_the_service_says_of_it_are_both_told() -> None:
    """The one names the path, the other what fails for it."""
    full = process(machine=MachineCheck(disks=(disk(0.0),)))
    answer = health(status="degraded", dependencies={"storage": "error"})

    found = storage_fault(evidence(observation(process=full, health=answer)))

    assert found is not None
    assert [line.partition(" ")[0] for line in found.because] == ["the", "almost"]


def test_a_service_that_gets_no_core_is_critical() -> None:
    """It answers nobody, whoever has the cores."""
    assert name_cause(starved()).status is Status.CRITICAL
