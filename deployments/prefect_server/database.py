"""Ask a PostgreSQL, before anything is started, whether Prefect's server can live on it: one line instead of a log."""

import asyncio
import os
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url

from deployments.prefect_server.sqlite_ import check_sqlite
from tasks.model.errors import CannotAct, Code

TIMEOUT_S = 5.0
LEAST_VERSION = 14
WHERE = "--database-url or RUNBOOK_DATABASE_URL"
FACTS = """
SELECT pg_is_in_recovery(),
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')
"""


def check_database(secret: SecretStr) -> None:
    """Connect once and look whether Prefect can make its tables there; of SQLite, whether its folder can be written.

    Errors: `DATABASE_UNREACHABLE` when nothing answers, `DATABASE_REFUSED` when it does and is of no use; neither
    shows the password.
    """
    url = make_url(secret.get_secret_value())
    if url.get_backend_name() == "postgresql":
        asyncio.run(_check(url))
        return
    if not os.access(folder := Path(str(url.database)).parent, os.W_OK):
        raise CannotAct(
            Code.DATABASE_REFUSED, f"expected a folder to write to was none path={folder}; make it, or correct {WHERE}"
        )
    check_sqlite(Path(str(url.database)))


async def _check(url: URL) -> None:
    # Some 0.2 s: only who names a PostgreSQL waits for it.
    import asyncpg  # type: ignore[import-untyped]  # noqa: PLC0415

    _, options = url.get_dialect()().create_connect_args(url)
    try:
        connection = await asyncpg.connect(**options, timeout=TIMEOUT_S)
    except asyncpg.InvalidCatalogNameError:
        todo = f"make it with `createdb -O {url.username} {url.database}`"
        raise _refused(url, f"database={url.database} to be there was missing", todo) from None
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        raise _refused(url, f"user={url.username} to be let in was refused", f"correct them in {WHERE}") from None
    except OSError as error:
        raise _unreachable(url, error) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, TypeError, ValueError) as error:
        raise _refused(url, f"a connection was {_story(error, url)}", f"correct {WHERE}") from None
    try:
        _weigh(url, connection.get_server_version().major, *await connection.fetchrow(FACTS, timeout=TIMEOUT_S))
    finally:
        connection.terminate()


def _weigh(url: URL, version: int, is_standby: bool, may_create: bool, has_trigrams: bool) -> None:
    if version < LEAST_VERSION:
        raise _refused(url, f"PostgreSQL {LEAST_VERSION} or newer was {version}", "upgrade it")
    if is_standby:
        raise _refused(url, "a primary was a standby, which takes no writes", f"name the primary in {WHERE}")
    if not may_create:
        todo = f"`ALTER DATABASE {url.database} OWNER TO {url.username}`"
        raise _refused(url, f"user={url.username} to be allowed to make tables was not", todo)
    if not has_trigrams:
        raise _refused(url, "the extension pg_trgm was not installed", "install PostgreSQL's contrib package")


def _unreachable(url: URL, error: OSError) -> CannotAct:
    reason = f"silent for {TIMEOUT_S:.0f} s" if isinstance(error, TimeoutError) else (error.strerror or str(error))
    return CannotAct(
        Code.DATABASE_UNREACHABLE,
        f"expected PostgreSQL to answer was {' '.join(reason.split())} {_place(url)}; start it, or correct {WHERE}",
        retryable=True,
    )


def _refused(url: URL, found: str, todo: str) -> CannotAct:
    return CannotAct(Code.DATABASE_REFUSED, f"expected {found} {_place(url)}; {todo}")


def _place(url: URL) -> str:
    return f"host={url.host or url.query.get('host', 'local socket')} port={url.port or 5432} database={url.database}"


def _story(error: Exception, url: URL) -> str:
    said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return said.replace(str(url.password), "***") if url.password else said
