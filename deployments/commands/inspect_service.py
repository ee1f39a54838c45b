"""The steps of `runbook inspect` that probe the monitored service and its gateways."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from cyclopts import Parameter
from pydantic import BaseModel

from deployments.commands.answer import FAILED, OK, UNKNOWN, Answer, exit_code_of, give
from deployments.commands.options import JsonOutput, Service, monitored_service, one_of
from deployments.views.observations import lines_of
from tasks.clients.service.http import Call, exchange, http_client
from tasks.clients.service.metrics import NONE, read_metrics
from tasks.clients.service.one_pass import service_client
from tasks.clients.service.order_states import order_states, proven_within
from tasks.clients.service.routing import routing_probe
from tasks.clients.service.synthetic_orders import order_probes
from tasks.model.diagnosis.limits import ProbeLimits
from tasks.model.errors import CannotObserve, Code, RunbookError
from tasks.model.probes.metrics import MetricsSnapshot
from tasks.model.probes.order_states import BlindReason, OrderSafety, OrderStates
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Exchange, OrderOutcome, OrderProbe
from tasks.model.probes.processes import UNSEEN, ProcessState
from tasks.rules.probes.health import judge_health
from tasks.rules.probes.metrics import judge_metrics, metrics_fault, not_available
from tasks.settings import ServiceSettings
from tasks.work.triage.probe_pass import gateway_probes, process_seen

Url = Annotated[str | None, Parameter(help="Ask this address, without settings; a bare host gets the usual path.")]
Unproven = Annotated[
    bool,
    Parameter(
        name=("--unproven", "--no-orders"),
        negative=(),
        show_default=False,
        help="Send no order: only name the orders that are not proven. Exit 0 where every order is.",
    ),
]
PROCESS_CODES = {ProcessState.RUNNING: OK, **dict.fromkeys(UNSEEN, UNKNOWN)}
SAFETY_CODES = {OrderSafety.SAFE: OK, OrderSafety.BLIND: UNKNOWN}


@dataclass(frozen=True)
class Target:
    """One address to ask, within which limits and in whose words; `service` is None where only an address was given."""

    service: str | None
    url: str
    limits: ProbeLimits
    described: ServiceSettings = field(default_factory=ServiceSettings)

    @property
    def named(self) -> dict[str, Any]:
        """What every document says of it; a password in the address is left out."""
        return {"service": self.service, "url": without_password(self.url)}

    async def asked(self, timeout_s: float) -> Exchange:
        """Make one GET; the answer is kept without the password."""
        async with http_client(self.described.http, self.limits.connect_timeout_s) as client:
            call = Call("GET", self.url, timeout_s, body_limit_bytes=self.limits.body_limit_bytes)
            answer = await exchange(client, call)
        return answer.model_copy(update={"url": without_password(self.url)})


def health(*, service: Service = None, url: Url = None, json_output: JsonOutput = False) -> None:
    """Ask for the health once."""
    give(lambda: health_of(target_of(url, service, "/health")), json_output=json_output)


async def health_of(target: Target) -> Answer:
    """Ask one address for the health."""
    answer = await target.asked(target.limits.health_timeout_s)
    asked_as = target.described
    probe = judge_health(answer, datetime.now(UTC), asked_as.health, logs_in=asked_as.http.logs_in)
    return _answer("health", probe, exit_code_of([probe.seen]), **target.named)


def metrics(*, service: Service = None, url: Url = None, json_output: JsonOutput = False) -> None:
    give(lambda: metrics_of(target_of(url, service, "/metrics")), json_output=json_output)


async def metrics_of(target: Target) -> Answer:
    """Read the metrics of one address: every sample, or the first bad line."""
    if not target.described.metrics.path:
        return _answer("metrics", not_available(NONE, datetime.now(UTC)), UNKNOWN, **target.named)
    answer, now = await target.asked(target.limits.metrics_timeout_s), datetime.now(UTC)
    probe, read = metrics_fault(answer, now), None
    if probe is None:
        read = read_metrics(answer, now, target.described)
        probe = judge_metrics(read, now)
    found = _answer("metrics", probe, exit_code_of([probe.seen]), **target.named)
    whole: dict[str, Any] = {"unreadable": read.model_dump(mode="json") if read else None, "samples": []}
    if isinstance(read, MetricsSnapshot):
        samples = [{"name": one.name, "labels": dict(one.labels), "value": one.value} for one in read.samples]
        oddities = [one.model_dump(mode="json") for one in read.oddities]
        whole = {"unreadable": None, "samples": samples, "types": dict(read.types), "oddities": oddities}
    return Answer(
        {**found.document, **whole}, [*found.lines, *(lines_of("exposition", read) if read else [])], found.exit_code
    )


def process(*, service: Service = None, json_output: JsonOutput = False) -> None:
    """Check the process: state, memory, CPU, open files, threads, age, and who owns the port."""
    give(lambda: _process_of(service), json_output=json_output)


async def _process_of(service: str | None) -> Answer:
    _, name, watched = monitored_service(service)
    probe = await process_seen(watched)
    return _answer("process", probe, PROCESS_CODES.get(probe.state, FAILED), service=name)


def gateways(*, service: Service = None, json_output: JsonOutput = False) -> None:
    """Ask each gateway itself, so that a dead gateway and a service that cannot reach it differ."""
    give(lambda: _gateways_of(service), json_output=json_output)


async def _gateways_of(service: str | None) -> Answer:
    _, name, watched = monitored_service(service)
    if not watched.gateways:
        raise CannotObserve(Code.NOT_CONFIGURED, f"expected gateways, found none; set gateways of services.{name}")
    probes = await gateway_probes(watched)
    document = {"service": name, "gateways": [probe.model_dump(mode="json") for probe in probes]}
    lines = [line for probe in probes for line in lines_of("gateways", probe)]
    return Answer(document, lines, exit_code_of(probe.seen for probe in probes))


def routing(*, service: Service = None, json_output: JsonOutput = False) -> None:
    """Read each asset class's route; a service without this path could not be observed."""
    give(lambda: _routing_of(service), json_output=json_output)


async def _routing_of(service: str | None) -> Answer:
    _, name, watched = monitored_service(service)
    async with service_client(watched) as client:
        probe = await routing_probe(client, watched)
    # The service goes on with its last good table; the one on disk would fail it at its next start.
    return _answer("routing", probe, FAILED if probe.file_error else exit_code_of([probe.seen]), service=name)


def orders(
    *,
    service: Service = None,
    asset_class: Annotated[AssetClass | None, Parameter(help="Only the test order of this asset class.")] = None,
    unproven: Unproven = False,
    wait_s: Annotated[float, Parameter(help="With --unproven: ask again for so many seconds, at most 60.")] = 0.0,
    json_output: JsonOutput = False,
) -> None:
    """Post one small test order for each asset class, and name every order whose outcome is not proven."""
    give(
        lambda: unproven_orders(service, wait_s) if unproven else _orders_of(service, asset_class),
        json_output=json_output,
    )


async def _orders_of(service: str | None, asset_class: AssetClass | None) -> Answer:
    _, name, watched = monitored_service(service)
    sent = {each: order for each, order in watched.test_orders.items() if asset_class in {None, each}}
    if not sent:
        wanted = asset_class or "any asset class"
        detail = f"expected a test order for {wanted}, found none; set synthetic_orders of services.{name}"
        raise CannotObserve(Code.NOT_CONFIGURED, detail)
    asked = watched.model_copy(update={"synthetic_orders": sent})
    async with service_client(asked) as client:
        probes, states = await asyncio.gather(order_probes(client, asked), order_states(asked))
    found = _answer("unproven", states, order_exit_code(probes, states), service=name)
    document = {**found.document, "orders": [probe.model_dump(mode="json") for probe in probes]}
    return Answer(
        document, [*(line for probe in probes for line in lines_of("orders", probe)), *found.lines], found.exit_code
    )


async def unproven_orders(service: str | None, wait_s: float) -> Answer:
    """Ask for the orders that are not proven, and send none. Only where every order is, a disruption is safe."""
    _, name, watched = monitored_service(service)
    states = await proven_within(watched, wait_s)
    return _answer("unproven", states, SAFETY_CODES.get(states.verdict, FAILED), service=name)


def order_exit_code(probes: Iterable[OrderProbe], states: OrderStates) -> int:
    """Give the exit code: an order that was not delivered or is not proven decides, then what could not be seen.

    An order that is in flight for a moment is no failure, nor is a service that has no such list.
    """
    left = {probe.outcome for probe in probes if not probe.outcome.delivered}
    if left - {OrderOutcome.BLIND} or states.verdict is OrderSafety.UNSAFE:
        return FAILED
    unseen = states.verdict is OrderSafety.BLIND and states.blind is not BlindReason.NOT_AVAILABLE
    return UNKNOWN if left or unseen else OK


def target_of(url: str | None, service: str | None, path: str) -> Target:
    """Find the address to ask: the one given, for which no settings are needed, or the monitored service's.

    Errors: `BAD_ARGUMENT`, `BAD_SETTING`, `UNKNOWN_SERVICE`.
    """
    one_of(("--url", url), ("--service", service))
    if url is None:
        _, name, watched = monitored_service(service)
        own = watched.health.path if path == "/health" else watched.metrics.path
        return Target(name, watched.endpoint(own), watched.look, watched)
    return Target(None, asked_url(url, path), ProbeLimits())


def asked_url(url: str, path: str) -> str:
    """Complete an address: a bare host gets the usual path, any other address is asked as it is.

    Errors: `BAD_ARGUMENT` for what is no HTTP address.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        shown = without_password(url[:80])
        raise RunbookError(Code.BAD_ARGUMENT, f"expected http://HOST:PORT, found {shown!r}; correct --url")
    return parts._replace(path=path).geturl() if parts.path in {"", "/"} else parts.geturl()


def without_password(url: str) -> str:
    """Hide the user and the password of an address."""
    before, at, after = url.rpartition("@")
    return f"{before.partition('//')[0]}//***@{after}" if at and "//" in before else url


def _answer(step: str, probe: BaseModel, exit_code: int, **named: Any) -> Answer:
    return Answer({**named, **probe.model_dump(mode="json")}, lines_of(step, probe), exit_code)
