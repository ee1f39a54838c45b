"""What a test sees of one triage: causes, plan and messages, to be asserted in one line."""

from collections.abc import Sequence

from tasks.model.reports.report import TriageStory
from tasks.rules.in_force.headline import headline
from tasks.rules.remediation.planning.plan_markdown import plan_lines

Words = str | Sequence[str]


class TriageSeen:
    """One triage as it ended."""

    def __init__(self, story: TriageStory) -> None:
        self.story = story
        context = story.evidence.context
        self.summary = headline(context.request.service, story.diagnosis, story.evidence)
        self.causes = tuple(finding.cause.value for finding in story.diagnosis.findings)
        self.plan = plan_lines(story.plan.actions) if story.plan else ()
        self.messages = tuple(f"{one.message.audience}: {one.message.text}" for one in story.told)

    def shows(
        self, cause: Words | None = None, plan: Words | None = None, says: Words | None = None, never: Words = ()
    ) -> bool:
        """Assert what the triage found: exactly these causes, these actions in this order, these words in its messages.

        What is left out is not asserted; an empty one asserts that there is none. `never` stands in no message.
        Errors: `AssertionError` with all that was seen.
        """
        faults = [
            *_exactly("causes", cause, self.causes),
            *_in_order("plan", plan, self.plan),
            *_found("messages", says, self.messages),
            *(f"a message says {one!r}" for one in _each(never) if any(one in text for text in self.messages)),
        ]
        if faults:
            raise AssertionError("\n".join((*faults, "", *self._lines())))
        return True

    def _lines(self) -> list[str]:
        seen = {"causes": self.causes, "plan": self.plan, "messages": self.messages}
        return [self.summary, *(f"{name}: {line}" for name, lines in seen.items() for line in lines or ("none",))]


def _each(words: Words) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def _exactly(name: str, expected: Words | None, found: tuple[str, ...]) -> list[str]:
    if expected is None or sorted(_each(expected)) == sorted(found):
        return []
    return [f"expected {name} {sorted(_each(expected))}, found {sorted(found)}"]


def _in_order(name: str, expected: Words | None, found: tuple[str, ...]) -> list[str]:
    """Find each expected line after the one before; an empty expectation asks for no line at all."""
    if expected is None:
        return []
    if not _each(expected):
        return [f"expected no {name}, found {len(found)} lines"] if found else []
    left = iter(found)
    missing = [one for one in _each(expected) if not any(one in line for line in left)]
    return [f"expected {one!r} in the {name}, in this order" for one in missing]


def _found(name: str, expected: Words | None, found: tuple[str, ...]) -> list[str]:
    if expected is None:
        return []
    if not _each(expected):
        return [f"expected no {name}, found {len(found)}"] if found else []
    return [f"expected {one!r} in the {name}" for one in _each(expected) if not any(one in text for text in found)]
