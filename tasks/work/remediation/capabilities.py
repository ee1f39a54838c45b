"""Read what a watched service's settings and releases allow its remediation."""

from pathlib import Path

from tasks.clients.process.releases_root import live_table_hash, not_known_good, releases_root
from tasks.clients.process.supervisors.base import supervisor_of
from tasks.clients.service.instances import instance_of, instances_of
from tasks.clients.service.routing import shipped_gateways
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.service.control_settings import ControlKey
from tasks.settings import RunbookSettings, ServiceSettings

RELEASES_LIMIT_COUNT = 200


def capabilities_of(settings: RunbookSettings, service: str) -> Capabilities:
    """Gather the limits, and what cannot be done at all.

    Runbook: §2 Remediation.
    Errors: `UNKNOWN_SERVICE`.
    """
    watched = settings.service(service)
    releases = kept_releases(watched)
    read = {
        "cannot_restart": "" if instances_of(watched) else _cannot_restart(watched),
        "cannot_restart_instance": {
            name: why for name in instances_of(watched) if (why := _cannot_restart(instance_of(watched, name)))
        },
        "releases": releases,
        "not_known_good": not_known_good(watched, releases),
        "live_table_hash": live_table_hash(watched),
        "shipped_routes": shipped_gateways(watched),
    }
    return settled_capabilities(settings, service).model_copy(update=read)


def settled_capabilities(settings: RunbookSettings, service: str) -> Capabilities:
    """Gather what the settings alone say, of a host that may be another one.

    Errors: `UNKNOWN_SERVICE`.
    """
    watched = settings.service(service)
    return Capabilities(
        restart=watched.restart,
        remediation=watched.remediation,
        late_after_s=settings.late_after_s,
        cannot_control=_cannot_control(watched, service),
        not_described=_not_described(watched),
        cannot_roll_back=_cannot_roll_back(watched, service),
        order_rate_limits_per_s={
            name: one.order_rate_limit_per_s for name, one in watched.gateways.items() if one.order_rate_limit_per_s
        },
        instances=tuple(instances_of(watched)),
    )


def _cannot_control(watched: ServiceSettings, service: str) -> str:
    if watched.control is not None or watched.control_token:
        return ""
    if watched.is_described:
        return f"expected a control table of this service, found none; describe it as [services.{service}.control]"
    return f"expected control_token, found none; set it under [services.{service}]"


def _not_described(watched: ServiceSettings) -> frozenset[ControlKey]:
    described = {key for key, _ in watched.control.described()} if watched.control else set(ControlKey)
    return frozenset(ControlKey) - described


def _cannot_restart(watched: ServiceSettings) -> str:
    available = supervisor_of(watched).available()
    return "" if available.allowed else available.detail


def _cannot_roll_back(watched: ServiceSettings, service: str) -> str:
    if watched.roll_back_command:
        return ""
    return f"expected roll_back_command, found none; set it under [services.{service}], or roll back yourself"


def kept_releases(watched: ServiceSettings) -> tuple[str, ...]:
    """List the releases that lie beside the current one; none where nobody can say."""
    root = releases_root(watched)
    if root is None:
        return ()
    try:
        folders = sorted(one.name for one in root.iterdir() if _is_release(one))
    except OSError:
        return ()
    return tuple(folders[-RELEASES_LIMIT_COUNT:])


def _is_release(folder: Path) -> bool:
    return not folder.name.startswith(".") and (folder / "manifest.json").is_file()
