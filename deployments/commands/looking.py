"""What every look command shares: its options, where it looks, its answer, and how it ends."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, NoReturn
from urllib.parse import urlsplit

from cyclopts import Parameter
from rich.text import Text

from deployments.views.json_document import say_json
from deployments.views.terminal import printable, show
from deployments.views.words import complain
from tasks.model.errors import Code, RunbookError
from tasks.model.limits import LookLimits
from tasks.model.looks import Exchange, Seen
from tasks.settings import RunbookSettings, ServiceSettings, load_settings

JsonOutput = Annotated[bool, Parameter(name="--json", negative=())]
FINE, FAILED, CALLED_WRONGLY, COULD_NOT_LOOK = 0, 1, 2, 3
WRONG_USE = frozenset({Code.BAD_SETTING, Code.BAD_ARGUMENT, Code.UNKNOWN_SERVICE})


class Answer(NamedTuple):
    """What a command says: one JSON document, or lines for a person; and its exit code."""

    document: dict[str, Any]
    lines: list[Text]
    exit_code: int = FINE


@dataclass(frozen=True)
class Target:
    """One address to look at, and within which limits; `service` is None where only an address was given."""

    service: str | None
    url: str
    limits: LookLimits

    @property
    def shown_url(self) -> str:
        """The address without the password that it may carry."""
        return without_password(self.url)

    def kept(self, answer: Exchange) -> Exchange:
        """Keep an exchange without the password."""
        return answer.model_copy(update={"url": self.shown_url})


def give(
    look: Callable[[], Answer], *, json_output: bool, blind: Callable[[str], dict[str, Any]] | None = None
) -> NoReturn:
    """Look, say what was seen, and end.

    Errors: exit 0 looked and fine, 1 looked and it failed, 3 could not look (one line; with `--json` a document with
    the error, too, and with what `blind` says of it). What was called wrongly is raised, and ends with 2.
    """
    answer = _answer_of(look)
    if blind and "error" in answer.document:
        answer = answer._replace(document={**blind(answer.document["error"]["detail"]), **answer.document})
    try:
        say_json(answer.document) if json_output else show(answer.lines)
    except BrokenPipeError:
        # The reader has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(answer.exit_code)


def _answer_of(look: Callable[[], Answer]) -> Answer:
    try:
        return look()
    except RunbookError as error:
        if error.code in WRONG_USE:
            raise
        return could_not_look(error.code, error.detail)
    except Exception as error:  # noqa: BLE001 - the outermost door: exit 1 would say that the patient is ill
        return could_not_look("UNEXPECTED", f"expected an answer was {type(error).__name__}: {error}; please report it")


def could_not_look(code: str, detail: str) -> Answer:
    """Say on stderr that nothing was seen, which says nothing of the patient."""
    complain(f"{code}: {printable(' '.join(detail.split()))}")
    return Answer({"error": {"code": str(code), "detail": detail}}, [], COULD_NOT_LOOK)


def exit_code_of(seen: Iterable[Seen]) -> int:
    """Give the exit code of some looks: one that failed decides, then one that could not look."""
    found = set(seen)
    if Seen.FAILED in found:
        return FAILED
    return COULD_NOT_LOOK if found & {Seen.BLIND, Seen.NOT_CONFIGURED} else FINE


def watched_service(service: str | None) -> tuple[RunbookSettings, str, ServiceSettings]:
    """Find the service that is asked about; it may be left out where there is one.

    Errors: `BAD_SETTING`, `UNKNOWN_SERVICE`.
    """
    settings = load_settings()
    name = service or settings.only_service()
    return settings, name, settings.service(name)


def target_of(url: str | None, service: str | None, path: str) -> Target:
    """Find the address to look at: the one given, for which no settings are needed, or the watched service's.

    Errors: `BAD_ARGUMENT`, `BAD_SETTING`, `UNKNOWN_SERVICE`.
    """
    if url is None:
        _, name, watched = watched_service(service)
        return Target(name, watched.url + path, watched.look)
    if service is not None:
        raise RunbookError(Code.BAD_ARGUMENT, "expected --url or --service was both; leave one out")
    return Target(None, asked_url(url, path), LookLimits())


def asked_url(url: str, path: str) -> str:
    """Complete an address: a bare host gets the usual path, any other address is asked as it is.

    Errors: `BAD_ARGUMENT` for what is no HTTP address.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        shown = without_password(url[:80])
        raise RunbookError(Code.BAD_ARGUMENT, f"expected http://HOST:PORT was url={shown!r}; correct --url")
    return parts._replace(path=path).geturl() if parts.path in {"", "/"} else parts.geturl()


def without_password(url: str) -> str:
    """Hide the user and the password of an address."""
    before, at, after = url.rpartition("@")
    return f"{before.partition('//')[0]}//***@{after}" if at and "//" in before else url
