"""The description of one monitored order service, and of its gateways: the default of every key is the bundled one."""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AnyHttpUrl, BeforeValidator, Field, SecretStr, model_validator

from tasks.model.diagnosis.limits import (
    DiagnosisLimits,
    EscalationLimits,
    ProbeLimits,
    RemediationLimits,
    RestartLimits,
)
from tasks.model.incidents.planned_work import PlannedWork, planned_fault
from tasks.model.market.own_calendar import OwnCalendar
from tasks.model.probes.orders import AssetClass, SyntheticOrder, classes_in
from tasks.model.remediation.supervision import SupervisorName, supervision_fault
from tasks.model.service.asset_classes import ClassSettings, calendar_fault
from tasks.model.service.control_settings import ControlSettings
from tasks.model.service.expressions import LinearPattern
from tasks.model.service.gateway_settings import Gateway, gateway_table
from tasks.model.service.health_settings import HealthSettings
from tasks.model.service.http_settings import HttpSettings
from tasks.model.service.instance_settings import UNIT_NAME, InstanceName, InstanceSettings, instances_fault
from tasks.model.service.log_settings import LogSettings
from tasks.model.service.metrics_settings import MetricsSettings
from tasks.model.service.order_settings import OrderSettings, rest_fault
from tasks.model.service.process_settings import ProcessSettings, lifted
from tasks.model.setting_types import Table, Url


class ServiceSettings(Table):
    """One watched order service: where it answers, what it writes, how it is started."""

    base_url: Url = AnyHttpUrl("http://127.0.0.1:8600")
    base_urls: tuple[Url, ...] = ()
    instances: dict[InstanceName, InstanceSettings] = Field(default_factory=dict)
    control_token: SecretStr | None = None
    http: HttpSettings = HttpSettings()
    # A body may hold a password.
    control: ControlSettings | None = Field(default=None, repr=False)
    health: HealthSettings = HealthSettings()
    metrics: MetricsSettings = MetricsSettings()
    process: ProcessSettings = ProcessSettings()
    log_files: tuple[Path, ...] = ()
    logs: LogSettings = LogSettings()
    incidents_file: Path | None = None
    pid_file: Path | None = None
    process_pattern: re.Pattern[str] | None = None
    supervisor: SupervisorName = SupervisorName.PSUTIL
    systemd_unit: str | None = Field(default=None, pattern=UNIT_NAME)
    systemd_user: bool = False
    start_command: tuple[str, ...] = ()
    stop_command: tuple[str, ...] = ()
    restart_command: tuple[str, ...] = ()
    status_command: tuple[str, ...] = ()
    running_when: LinearPattern | None = None
    stopped_when: LinearPattern | None = None
    start_environment: dict[str, str] = Field(default_factory=dict, repr=False)
    start_log: Path | None = None
    working_directory: Path | None = None
    releases_root: Path | None = None
    synthetic_orders: dict[AssetClass, SyntheticOrder] = Field(default_factory=dict)
    gateways: dict[str, Annotated[Gateway, BeforeValidator(gateway_table)]] = Field(default_factory=dict)
    calendars: dict[AssetClass, str] = Field(default_factory=dict)
    own_calendars: dict[str, OwnCalendar] = Field(default_factory=dict)
    asset_classes: dict[AssetClass, ClassSettings] = Field(default_factory=dict)
    orders: OrderSettings = OrderSettings()
    look: ProbeLimits = ProbeLimits()
    roll_back_command: tuple[str, ...] = ()
    restart: RestartLimits = RestartLimits()
    remediation: RemediationLimits = RemediationLimits()
    limits: DiagnosisLimits = DiagnosisLimits()
    escalation: EscalationLimits = EscalationLimits()
    planned: Annotated[tuple[PlannedWork, ...], Field(max_length=100)] = ()

    _lifted = model_validator(mode="before")(lifted)

    @model_validator(mode="after")
    def _supervisor_has_what_it_needs(self) -> Self:
        given = {key: value for key in type(self).model_fields if (value := getattr(self, key))}
        fault = supervision_fault(self.supervisor, given) or calendar_fault(self.asset_classes, self.calendars)
        fault = fault or self.process.fault_of(given) or rest_fault(self.orders, self.synthetic_orders)
        fault = fault or planned_fault(self.planned, self.gateways, self.known_classes)
        if fault := fault or instances_fault(given, self.base_urls, self.instances):
            raise ValueError(fault)
        return self

    @property
    def known_classes(self) -> tuple[AssetClass, ...]:
        """Every asset class that the description names."""
        of_gateways = (one.asset_classes for one in self.gateways.values())
        return classes_in(self.synthetic_orders, self.asset_classes, self.calendars, *of_gateways)

    @property
    def is_described(self) -> bool:
        """Say whether somebody described a service of another make; then nothing is assumed that is not described."""
        return not self.model_fields_set.isdisjoint({"health", "metrics", "orders", "control"})

    @property
    def test_orders(self) -> dict[AssetClass, SyntheticOrder]:
        """The test orders that may be sent; none where the description has no path for them."""
        return self.synthetic_orders if self.orders.path else {}

    @property
    def url(self) -> str:
        """The base URL without its closing slash."""
        return str(self.base_url).rstrip("/")

    def endpoint(self, path: str) -> str:
        """Give the address of one of its endpoints, which may be an address of its own."""
        return self.url + path if path.startswith("/") else path

    @property
    def port(self) -> int:
        """The TCP port that the service listens on."""
        return self.base_url.port or (443 if self.base_url.scheme == "https" else 80)
