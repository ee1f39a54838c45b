"""How far an action has earned trust: how often it was done for a cause, how often and how long it helped."""

from pydantic import AwareDatetime

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import Action
from tasks.model.values import Value


class Trust(Value):
    """What the ledger says of one action on one target for one cause, since a person last re-armed the automation.

    `helped_for_s` has one entry for each time that it was done, 0 where it did not help. `short_count` are the last
    times in a row that it did not help for long, the first of them at `since`. `not_before` is when it may be done
    again without a person, `asks` that a person must approve it. Units: seconds.
    """

    action: Action
    cause: Cause
    target: str = ""
    helped_for_s: tuple[float, ...] = ()
    short_count: int = 0
    since: AwareDatetime | None = None
    not_before: AwareDatetime | None = None
    asks: bool = False

    @property
    def done_count(self) -> int:
        return len(self.helped_for_s)

    @property
    def helped_count(self) -> int:
        return sum(one > 0 for one in self.helped_for_s)
