"""The closed list of reasons this service gives, each with the HTTP status that carries it."""

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    http_status: int

    def __new__(cls, word: str, http_status: int) -> Self:
        code = str.__new__(cls, word)
        code._value_ = word
        code.http_status = http_status
        return code

    INVALID_JSON = "INVALID_JSON", 400
    INVALID_ORDER = "INVALID_ORDER", 422
    INVALID_REQUEST = "INVALID_REQUEST", 422
    BODY_TOO_LARGE = "BODY_TOO_LARGE", 413
    UNSUPPORTED_CONTENT = "UNSUPPORTED_CONTENT", 415
    UNKNOWN_HOST = "UNKNOWN_HOST", 421
    FOREIGN_ORIGIN = "FOREIGN_ORIGIN", 403
    NOT_FOUND = "NOT_FOUND", 404
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED", 405
    UNKNOWN_ORDER = "UNKNOWN_ORDER", 404
    DUPLICATE_CLIENT_ORDER_ID = "DUPLICATE_CLIENT_ORDER_ID", 409
    INTERNAL_ERROR = "INTERNAL_ERROR", 500

    NO_ROUTE = "NO_ROUTE", 503
    ROUTE_CHANGED = "ROUTE_CHANGED", 503
    TRADING_HALTED = "TRADING_HALTED", 503
    TRADING_REDUCING = "TRADING_REDUCING", 409
    SYNTHETIC_NOT_ALLOWED = "SYNTHETIC_NOT_ALLOWED", 422
    QUANTITY_CAP_EXCEEDED = "QUANTITY_CAP_EXCEEDED", 422
    PRICE_OUTSIDE_BAND = "PRICE_OUTSIDE_BAND", 422
    ORDER_RATE_EXCEEDED = "ORDER_RATE_EXCEEDED", 429
    GATEWAY_DISABLED = "GATEWAY_DISABLED", 503
    GATEWAY_UNREACHABLE = "GATEWAY_UNREACHABLE", 503
    GATEWAY_BUSY = "GATEWAY_BUSY", 503
    JOURNAL_UNAVAILABLE = "JOURNAL_UNAVAILABLE", 503
    DRAINING = "DRAINING", 503

    GATEWAY_TIMEOUT = "GATEWAY_TIMEOUT", 202
    GATEWAY_DISCONNECTED = "GATEWAY_DISCONNECTED", 202
    GATEWAY_ANSWER_UNUSABLE = "GATEWAY_ANSWER_UNUSABLE", 202
    GATEWAY_ANSWER_MISMATCHED = "GATEWAY_ANSWER_MISMATCHED", 202
    SERVICE_STOPPED_IN_FLIGHT = "SERVICE_STOPPED_IN_FLIGHT", 202
    SERVICE_FAILED_IN_FLIGHT = "SERVICE_FAILED_IN_FLIGHT", 202
    ORDER_NOT_RECEIVED = "ORDER_NOT_RECEIVED", 503

    ORDER_CLOSED = "ORDER_CLOSED", 409
    CANCEL_REJECTED = "CANCEL_REJECTED", 409
    CANCEL_UNKNOWN = "CANCEL_UNKNOWN", 202

    CONTROL_DISABLED = "CONTROL_DISABLED", 403
    CONTROL_UNAUTHORIZED = "CONTROL_UNAUTHORIZED", 401
    UNKNOWN_GATEWAY = "UNKNOWN_GATEWAY", 404
    UNKNOWN_FEATURE = "UNKNOWN_FEATURE", 404
    ROUTE_NOT_ALLOWED = "ROUTE_NOT_ALLOWED", 409
    TOO_MANY_STRATEGIES = "TOO_MANY_STRATEGIES", 409
    ROUTING_TABLE_REFUSED = "ROUTING_TABLE_REFUSED", 409
    UNKNOWN_TABLE = "UNKNOWN_TABLE", 404
    TABLE_COPY_CORRUPTED = "TABLE_COPY_CORRUPTED", 409
    ROUTING_FILE_NOT_WRITTEN = "ROUTING_FILE_NOT_WRITTEN", 503


class Refused(Exception):
    """Carry one refusal from where it was decided to the route that answers it."""

    def __init__(self, code: Code, message: str, field: str | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s


class CannotStart(Exception):
    """Say in one line why the service does not start, with the exit code that goes with it."""

    def __init__(self, line: str, exit_code: int) -> None:
        super().__init__(line)
        self.exit_code = exit_code
