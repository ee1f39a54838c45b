"""Read what a watched service's settings and releases allow its remediation."""

from pathlib import Path

from tasks.clients.releases_root import live_table_hash, not_known_good, releases_root
from tasks.clients.routing_look import shipped_gateways
from tasks.clients.supervisor import supervisor_of
from tasks.model.setup import Setup
from tasks.settings import RunbookSettings, ServiceSettings

RELEASES_LIMIT_COUNT = 200


def setup_of(settings: RunbookSettings, service: str) -> Setup:
    """Gather the limits, and what cannot be done at all.

    Runbook: §2 Remediation.
    Errors: `UNKNOWN_SERVICE`.
    """
    watched = settings.service(service)
    releases = kept_releases(watched)
    return Setup(
        restart=watched.restart,
        remediation=watched.remediation,
        late_after_s=settings.late_after_s,
        cannot_restart=_cannot_restart(watched),
        cannot_control=""
        if watched.control_token
        else f"expected control_token was none; set it under [services.{service}]",
        cannot_roll_back=_cannot_roll_back(watched, service),
        order_rate_limits_per_s={
            name: one.order_rate_limit_per_s for name, one in watched.gateways.items() if one.order_rate_limit_per_s
        },
        releases=releases,
        not_known_good=not_known_good(watched, releases),
        live_table_hash=live_table_hash(watched),
        shipped_routes=shipped_gateways(watched),
    )


def _cannot_restart(watched: ServiceSettings) -> str:
    available = supervisor_of(watched).available()
    return "" if available.allowed else available.detail


def _cannot_roll_back(watched: ServiceSettings, service: str) -> str:
    if watched.roll_back_command:
        return ""
    return f"expected roll_back_command was none; set it under [services.{service}], or roll back by hand"


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
