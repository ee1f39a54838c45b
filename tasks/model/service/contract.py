"""What asking a service once for everything that its description names has shown, rule by rule."""

from enum import StrEnum

from tasks.model.values import Value


class ContractMark(StrEnum):
    """How a rule ended. *Not available*: it is not described, which is no fault. *Not asked*: nobody said to."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_AVAILABLE = "not available"
    NOT_ASKED = "not asked"


class ReadValue(Value):
    """One value of an answer, and where it was read from: the key of the description, and what stands there."""

    what: str
    value: str
    key: str
    where: str = ""


class ContractRule(Value):
    """One rule: what was asked, what came back, what was read from it, and the key to change where it failed."""

    rule: str
    mark: ContractMark
    asked: str
    answered: str
    read: tuple[ReadValue, ...] = ()
    key: str = ""


class Contract(Value):
    """All rules of one service, in the order of a triage."""

    service: str
    rules: tuple[ContractRule, ...]

    def having(self, mark: ContractMark) -> tuple[ContractRule, ...]:
        return tuple(one for one in self.rules if one.mark is mark)

    @property
    def works(self) -> bool | None:
        """Say whether a triage can work with it: nothing that is described failed; None where we could not see."""
        if self.having(ContractMark.FAILED):
            return False
        return None if self.having(ContractMark.UNKNOWN) else True
