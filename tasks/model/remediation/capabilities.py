"""What the settings of one watched service allow its remediation; filled by a client, read by the guards."""

from pydantic import Field

from tasks.model.diagnosis.limits import RemediationLimits, RestartLimits
from tasks.model.probes.orders import AssetClass
from tasks.model.service.control_settings import ControlKey
from tasks.model.values import Value


class Capabilities(Value):
    """Limits, and what cannot be done at all: each `cannot_…` says why, or is empty.

    `not_known_good` says of a kept release why its own record does not call it good; `live_table_hash` is that of the
    routing table which the next start would read, where anybody knows where it lies.
    `instances` are those of a service that has several, each with a process of its own.
    `not_described` are the changes that a described control does not have.
    Units: `order_rate_limits_per_s` by gateway; `late_after_s` in seconds.
    """

    restart: RestartLimits = RestartLimits()
    remediation: RemediationLimits = RemediationLimits()
    late_after_s: float = 30.0
    cannot_restart: str = ""
    cannot_control: str = ""
    not_described: frozenset[ControlKey] = frozenset()
    cannot_roll_back: str = ""
    order_rate_limits_per_s: dict[str, float] = Field(default_factory=dict)
    instances: tuple[str, ...] = ()
    cannot_restart_instance: dict[str, str] = Field(default_factory=dict)
    releases: tuple[str, ...] = ()
    not_known_good: dict[str, str] = Field(default_factory=dict)
    live_table_hash: str | None = None
    shipped_routes: dict[AssetClass, str] = Field(default_factory=dict)
