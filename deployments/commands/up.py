"""`runbook up`: start the whole local stack, then show how it does until Ctrl-C."""

import os
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter, validators

from deployments.database_door import check_database
from deployments.environment import adopt_mark, new_mark
from deployments.interrupts import deaf_to_interrupts, stop_signals
from deployments.local_stack import PART_NAMES, expected_parts, order_service_is_alive, start_parts
from deployments.ports import DEFAULTS, ORDER_SERVICE, SERVER, choose_ports
from deployments.private_files import keep_to_ourselves
from deployments.redis_door import check_redis
from deployments.secret_options import hide_secret_options
from deployments.server_settings import ServerSettings, guarded, keep, kept, own_login, variable_of
from deployments.sqlite_door import check_sqlite
from deployments.stack_file import StackRecord, read_stack, write_stack
from deployments.stack_lock import stack_lock
from deployments.stack_settings import write_settings
from deployments.starting import Starting
from deployments.state_dir import StateDir, find_state_dir
from deployments.stopping import stop_left, stop_parts, stop_stack
from deployments.views.progress import progress_view, say_running, say_started
from deployments.watching import watch
from tasks.clients.processes import identify
from tasks.model.errors import CannotAct, Code
from tasks.settings import load_settings

Port = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=65_535))]

SECRET_OPTIONS = {f"--{name.replace('_', '-')}": variable_of(name) for name in ("database_url", "redis_url")}


def up(
    *,
    detach: Annotated[bool, Parameter(negative=())] = False,
    prefect_port: Port | None = None,
    service_port: Port | None = None,
    database_url: str | None = None,
    redis_url: str | None = None,
) -> None:
    """Start the stack: Prefect, its worker, the gateways, the order service, and a triage every minute.

    Parameters
    ----------
    detach
        Return once everything is up; `runbook down` stops it.
    prefect_port
        Port of the Prefect server and its UI; default 4200, or a free one where it is taken.
    service_port
        Port of the order service; default 8600, or a free one where it is taken.
    database_url
        PostgreSQL for Prefect's server, postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE; default SQLite. Better set in
        RUNBOOK_DATABASE_URL, which leaves no password in the shell's history.
    redis_url
        Redis for the server's events and leases, redis://USER:PASSWORD@HOST:PORT/0; default memory and files. Better
        set in RUNBOOK_REDIS_URL.
    """
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
                say_running(stack, own_login(state))
                return
            if SERVER in missing:
                check_what_it_stands_on(state, wanted)
            if stack is None or is_new:
                keep(state, wanted)
                stack = new_stack(state, stack, {SERVER: prefect_port, ORDER_SERVICE: service_port})
            start(state, stack, missing)
        if not detach:
            watch(state, stack.mark)


def missing_parts(state: StateDir, stack: StackRecord | None) -> frozenset[str]:
    """Find the parts that do not run; those of a stack that is gone after a reboot or a kill are all missing.

    So are those of a stack that an older version started, which knows no port for a part of today: it is started anew.
    """
    if stack is None or not DEFAULTS.keys() <= stack.ports.keys():
        return expected_parts()
    alive = {name for name, part in stack.parts.items() if part.alive}
    if ORDER_SERVICE not in alive and order_service_is_alive(state, stack.mark):
        alive.add(ORDER_SERVICE)
    return expected_parts() - alive


def check_what_it_stands_on(state: StateDir, settings: ServerSettings) -> None:
    """Ask database and Redis of the server, before anything is started.

    Errors: `DATABASE_…` and `REDIS_…`, each one line.
    """
    if settings.database_url is not None:
        check_database(settings.database_url)
    else:
        check_sqlite(state.database_file)
    if settings.redis_url is not None:
        check_redis(settings.redis_url)


def unchanged(asked: ServerSettings, running: ServerSettings) -> ServerSettings:
    """Give what the server of a stack that runs stands on, where nobody asks for something else.

    Errors: `RUNS_OTHERWISE`.
    """
    if differing := asked.differing(running):
        raise CannotAct(
            Code.RUNS_OTHERWISE,
            f"expected the running stack to have been started with the same {', '.join(differing)} was another one "
            f"database={running.database}; `runbook down` first, or leave it out",
        )
    return running


def new_stack(state: StateDir, stale: StackRecord | None, asked: dict[str, int | None]) -> StackRecord:
    """Lay out a new stack: its mark, its ports, the settings that its parts read.

    Errors: `PORT_TAKEN`, `BAD_SETTING`.
    """
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


def start(state: StateDir, stack: StackRecord, missing: frozenset[str]) -> None:
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
    say_started(starting.stack, own_login(state))
