"""Run the Prefect server of the local stack, with SQLite transactions that wait for each other.

Prefect begins most of its writing transactions on SQLite as DEFERRED. When two overlap, the one that upgrades second is
refused at once and the server answers 503: its own client waits two seconds and asks again, a person's click is lost,
and under load a call can stall for a minute. Begun as IMMEDIATE they queue for milliseconds instead.
PostgreSQL is not concerned.

Source: https://www.sqlite.org/lang_transaction.html
"""

import sys
from contextlib import AbstractAsyncContextManager

import uvicorn
from prefect.server.database.configurations import AioSqliteConfiguration
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction

APPLICATION = "prefect.server.api.server:create_app"
KEEP_ALIVE_S = 5

_begin_transaction = AioSqliteConfiguration.begin_transaction


def begin_immediate(
    configuration: AioSqliteConfiguration,
    session: AsyncSession,
    with_for_update: bool = False,  # noqa: ARG001 - the signature is Prefect's own
) -> AbstractAsyncContextManager[AsyncSessionTransaction]:
    """Begin every writing transaction as Prefect begins those that say that they will update: IMMEDIATE."""
    return _begin_transaction(configuration, session, with_for_update=True)


def main() -> None:
    """Serve on the host and port of the command line until SIGTERM."""
    host, port = sys.argv[1], int(sys.argv[2])
    AioSqliteConfiguration.begin_transaction = begin_immediate  # type: ignore[assignment, method-assign]
    uvicorn.run(APPLICATION, factory=True, host=host, port=port, log_level="warning", timeout_keep_alive=KEEP_ALIVE_S)


if __name__ == "__main__":
    main()
