"""Serve our own metrics and the receiver of alerts: `python -m deployments.monitoring`."""

import sys

import uvicorn

from deployments.monitoring.app import monitoring_app
from deployments.views.words import complain
from tasks.model.errors import RunbookError
from tasks.settings import load_settings

CALLS_AT_ONCE_COUNT = 40
KEEP_ALIVE_S = 60


def main() -> None:
    """Serve until SIGTERM.

    Errors: exit 2 and one line for a wrong setting, 1 where the port is taken.
    """
    try:
        settings = load_settings().watching()
    except RunbookError as error:
        complain(str(error))
        sys.exit(2)
    uvicorn.run(
        monitoring_app(settings),
        host=settings.monitoring_host,
        port=settings.monitoring_port,
        log_level="warning",
        limit_concurrency=CALLS_AT_ONCE_COUNT,
        timeout_keep_alive=KEEP_ALIVE_S,
    )


if __name__ == "__main__":
    main()
