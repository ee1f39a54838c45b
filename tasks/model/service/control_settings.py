"""How a service's own control plane is asked for each change: a call or a command, and what proves the change."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from tasks.model.probes.control import GatewayState, TradingState
from tasks.model.service.expressions import Expression, LinearPattern, TextTemplate, names_in
from tasks.model.setting_types import Table


class ControlKey(StrEnum):
    """Each change that can be described; what is not described is not available."""

    PAUSE = "pause"
    PAUSE_STRATEGY = "pause_strategy"
    RESUME = "resume"
    RESUME_STRATEGY = "resume_strategy"
    REROUTE = "reroute"
    MARK_DEGRADED = "mark_degraded"
    CLEAR_MARK = "clear_mark"
    RESTORE_ROUTING = "restore_routing"
    DISABLE_FEATURE = "disable_feature"
    DRAIN = "drain"


# What a template may name. Without the names of `MUST_NAME` a change would touch more than it is for.
MAY_NAME: dict[ControlKey, frozenset[str]] = {
    ControlKey.PAUSE: frozenset({"asset_class", "state"}),
    ControlKey.PAUSE_STRATEGY: frozenset({"strategy", "state"}),
    ControlKey.RESUME: frozenset({"asset_class", "state"}),
    ControlKey.RESUME_STRATEGY: frozenset({"strategy", "state"}),
    ControlKey.REROUTE: frozenset({"asset_class", "gateway", "scope"}),
    ControlKey.MARK_DEGRADED: frozenset({"gateway", "state"}),
    ControlKey.CLEAR_MARK: frozenset({"gateway", "state"}),
    ControlKey.RESTORE_ROUTING: frozenset({"table_hash"}),
    ControlKey.DISABLE_FEATURE: frozenset({"feature", "state"}),
    ControlKey.DRAIN: frozenset({"state"}),
}
MUST_NAME: dict[ControlKey, frozenset[str]] = {
    ControlKey.PAUSE_STRATEGY: frozenset({"strategy"}),
    ControlKey.RESUME_STRATEGY: frozenset({"strategy"}),
    ControlKey.REROUTE: frozenset({"asset_class", "gateway"}),
    ControlKey.MARK_DEGRADED: frozenset({"gateway"}),
    ControlKey.CLEAR_MARK: frozenset({"gateway"}),
    ControlKey.RESTORE_ROUTING: frozenset({"table_hash"}),
    ControlKey.DISABLE_FEATURE: frozenset({"feature"}),
}
# Every word of ours for how a thing stands.
STATE_WORDS = frozenset({*TradingState, *GatewayState, "draining"})
# In a pattern a dollar sign alone is the end of its text.
IN_PATTERN = re.compile(r"\$\{([a-z_][a-z0-9_]*)\}")
# Who wants a change and why: free text, which no proof can depend on.
WHO_AND_WHY = frozenset({"reason", "set_by"})

PathTemplate = Annotated[TextTemplate, StringConstraints(pattern=r"^/[^\s#]*$", max_length=2000)]
Argument = Annotated[TextTemplate, StringConstraints(min_length=1, max_length=4000)]
# A quote would lead out of the expression that a word is put into.
Word = Annotated[str, StringConstraints(pattern=r"""^[^\x00-\x1f"'`\\]{1,200}$""")]


class ControlAction(Table):
    """One change: a call of a path, or a command; and what proves that it is in force."""

    path: PathTemplate | None = Field(default=None, description="The call's path, with `${name}` for values.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(default="POST", description="The call's method.")
    body: TextTemplate | None = Field(default=None, description="The call's body; values are escaped for its type.")
    content_type: str = Field(
        default="application/json", pattern=r"^[\x21-\x7e][\x20-\x7e]{0,199}$", description="The type of the body."
    )
    command: tuple[Argument, ...] = Field(
        default=(), description="Instead of a call: program and arguments, never a shell."
    )
    proven_when: Expression | None = Field(
        default=None,
        description="JMESPath, true once the change is in force: of the answer, or of what `proven_by` answers.",
    )
    proven_matches: LinearPattern | None = Field(
        default=None, description="Instead, for an answer that is not JSON: a pattern that its text must match."
    )
    proven_by: PathTemplate | Annotated[tuple[Argument, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Where the change shows: a path to `GET`, or a command; a command's 0 is proof where neither "
        "`proven_when` nor `proven_matches` is set, and what it writes is empty or the state itself.",
    )
    words: dict[str, Word] = Field(
        default_factory=dict,
        description='The service\'s words for ours, as `{ halted = "HALT", equity = "EQ" }`; a state that is left out '
        "beside another one is not available.",
    )
    timeout_s: float = Field(
        default=5.0, gt=0, le=20, description="How long the call, the command, or its proof may take."
    )

    @model_validator(mode="after")
    def _is_one_change(self) -> Self:
        if (self.path is None) == (not self.command):
            raise ValueError("a path or a command is expected, one of them")
        if self.body is not None and self.path is None:
            raise ValueError("body belongs to a path, and a command has none; put the values into its arguments")
        if self.proven_when is not None and self.proven_matches is not None:
            raise ValueError("proven_when or proven_matches is expected, one of them")
        if isinstance(self.proven_by, str) and not self.has_condition:
            raise ValueError("proven_by = a path needs proven_when or proven_matches: that it answers proves nothing")
        programs = [one[0] for one in (self.command, self.proven_by) if isinstance(one, tuple) and one]
        if any(names_in(program) for program in programs):
            raise ValueError("a program without ${…} is expected; only its arguments may hold values")
        return self

    @property
    def has_condition(self) -> bool:
        """Say whether an answer is held against anything."""
        return self.proven_when is not None or self.proven_matches is not None

    @property
    def has_proof(self) -> bool:
        """Say whether anything would show that the change is in force."""
        return self.has_condition or self.proven_by is not None

    @property
    def sent_names(self) -> frozenset[str]:
        """Name the values that what is sent asks for."""
        return _names((self.path or "", self.body or "", *self.command))

    @property
    def proof_names(self) -> frozenset[str]:
        """Name the values that the proof asks for."""
        by = (self.proven_by,) if isinstance(self.proven_by, str) else self.proven_by or ()
        return _names((*by, self.proven_when or "")) | pattern_names(self.proven_matches or "")


def _names(templates: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for template in templates for name in names_in(template))


def pattern_names(pattern: str) -> frozenset[str]:
    """Name the values that a pattern asks for; a dollar sign alone is the end of its text."""
    return frozenset(IN_PATTERN.findall(pattern))


class ControlSettings(Table):
    """The changes that a service of any make takes; `[services.NAME.control]`."""

    pause: ControlAction | None = Field(default=None, description="Halts `${asset_class}`, or sets it to `${state}`.")
    pause_strategy: ControlAction | None = Field(default=None, description="Halts `${strategy}`.")
    resume: ControlAction | None = Field(default=None, description="Lets `${asset_class}` trade again.")
    resume_strategy: ControlAction | None = Field(default=None, description="Lets `${strategy}` trade again.")
    reroute: ControlAction | None = Field(
        default=None,
        description="Sends new orders of `${asset_class}` to `${gateway}`; with `${scope}` test orders alone first.",
    )
    mark_degraded: ControlAction | None = Field(default=None, description="Marks `${gateway}` degraded.")
    clear_mark: ControlAction | None = Field(default=None, description="Takes the mark off `${gateway}`.")
    restore_routing: ControlAction | None = Field(default=None, description="Puts the table `${table_hash}` back.")
    disable_feature: ControlAction | None = Field(default=None, description="Switches `${feature}` off.")
    drain: ControlAction | None = Field(
        default=None, description="Takes no new orders any more; asked for before its process is stopped."
    )

    @model_validator(mode="after")
    def _names_what_it_is_for(self) -> Self:
        for key, action in self.described():
            named = action.sent_names | action.proof_names
            if lacking := sorted(MUST_NAME.get(key, frozenset()) - named):
                raise ValueError(f"{key} with ${{{lacking[0]}}} is expected, or it would touch more than it is for")
            known = MAY_NAME[key]
            if unknown := sorted((action.sent_names - known - WHO_AND_WHY) | (action.proof_names - known)):
                names = ", ".join(f"${{{name}}}" for name in sorted(known))
                raise ValueError(f"{key} with none but {names} is expected was ${{{unknown[0]}}}")
        return self

    def action(self, key: ControlKey) -> ControlAction | None:
        """Find how one change is made; None where it is not described."""
        return dict(self.described()).get(key)

    def described(self) -> Iterator[tuple[ControlKey, ControlAction]]:
        """List the changes that are described."""
        every = {
            ControlKey.PAUSE: self.pause,
            ControlKey.PAUSE_STRATEGY: self.pause_strategy,
            ControlKey.RESUME: self.resume,
            ControlKey.RESUME_STRATEGY: self.resume_strategy,
            ControlKey.REROUTE: self.reroute,
            ControlKey.MARK_DEGRADED: self.mark_degraded,
            ControlKey.CLEAR_MARK: self.clear_mark,
            ControlKey.RESTORE_ROUTING: self.restore_routing,
            ControlKey.DISABLE_FEATURE: self.disable_feature,
            ControlKey.DRAIN: self.drain,
        }
        return ((key, action) for key, action in every.items() if action is not None)
