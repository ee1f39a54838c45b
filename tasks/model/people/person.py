"""People: who somebody is at each door, which role they have, and which rights there are."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from tasks.model.incidents.incident import TIGHTENERS, Action
from tasks.model.messages.channels import AppriseUrls
from tasks.model.probes.control import printable_line
from tasks.model.remediation.plan import Approval
from tasks.model.setting_types import Table
from tasks.model.values import Value


class Role(StrEnum):
    """What a person may do, from least to most; each role has the rights of those before it."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    APPROVER = "approver"
    ADMIN = "admin"

    def covers(self, other: "Role") -> bool:
        """Say whether this role has every right of the other one."""
        return list(Role).index(self) >= list(Role).index(other)


class Right(StrEnum):
    """What a person may be allowed to do; the words complete the sentence *may …*."""

    ACKNOWLEDGE = "acknowledge an incident"
    PAUSE = "pause trading"
    MARK_DEGRADED = "mark a gateway degraded"
    DISABLE_FEATURE = "disable a feature"
    REJECT = "reject a plan"
    OBSERVE = "set a more careful mode"
    APPROVE = "approve a plan"
    ORDER = "order a restart, re-route, rollback or resume"
    REARM = "re-arm the automation"
    MAINTENANCE = "open or end a maintenance window"
    FOLLOW_UP = "change a follow-up"
    DECIDE_CHECK = "accept or reject a check"
    OVERRIDE = "override a guard"
    LOOSEN_MODE = "set a less careful mode"


class Door(StrEnum):
    """Where a person comes in, in the words that name what is known of them there."""

    SLACK = "Slack user"
    LOGIN = "login"
    API = "user of the Prefect server"


class Identity(Value):
    """What is proven of a person at a door; an empty name where the door proves nothing."""

    door: Door
    name: str

    @property
    def words(self) -> str:
        return f"{self.door} {self.name}" if self.name else "a form of a Prefect server without a login"


SlackUserId = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{2,20}$")]
LoginName = Annotated[str, Field(min_length=1, max_length=100)]
PersonKey = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,62}$")]


def _sayable(name: str) -> str:
    shown = printable_line(name)
    if name and not any(letter.isalpha() for letter in shown):
        raise ValueError("a name with a letter is expected; the ledger and the messages show it")
    return shown


class Person(Table):
    """One person of `[people]`."""

    name: Annotated[str, Field(max_length=80), AfterValidator(_sayable)] = ""
    role: Role = Role.VIEWER
    slack: SlackUserId | None = None
    logins: tuple[LoginName, ...] = ()
    api_users: tuple[LoginName, ...] = ()
    call: AppriseUrls = ()

    @property
    def identities(self) -> tuple[Identity, ...]:
        """List what proves this person, at every door."""
        slack = (Identity(door=Door.SLACK, name=self.slack),) if self.slack else ()
        logins = (Identity(door=Door.LOGIN, name=one) for one in self.logins)
        return (*slack, *logins, *(Identity(door=Door.API, name=one) for one in self.api_users))


People = Mapping[str, Person]


def _loosens(action: Action) -> Action:
    if action in TIGHTENERS:
        raise ValueError(f"an action that loosens or rolls back is expected; {action} tightens, and waits for nobody")
    return action


FourEyes = Annotated[tuple[Annotated[Action, AfterValidator(_loosens)], ...], Field(max_length=len(Action))]


class Permit(Value):
    """Whether a person at a door may do something, and as whom it is recorded.

    `key` is the person's name in `[people]`; empty where nobody is proven. `detail` says why not.
    """

    allowed: bool
    by: str
    key: str = ""
    detail: str = ""


class ProvenAnswer(Value):
    """An answer to a plan, checked at a door: what holds, or else why it does not hold yet, in words."""

    approval: Approval | None = None
    fault: str = ""


def shown_name(key: str, person: Person) -> str:
    return person.name or key


def people_fault(people: People, four_eyes: tuple[Action, ...]) -> str | None:
    """Say what is ambiguous or cannot work, in the words of a bad setting; None where nothing is."""
    names = Counter(shown_name(key, person).casefold() for key, person in people.items())
    identities = Counter(one.words for person in people.values() for one in person.identities)
    twice = [name for name, count in (*names.items(), *identities.items()) if count > 1]
    if twice:
        return f"expected one person for each name and identity of [people] was more than one for {twice[0]!r}"
    approvers = sum(person.role.covers(Role.APPROVER) for person in people.values())
    if four_eyes and approvers < 2:
        return f"key=four_eyes expected at least two approvers in [people] was {approvers}; nobody could be the second"
    return None
