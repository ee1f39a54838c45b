"""The answer of a guard: yes or no, with a code and the numbers that decided."""

from enum import StrEnum

from tasks.model.values import Value


class GuardCode(StrEnum):
    """Every reason that a guard can give; the metric label and what tests assert."""

    ALLOWED = "ALLOWED"
    BAD_TARGET = "BAD_TARGET"
    MODE_FORBIDS = "MODE_FORBIDS"
    APPROVAL_NEEDED = "APPROVAL_NEEDED"
    RUN_LATE = "RUN_LATE"
    NOT_CONFIRMED = "NOT_CONFIRMED"
    BLIND = "BLIND"
    SHARED_CAUSE = "SHARED_CAUSE"
    HALF_DONE_ACTION = "HALF_DONE_ACTION"
    RESTART_BUDGET_SPENT = "RESTART_BUDGET_SPENT"
    BACK_OFF = "BACK_OFF"
    REMEDIATION_INEFFECTIVE = "REMEDIATION_INEFFECTIVE"
    LOCK_HELD = "LOCK_HELD"
    NOT_RECORDED = "NOT_RECORDED"
    CLEARED = "CLEARED"
    NOT_AVAILABLE = "NOT_AVAILABLE"
    MAINTENANCE = "MAINTENANCE"
    HALTED_AGAIN = "HALTED_AGAIN"
    UNDONE_BY_PERSON = "UNDONE_BY_PERSON"
    REJECTED_BY_PERSON = "REJECTED_BY_PERSON"
    APPROVAL_EXPIRED = "APPROVAL_EXPIRED"
    BY_HAND_ONLY = "BY_HAND_ONLY"
    ONE_AT_A_TIME = "ONE_AT_A_TIME"
    LAST_INSTANCE = "LAST_INSTANCE"
    ORDERS_NOT_PROVEN = "ORDERS_NOT_PROVEN"
    INPUT_UNKNOWN = "INPUT_UNKNOWN"
    NO_ALTERNATE = "NO_ALTERNATE"
    ALTERNATE_NOT_HEALTHY = "ALTERNATE_NOT_HEALTHY"
    MARKET_CLOSED = "MARKET_CLOSED"
    ORDER_RATE_LIMIT = "ORDER_RATE_LIMIT"
    NO_GOOD_TABLE = "NO_GOOD_TABLE"
    NO_GOOD_RELEASE = "NO_GOOD_RELEASE"
    FEATURES_DIFFER = "FEATURES_DIFFER"
    ROUTING_DIFFERS = "ROUTING_DIFFERS"
    GATEWAYS_NOT_HEALTHY = "GATEWAYS_NOT_HEALTHY"
    ROLLED_BACK_BEFORE = "ROLLED_BACK_BEFORE"
    CLASS_NOT_WELL = "CLASS_NOT_WELL"
    WOULD_LOOSEN = "WOULD_LOOSEN"
    NEWER_HAND = "NEWER_HAND"


class Verdict(Value):
    """Whether an action may go on. `detail` holds the numbers; `code` the reason.

    `passed_by` are the guards that forbade it and that a person passed by, each by its name.
    """

    allowed: bool
    code: GuardCode
    detail: str = ""
    passed_by: tuple[GuardCode, ...] = ()

    @classmethod
    def yes(cls, detail: str = "", passed_by: tuple[GuardCode, ...] = ()) -> "Verdict":
        return cls(allowed=True, code=GuardCode.ALLOWED, detail=detail, passed_by=passed_by)

    @classmethod
    def no(cls, code: GuardCode, detail: str) -> "Verdict":
        return cls(allowed=False, code=code, detail=detail)
