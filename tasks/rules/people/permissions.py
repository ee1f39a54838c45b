"""What each role may do. Without any `[people]` nobody is restricted; with them, who is not listed is a viewer."""

from collections.abc import Iterable

from tasks.model.incidents.incident import TIGHTENERS, Action
from tasks.model.incidents.modes import Mode
from tasks.model.people.person import Door, Identity, People, Permit, Right, Role, shown_name
from tasks.model.probes.control import printable_line
from tasks.model.remediation.plan import ApprovalAnswer

NEEDS = {
    Right.ACKNOWLEDGE: Role.RESPONDER,
    Right.PAUSE: Role.RESPONDER,
    Right.MARK_DEGRADED: Role.RESPONDER,
    Right.DISABLE_FEATURE: Role.RESPONDER,
    Right.REJECT: Role.RESPONDER,
    Right.OBSERVE: Role.RESPONDER,
    Right.APPROVE: Role.APPROVER,
    Right.ORDER: Role.APPROVER,
    Right.REARM: Role.APPROVER,
    Right.MAINTENANCE: Role.APPROVER,
    Right.FOLLOW_UP: Role.RESPONDER,
    Right.DECIDE_CHECK: Role.APPROVER,
    Right.OVERRIDE: Role.ADMIN,
    Right.LOOSEN_MODE: Role.ADMIN,
}
TIGHTENING = {
    Action.PAUSE_STRATEGIES: Right.PAUSE,
    Action.MARK_DEGRADED: Right.MARK_DEGRADED,
    Action.DISABLE_FEATURE: Right.DISABLE_FEATURE,
}
NAMED_COUNT = 5
# What a form and the ledger take of a name.
BY_LIMIT_COUNT, SHOWN_COUNT = 100, 40


def permit(people: People, identity: Identity, right: Right, claimed: str = "") -> Permit:
    """Say whether an identity may do something, and as whom that is recorded.

    Errors: none; a refusal is one sentence in `detail`. `claimed` is a name that was typed, which proves nothing.
    """
    if not people:
        return Permit(allowed=True, by=claimed or identity.name)
    key = person_of(people, identity)
    by, role = recorded_as(people, identity, claimed), people[key].role if key else Role.VIEWER
    if role.covers(NEEDS[right]):
        return Permit(allowed=True, by=by, key=key)
    return Permit(allowed=False, by=by, key=key, detail=_refusal(people, identity, right))


def person_of(people: People, identity: Identity) -> str:
    """Find the key of the person whom an identity proves; empty for nobody."""
    return next((key for key, person in people.items() if identity in person.identities), "")


def recorded_as(people: People, identity: Identity, claimed: str) -> str:
    """Name who did something: the person who is proven; a name that was only typed is shown as a claim."""
    key, typed = person_of(people, identity), printable_line(claimed)
    if not key:
        said = f"{typed[:SHOWN_COUNT] or 'somebody'} (not proven; {identity.words})"
    else:
        name = shown_name(key, people[key])
        known = {name.casefold(), key.casefold(), identity.name.casefold(), ""}
        said = name if typed.casefold() in known else f"{name} (typed: {typed})"
    # A form gives the name back as a line that people can see; the proof is found by it.
    return printable_line(said)[:BY_LIMIT_COUNT].rstrip()


def right_of_action(action: Action) -> Right:
    """Name the right that ordering an action needs."""
    return TIGHTENING.get(action, Right.ORDER)


def rights_of_order(action: Action, *, overrides: bool) -> tuple[Right, ...]:
    """Name every right that an order needs."""
    return (right_of_action(action), *((Right.OVERRIDE,) if overrides else ()))


def is_free(action: Action, door: Door, *, overrides: bool) -> bool:
    """Say whether an order is never refused for a role: what tightens, at the shell and in a form (safety rule 8).

    In Slack, where a press on a phone is enough, it needs the role; and to override a guard always does.
    """
    return action in TIGHTENERS and door is not Door.SLACK and not overrides


def right_of_answer(answer: ApprovalAnswer) -> Right:
    """Name the right that an answer to a plan needs."""
    return Right.APPROVE if answer is ApprovalAnswer.APPROVED else Right.REJECT


def right_of_mode(now: Mode, wanted: Mode) -> Right:
    """Name the right that setting the mode needs; to set what is set already loosens nothing."""
    return Right.LOOSEN_MODE if wanted.boldness > now.boldness else Right.OBSERVE


def who_may(people: People, right: Right) -> tuple[str, ...]:
    """Name the people who may do something."""
    return tuple(shown_name(key, one) for key, one in people.items() if one.role.covers(NEEDS[right]))


def _refusal(people: People, identity: Identity, right: Right) -> str:
    key = person_of(people, identity)
    who = f"{shown_name(key, people[key])}, {people[key].role}" if key else "not listed in [people], so a viewer"
    found = f"{identity.words} ({who})" if identity.name else f"{identity.words}, which proves nobody"
    return f"expected the role {NEEDS[right]} to {right}, found {found}; {_next(who_may(people, right))}"


def _next(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" or {len(listed) - NAMED_COUNT} more" if len(listed) > NAMED_COUNT else ""
    asked = f"ask {', '.join(listed[:NAMED_COUNT])}{more}" if listed else "nobody has that role"
    return f"{asked}, or correct [people]"
