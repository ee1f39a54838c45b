"""`runbook up`: start the whole local stack, then show how it does until Ctrl-C."""

import os
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter, validators
from pydantic import SecretStr

from deployments.commands.options import SWITCH
from deployments.prefect_server.database import check_database
from deployments.prefect_server.redis_ import check_redis
from deployments.prefect_server.server_settings import ServerSettings, guarded, keep, kept, own_login, variable_of
from deployments.prefect_server.sign_in import sign_in_link
from deployments.prefect_server.sqlite_ import check_sqlite
from deployments.stack.environment import adopt_mark, new_mark
from deployments.stack.interrupts import deaf_to_interrupts, stop_signals
from deployments.stack.local_stack import PART_NAMES, UI, addresses, expected_parts, order_service_is_alive, start_parts
from deployments.stack.ports import DEFAULTS, ORDER_SERVICE, SERVER, choose_ports
from deployments.stack.private_files import keep_to_ourselves
from deployments.stack.secret_options import hide_secret_options
from deployments.stack.stack_file import StackRecord, read_stack, write_stack
from deployments.stack.stack_lock import stack_lock
from deployments.stack.stack_settings import write_settings
from deployments.stack.starting import Starting
from deployments.stack.state_dir import StateDir, find_state_dir
from deployments.stack.stopping import stop_left, stop_parts, stop_stack
from deployments.stack.watching import watch
from deployments.views.progress import progress_view
from deployments.views.words import say, say_lines
from tasks.clients.process.processes import identify
from tasks.model.errors import CannotAct, Code
from tasks.settings import load_settings

Port = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=65_535))]

DATABASE_HELP = (
    "PostgreSQL for Prefect's server, postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE; default: SQLite. Better set in "
    "RUNBOOK_DATABASE_URL, which leaves no password in the shell's history."
)
REDIS_HELP = (
    "Redis for the server's events and leases, redis://USER:PASSWORD@HOST:PORT/0; default: memory and files. Better "
    "set in RUNBOOK_REDIS_URL."
)
SECRET_OPTIONS = {f"--{name.replace('_', '-')}": variable_of(name) for name in ("database_url", "redis_url")}


def up(
    *,
    detach: Annotated[bool, SWITCH, Parameter(help="Return once everything is up; `runbook down` stops it.")] = False,
    prefect_port: Annotated[
        Port | None, Parameter(help="Of Prefect's server and UI; default: 4200, or a free one.")
    ] = None,
    service_port: Annotated[Port | None, Parameter(help="Of the order service; default: 8600, or a free one.")] = None,
    database_url: Annotated[str | None, Parameter(help=DATABASE_HELP)] = None,
    redis_url: Annotated[str | None, Parameter(help=REDIS_HELP)] = None,
) -> None:
    """Start the stack: Prefect, its worker, the gateways, the order service, and a triage every minute."""
    hide_secret_options(SECRET_OPTIONS)
    state = find_state_dir()
    asked = ServerSettings.asked(database_url=database_url, redis_url=redis_url)
    keep_to_ourselves(state.root)
    with stop_signals():
        with stack_lock(state):
            stack = read_stack(state.stack_file)
            missing = missing_parts(state, stack)
            is_new = stack is None or missing >= frozenset(PART_NAMES)
            wanted = guarded(state, asked) if is_new else unchanged(asked, kept(state))
            if stack is not None and not missing:
                _say_addresses("The stack is already running; nothing was started.", stack, own_login(state))
                return
            if SERVER in missing:
                _check_backends(state, wanted)
            if stack is None or is_new:
                keep(state, wanted)
                stack = _new_stack(state, stack, {SERVER: prefect_port, ORDER_SERVICE: service_port})
            _start(state, stack, missing)
        if not detach:
            watch(state, stack.mark)


def missing_parts(state: StateDir, stack: StackRecord | None) -> frozenset[str]:
    """Find the parts that do not run; those of a stack that is gone after a reboot or a kill are all missing.

    So are those of a stack that an older version started, which knows no port for a part of today: it is started again.
    """
    if stack is None or not DEFAULTS.keys() <= stack.ports.keys():
        return expected_parts()
    alive = {name for name, part in stack.parts.items() if part.alive}
    if ORDER_SERVICE not in alive and order_service_is_alive(state, stack.mark):
        alive.add(ORDER_SERVICE)
    return expected_parts() - alive


def _check_backends(state: StateDir, settings: ServerSettings) -> None:
    """Ask database and Redis of the server, before anything is started."""
    if settings.database_url is not None:
        check_database(settings.database_url)
    else:
        check_sqlite(state.database_file)
    if settings.redis_url is not None:
        check_redis(settings.redis_url)


def unchanged(asked: ServerSettings, running: ServerSettings) -> ServerSettings:
    """Give the backends of the stack that runs, where nobody asks for others.

    Errors: `RUNS_OTHERWISE`.
    """
    if differing := asked.differing(running):
        raise CannotAct(
            Code.RUNS_OTHERWISE,
            f"expected the {', '.join(differing)} of the running stack, found another, database={running.database}; "
            "`runbook down` first, or leave it out",
        )
    return running


def _new_stack(state: StateDir, stale: StackRecord | None, asked: dict[str, int | None]) -> StackRecord:
    """Lay out a new stack: its mark, its ports, the settings that its parts read."""
    if stale is not None:
        stop_stack(state, stale)
    else:
        stop_left(state)
    ports = choose_ports(asked)
    write_settings(state, ports, kept(state).server_auth)
    load_settings({**os.environ, "RUNBOOK_CONFIG": str(state.settings_file), "RUNBOOK_STATE_DIR": str(state.root)})
    return StackRecord(
        mark=new_mark(),
        started_at=datetime.now(UTC),
        starter=identify(os.getpid()),
        ports=ports,
        database=kept(state).database,
    )


def _start(state: StateDir, stack: StackRecord, missing: frozenset[str]) -> None:
    """Start what is missing; when a part does not come up or a person interrupts, stop what this start began."""
    adopt_mark(stack.mark, state)
    write_stack(state.stack_file, stack)
    starting = Starting(stack, state.stack_file)
    try:
        with progress_view(missing) as report:
            start_parts(state, starting, missing, report)
    except BaseException:
        with deaf_to_interrupts():
            if missing >= frozenset(PART_NAMES):
                stop_stack(state, starting.stack)
            else:
                stop_parts(starting.stack, missing)
        raise
    _say_addresses("The stack is up; the first triage is on its way.", starting.stack, own_login(state))


def _say_addresses(headline: str, stack: StackRecord, login: SecretStr | None) -> None:
    known = addresses(stack.ports)
    say_lines((headline, *(f"  {name:14} {address}" for name, address in known.items())))
    if login is not None:
        say("The Prefect UI asks for a login. This link opens it signed in; keep it to yourself:")
        say(f"  {sign_in_link(known[UI], login)}")
