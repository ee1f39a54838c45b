"""Take our secrets out of what is told: an error message or a log line may have carried one along."""

from collections.abc import Iterable

from tasks.model.messages import Attachment, Message

# Shorter ones are words, and would tear holes into everything.
SHORTEST_COUNT = 6
PUT_IN = "[secret]"


def redacted(message: Message, secrets: Iterable[str]) -> Message:
    """Give the message without any of the secrets, in its text, its detail and its files."""
    known = sorted({one for one in secrets if len(one) >= SHORTEST_COUNT}, key=len, reverse=True)
    files = tuple(Attachment(name=file.name, text=_without(file.text, known)) for file in message.files)
    changed = {"text": _without(message.text, known), "detail": _without(message.detail, known), "files": files}
    return message.model_copy(update=changed)


def _without(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, PUT_IN)
    return text
