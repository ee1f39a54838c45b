"""Know the local stack from every other one: nothing else is ever broken on purpose."""

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import psutil

from tasks.clients.files.atomic import READ_LIMIT_BYTES
from tasks.clients.files.regular_file import read_regular
from tasks.clients.process.marks import STACK_MARK, carries
from tasks.clients.process.processes import identify, open_process, port_owner
from tasks.model.errors import Code, RunbookError
from tasks.model.probes.processes import ProcessIdentity
from tasks.model.values import Value
from tasks.settings import RunbookSettings, ServiceSettings

LEAST_MARK_COUNT = 8


class OwnStack(Value):
    """The stack that may be broken: its mark, and where the live routing table lies."""

    mark: str
    table: Path


def own_stack(settings: RunbookSettings, service: str) -> OwnStack:
    """Prove that a watched service and all its gateways are those of the stack that `runbook up` started here.

    Errors: `NOT_OUR_STACK` names what does not fit, and nothing was touched.
    Steps: 1. the settings are those that `runbook up` wrote 2. every address is this machine's 3. who listens there
    carries the mark of the stack; a part that is down listens nowhere, and is nobody else's either
    """
    watched = settings.service(service)
    mark = _mark_of(settings)
    for url in _addresses(watched):
        _refuse_foreign(url, mark)
    return OwnStack(mark=mark, table=_table_of(settings, watched))


def process_at(url: str, mark: str) -> psutil.Process | None:
    """Find the stack's own process that listens at an address; None where nobody does.

    Errors: `NOT_OUR_STACK` where somebody else does.
    """
    owner = port_owner(urlsplit(url).port or 0)
    if owner is not None and not carries(owner, STACK_MARK, mark):
        raise refused(f"pid={owner.pid} at {url} carries no mark of this stack")
    return owner


def still_ours(identity: ProcessIdentity, mark: str) -> psutil.Process | None:
    """Open a process that was identified before, if it still lives and is still the stack's."""
    process = open_process(identity)
    return process if process is not None and carries(process, STACK_MARK, mark) else None


def identity_at(url: str, mark: str) -> ProcessIdentity | None:
    """Identify the stack's own process that listens at an address.

    Errors: `NOT_OUR_STACK` where somebody else does.
    """
    process = process_at(url, mark)
    return identify(process.pid) if process is not None else None


def refused(found: str) -> RunbookError:
    detail = (
        f"expected a stack that `runbook up` started on this machine, found another: {found}; drills break nothing else"
    )
    return RunbookError(Code.NOT_OUR_STACK, detail)


def _mark_of(settings: RunbookSettings) -> str:
    path = settings.drill.stack_file
    if path is None or not settings.drill.mend_command:
        raise refused("its settings have no table [drill], which `runbook up` writes")
    try:
        stack = orjson.loads(read_regular(path, READ_LIMIT_BYTES))
    except (OSError, ValueError) as error:
        raise refused(f"stack_file={path}: {error}") from None
    mark = stack.get("mark") if isinstance(stack, dict) else None
    if not isinstance(mark, str) or len(mark) < LEAST_MARK_COUNT:
        raise refused(f"stack_file={path} names no mark")
    return mark


def _addresses(watched: ServiceSettings) -> list[str]:
    gateways = [str(url) for one in watched.gateways.values() for url in (one.base_url, one.admin_url) if url]
    return [watched.url, *gateways]


def _refuse_foreign(url: str, mark: str) -> None:
    if not _is_loopback(urlsplit(url).hostname or ""):
        raise refused(f"{url} is not on this machine")
    process_at(url, mark)


def _is_loopback(host: str) -> bool:
    # `localhost` is a name, and names can be given away; the stack writes addresses.
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _table_of(settings: RunbookSettings, watched: ServiceSettings) -> Path:
    environment = watched.start_environment
    folder = environment.get("ORDER_SERVICE_STATE_DIR", "")
    path = Path(environment.get("ORDER_SERVICE_ROUTING_FILE") or Path(folder) / "routing.toml").resolve()
    if not path.is_relative_to(settings.state_dir.resolve()):
        raise refused(f"the routing table {path} is not under {settings.state_dir}")
    return path
