"""What happened to our own tool: an exception with a code. What happened to the service is a value, never raised."""

from enum import StrEnum


class Code(StrEnum):
    """Name every error of our own; the code is also the metric label and what tests assert."""

    BAD_SETTING = "BAD_SETTING"
    BAD_ARGUMENT = "BAD_ARGUMENT"
    UNKNOWN_SERVICE = "UNKNOWN_SERVICE"
    UNKNOWN_INCIDENT = "UNKNOWN_INCIDENT"
    FILE_UNREADABLE = "FILE_UNREADABLE"
    LEDGER_UNREADABLE = "LEDGER_UNREADABLE"
    LEDGER_UNWRITABLE = "LEDGER_UNWRITABLE"
    PROCESS_UNREADABLE = "PROCESS_UNREADABLE"
    DEADLINE_PASSED = "DEADLINE_PASSED"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    NO_START_COMMAND = "NO_START_COMMAND"
    START_FAILED = "START_FAILED"
    STOP_FAILED = "STOP_FAILED"
    NOT_READY = "NOT_READY"
    STILL_ALIVE = "STILL_ALIVE"
    PORT_TAKEN = "PORT_TAKEN"
    NOT_OUR_PROCESS = "NOT_OUR_PROCESS"
    LOCK_HELD = "LOCK_HELD"
    NOTHING_WAITS = "NOTHING_WAITS"
    NOT_PERMITTED = "NOT_PERMITTED"
    SECOND_PERSON_NEEDED = "SECOND_PERSON_NEEDED"
    PLAN_CHANGED = "PLAN_CHANGED"
    ANSWER_NOT_TAKEN = "ANSWER_NOT_TAKEN"
    SINK_UNWRITABLE = "SINK_UNWRITABLE"
    PREFECT_UNREACHABLE = "PREFECT_UNREACHABLE"
    JOB_VARIABLE_IGNORED = "JOB_VARIABLE_IGNORED"
    CLOCK_DIFFERS = "CLOCK_DIFFERS"
    HOST_REFUSED = "HOST_REFUSED"
    ORIGIN_REFUSED = "ORIGIN_REFUSED"
    OS_REFUSED = "OS_REFUSED"
    CALENDAR_UNREADABLE = "CALENDAR_UNREADABLE"
    DATABASE_UNREACHABLE = "DATABASE_UNREACHABLE"
    DATABASE_REFUSED = "DATABASE_REFUSED"
    REDIS_UNREACHABLE = "REDIS_UNREACHABLE"
    REDIS_REFUSED = "REDIS_REFUSED"
    RUNS_OTHERWISE = "RUNS_OTHERWISE"
    NOT_OUR_STACK = "NOT_OUR_STACK"
    NOT_WELL = "NOT_WELL"
    DRILL_UNDER_WAY = "DRILL_UNDER_WAY"


class RunbookError(Exception):
    """Say what went wrong with our own tool.

    Errors: `code` names it; `detail` reads `expected … was … key=value; what to do next`;
    `retryable` says whether trying again can help.
    """

    def __init__(self, code: Code, detail: str, *, retryable: bool = False) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class CannotObserve(RunbookError):
    """A look step could not check; it says nothing of the service."""


class CannotAct(RunbookError):
    """An action could not be carried out, or its result could not be proven."""


class NothingDone(CannotAct):
    """An action was refused before anything was done: the service is as it was."""


class NotDelivered(RunbookError):
    """A message did not reach its audience."""
