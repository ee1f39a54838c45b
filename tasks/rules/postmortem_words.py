"""Say what became of writing a postmortem."""

from tasks.model.postmortem import Postmortem


def postmortem_words(postmortem: Postmortem) -> str:
    """Say where it lies, what of it was left as a person wrote it, and what came beside it.

    Runbook: §5.1.
    """
    kept = (
        ("left as edited", postmortem.edited),
        ("left out as taken out", postmortem.removed),
        ("fixture", (postmortem.regression,) if postmortem.regression else ()),
        ("checks", postmortem.checks),
        ("could not be kept, tried again later", postmortem.faults),
    )
    told = "".join(f"; {words}: {', '.join(names)}" for words, names in kept if names)
    state = "written" if postmortem.changed else "unchanged"
    return f"{postmortem.incident_id}: {state}, {postmortem.path}{told}"
