"""All that we use of the private parts of Prefect's server: how it writes to SQLite, whom it asks for a token, when it
looks for what is due.

`tests/deployments/warm/test_prefect_internals.py` names each part that a Prefect at hand no longer has.

Two things are wrong with many callers on SQLite as Prefect and its libraries are today; PostgreSQL is not concerned.

- Prefect begins most of its writing transactions as DEFERRED. When two overlap, the one that upgrades second is refused
  at once and the server answers 503: its own client waits two seconds and asks again, a person's click is lost.
  Begun as IMMEDIATE they queue for milliseconds instead.
- A statement that fails, or whose caller is gone, leaves its cursor in the traceback, for the garbage collector to
  close. Closing takes the mutex of the connection. Where another thread waits for the database on that connection in
  this moment, the collector waits for that thread, with the interpreter's lock in its hand: whoever holds the database
  cannot go on either, and the server answers nobody until SQLite gives up, a minute later. So the cursor is
  closed where the statement failed, in the thread of its connection.

Source: https://www.sqlite.org/lang_transaction.html, https://www.sqlite.org/c3ref/mutex_alloc.html
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import FastAPI
from prefect.server.api import background_workers
from prefect.server.api.middleware import CsrfMiddleware
from prefect.server.api.server import create_app
from prefect.server.database import provide_database_interface
from prefect.server.database.configurations import AioSqliteConfiguration
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, AsyncSessionTransaction
from sqlalchemy.util import await_only
from starlette.middleware import Middleware
from starlette.types import Receive, Scope, Send

from deployments.prefect_server.own_origin import headers_of

# Of each connection. Prefect asks for 80 MB, in which each of its five keeps a copy of the same database in time.
KEEP_SMALL_CACHE = "PRAGMA cache_size = -2000"
BROWSERS_SAY = frozenset({"origin", "sec-fetch-site"})
# What Prefect's server does by the clock is due by the second, and what is due at once is not waited for: four looks a
# second cost a fifth of what it spends at rest.
LOOK_EVERY = timedelta(seconds=1)

_begin_transaction = AioSqliteConfiguration.begin_transaction
_engine = AioSqliteConfiguration.engine


def make_app() -> FastAPI:
    """Make Prefect's server; its writers wait for each other, and a browser alone needs its token."""
    write_patiently()
    look_once_a_second()
    app = create_app()
    app.user_middleware = [_for_browsers(one) for one in app.user_middleware]
    return app


def migrate() -> None:
    """Bring the database of the settings up to date."""
    write_patiently()
    asyncio.run(provide_database_interface().create_db())


class BrowsersBringToken(CsrfMiddleware):
    """Ask a browser for Prefect's CSRF token; a worker, a command or the order service is none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass by what no browser sent."""
        is_browser = scope["type"] == "http" and not BROWSERS_SAY.isdisjoint(headers_of(scope))
        await (super().__call__ if is_browser else self.app)(scope, receive, send)


def _for_browsers(one: Middleware) -> Middleware:
    kind: object = one.cls
    return Middleware(BrowsersBringToken) if kind is CsrfMiddleware else one


def look_once_a_second() -> None:
    """Let what runs Prefect's services by the clock look for the next one once a second."""
    clock: Any = background_workers
    clock.Worker = partial(clock.Worker, minimum_check_interval=LOOK_EVERY, scheduling_resolution=LOOK_EVERY)


def write_patiently() -> None:
    """Let every SQLite engine of this process begin and end its work so."""
    AioSqliteConfiguration.begin_transaction = begin_immediate  # type: ignore[assignment, method-assign]
    AioSqliteConfiguration.engine = engine_that_closes  # type: ignore[assignment, method-assign]


def begin_immediate(
    configuration: AioSqliteConfiguration,
    session: AsyncSession,
    with_for_update: bool = False,  # noqa: ARG001 - the signature is Prefect's own
) -> AbstractAsyncContextManager[AsyncSessionTransaction]:
    """Begin every writing transaction as Prefect begins those that say that they will update: IMMEDIATE."""
    return _begin_transaction(configuration, session, with_for_update=True)


async def engine_that_closes(configuration: AioSqliteConfiguration) -> AsyncEngine:
    """Give Prefect's engine; what fails there leaves no cursor open, and its connections keep few pages."""
    engine = await _engine(configuration)
    if not event.contains(engine.sync_engine, "do_execute", _execute):
        event.listen(engine.sync_engine, "connect", _keep_small_cache)
        event.listen(engine.sync_engine, "do_execute", _execute)
        event.listen(engine.sync_engine, "do_executemany", _execute_many)
    return engine


def _keep_small_cache(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(KEEP_SMALL_CACHE)
    cursor.close()


class _NotedCursor:
    """Give one connection's next cursor, and keep hold of it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._opened: Any = None

    async def cursor(self) -> Any:
        self._opened = await self._connection.cursor()
        return self._opened

    async def close(self) -> None:
        """Close it, after what its connection is at; where the connection is closed already, nothing is left."""
        if self._opened is not None:
            with suppress(ValueError):
                await self._opened.close()


def _execute(cursor: Any, statement: str, parameters: Any, _context: object) -> bool:
    return _closed_if_it_fails(cursor, cursor.execute, statement, parameters)


def _execute_many(cursor: Any, statement: str, parameters: Any, _context: object) -> bool:
    return _closed_if_it_fails(cursor, cursor.executemany, statement, parameters)


def _closed_if_it_fails(cursor: Any, execute: Callable[..., object], statement: str, parameters: Any) -> bool:
    # SQLAlchemy's cursor opens one of the driver's for the statement, and forgets it where that raises.
    noted = cursor._connection = _NotedCursor(cursor._connection)  # noqa: SLF001 - the one door that it has
    try:
        execute(statement, parameters)
    except BaseException:
        await_only(noted.close())
        raise
    return True
