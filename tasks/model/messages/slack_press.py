"""What a person may press at the head of an incident's thread, and a press as it came in."""

from enum import StrEnum

from pydantic import AwareDatetime

from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value


class Pressed(StrEnum):
    """The buttons of ours, by the name that Slack keeps for each."""

    ACKNOWLEDGE = "acknowledge"
    APPROVE = "approve_plan"
    REJECT = "reject_plan"
    PAUSE = "pause_class"


class WaitingPlan(Value):
    """A plan that waits for an answer until a time: what it does, and the run and fingerprint that name it.

    `first` has approved it already, where two people must.
    """

    flow_run_id: str
    fingerprint: str
    actions: tuple[str, ...]
    until: AwareDatetime
    first: str = ""


class Press(Value):
    """Who pressed what; `answer_url` takes a word that only this person sees, `press_id` is the same when sent again.

    `user_id` is what Slack proves; `by` is the name that the person chose there. No `asset_class` to pause is all.
    """

    incident_id: str
    by: str
    answer_url: str = ""
    pressed: Pressed = Pressed.ACKNOWLEDGE
    service: str = ""
    user_id: str = ""
    press_id: str = ""
    flow_run_id: str = ""
    fingerprint: str = ""
    asset_class: AssetClass | None = None

    @property
    def what(self) -> str:
        """Name what is pressed by whom: the same twice within moments is one press too many."""
        named = (self.user_id, self.pressed, self.incident_id, self.flow_run_id, self.fingerprint, self.asset_class)
        return "/".join(str(one or "") for one in named)
