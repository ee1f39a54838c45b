"""The parts of a drill, in their order."""

from tasks.model.progress import LongStep, Progress, Unit

PARTS = (
    LongStep.DRILL_BEGIN,
    LongStep.DRILL_FIND,
    LongStep.DRILL_HEAL,
    LongStep.DRILL_CLOSE,
    LongStep.DRILL_SCORE,
)


def drill_part(step: LongStep) -> Progress:
    """Say how far a drill has come when one of its parts begins."""
    return Progress(step=step, done=PARTS.index(step), of=len(PARTS), unit=Unit.PARTS)
