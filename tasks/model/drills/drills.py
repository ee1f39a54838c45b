"""A game day in values: what a drill breaks, what is expected of the automation, and what it came to."""

from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import Action
from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value


class DrillName(StrEnum):
    """Every drill; a closed list, and the choice of the form."""

    SERVICE_STOPPED = "service_stopped"
    SERVICE_KILLED = "service_killed"
    GATEWAY_KILLED = "gateway_killed"
    GATEWAY_KILLED_WITH_ALTERNATE = "gateway_killed_with_alternate"
    GATEWAY_SILENT = "gateway_silent"
    GATEWAY_STOPPED = "gateway_stopped"
    GATEWAY_SLOW = "gateway_slow"
    GATEWAY_REJECTS = "gateway_rejects"
    GATEWAY_NEVER_FILLS = "gateway_never_fills"
    WRONG_ROUTE = "wrong_route"
    CLASS_MISSING = "class_missing"
    CORRUPTED_TABLE = "corrupted_table"
    CONTROL_LATENCY = "control_latency"
    CONTROL_LOST_PROBE = "control_lost_probe"


class Injection(StrEnum):
    """One way of breaking something from outside."""

    STOP_SERVICE = "stop_service"
    KILL_SERVICE = "kill_service"
    BLINK_SERVICE = "blink_service"
    STOP_GATEWAY = "stop_gateway"
    KILL_GATEWAY = "kill_gateway"
    SWITCH_FAULT = "switch_fault"
    SPOIL_TABLE = "spoil_table"


class Spoil(StrEnum):
    """One way of spoiling a routing table."""

    WRONG_GATEWAY = "wrong_gateway"
    CLASS_MISSING = "class_missing"
    CORRUPTED = "corrupted"


class Step(Value):
    """One step of an injection; only what its kind needs is filled. Units: `for_s` in seconds."""

    what: Injection
    gateway: str = ""
    switch: dict[str, str | int] = Field(default_factory=dict)
    spoil: Spoil | None = None
    for_s: float = 0.0


class Expected(Value):
    """What is right: the cause, the actions (any one of the sets), the tier. A control expects nothing at all.

    `also` are other words for the same trouble, which may come later in its incident. `heals` says that the automation
    itself brings the service back, and has to prove it. `forbidden` must not be begun.
    """

    cause: Cause | None = None
    also: frozenset[Cause] = frozenset()
    actions: tuple[frozenset[Action], ...] = (frozenset(),)
    tier: Audience | None = None
    heals: bool = False
    forbidden: frozenset[Action] = frozenset(Action)

    @property
    def is_control(self) -> bool:
        """Say whether nothing may be found, done or notified."""
        return self.cause is None


class Drill(Value):
    """One drill: `row` is its number in the table of faults, `asset_class` the only class that may be touched."""

    name: DrillName
    row: int | None
    fault: str
    steps: tuple[Step, ...]
    expected: Expected
    asset_class: AssetClass | None = None


class DrillContext(Value):
    """One run of a drill under way, as its note on disk holds it: enough to fix what it broke after any crash.

    `table` is the routing table as it lay on disk.
    """

    drill: DrillName
    service: str
    by: str
    run_id: str
    opened_at: AwareDatetime
    injected_at: AwareDatetime | None = None
    healed_at: AwareDatetime | None = None
    table: str = ""


class Sent(Value):
    """One order of a drill: what the client was answered, what the journal says now, how often gateways have it.

    Without an answer `http_status` is None; `journal` is None where the journal does not know the order.
    """

    client_order_id: str
    http_status: int | None
    journal: str | None
    received_count: int


class OrderTally(Value):
    """What became of all orders of a drill. `blind` says why nobody can say, and is empty where all was seen."""

    sent_count: int = 0
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    blind: str = ""


class DrillScore(Value):
    """What one drill came to. Units: seconds from the injection; None where it did not happen.

    `felt` says that the fault reached a check at all; a control that was not felt proves nothing.
    `act_s` is until the last action was done, `recover_s` until the ledger says that the effect is proven.
    `verified` says that the service was seen healthy afterwards and no incident was left open.
    """

    drill: DrillName
    run_id: str
    injected_at: AwareDatetime
    felt: bool
    detected: bool
    cause_exact: bool
    causes: tuple[str, ...] = ()
    actions_exact: bool
    actions: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    tier_exact: bool
    tiers: tuple[str, ...] = ()
    detect_s: float | None = None
    act_s: float | None = None
    recover_s: float | None = None
    verified: bool = False
    incidents: tuple[str, ...] = ()
    messages_count: int = 0
    orders: OrderTally = OrderTally()

    @property
    def is_safe(self) -> bool:
        """Say whether nothing forbidden was done, and every order is surely neither lost nor doubled."""
        orders = self.orders
        return not (self.forbidden or orders.lost or orders.doubled or orders.unproven or orders.blind)


class Spread(Value):
    """The middle and the slow end of some times. Units: seconds."""

    count: int = 0
    median_s: float | None = None
    p95_s: float | None = None


class GameDay(Value):
    """The score of a game day. `failures` are the drills that could not be run, with the reason of each."""

    drills_count: int = 0
    faults_count: int = 0
    detected_count: int = 0
    unfelt_count: int = 0
    false_alarms_count: int = 0
    cause_exact_count: int = 0
    actions_exact_count: int = 0
    forbidden_count: int = 0
    tier_exact_count: int = 0
    verified_count: int = 0
    to_detect: Spread = Spread()
    to_act: Spread = Spread()
    to_recover: Spread = Spread()
    messages_per_incident: float | None = None
    orders_sent_count: int = 0
    orders_lost_count: int = 0
    orders_doubled_count: int = 0
    orders_unproven_count: int = 0
    failures: tuple[str, ...] = ()
    is_safe: bool = False


class DrillSettings(Value):
    """`stack_file` names the stack's processes by their mark; `mend_command` starts again what is missing of it."""

    stack_file: Path | None = None
    mend_command: tuple[str, ...] = ()
