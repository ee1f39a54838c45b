"""Take secrets out of foreign text, where it is read: what is never kept is never shown, stored or sent.

Two rules: the secrets that our own settings hold, wherever they stand; and what has the shape of a secret: an
`Authorization` header, a value behind `password=` and its kin, a password in a URL, a private key, a token whose maker
gave it a form of its own. What stands around a secret stays, so that JSON is JSON afterwards.
"""

import re
from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel

from tasks.model.messages.messages import Attachment, Message
from tasks.model.probes.orders import AssetClass

# Shorter ones are words, and would tear holes into everything.
SHORTEST_COUNT = 6
PAIR_COUNT = 2
PUT_IN = "[secret]"

# What a secret does not hold, and what therefore ends it.
_VALUE = r"[^\s\"'\\,;&|<>()\[\]{}\x01]++"
_QUOTED = r"[^\"'\\\n]++"
_SIGN = r"[\"'\\]{0,2}[ \t]{0,3}[:=][ \t]{0,3}"
_KEYS = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret(?:[_-]?(?:access[_-]?)?key)?|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|"
    r"private[_-]?key|credentials?|session[_-]?(?:id|key))"
)
_NAMES = rf"(?:{_KEYS}|(?:proxy-)?authorization|(?:set-)?cookie)"
_NOTHING = r"(?!(?:null|none|nil|true|false|undefined|\*+|\[secret\])(?:[\s\"'\\,;&|)\]}]|$))"
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)[^\"']*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|(?=[\"'])|\Z)"
        ),
        rf"\1{PUT_IN}",
    ),
    (re.compile(rf"((?:proxy-)?authorization{_SIGN}[\"']?)({_QUOTED})", re.IGNORECASE), rf"\1{PUT_IN}"),
    (re.compile(rf"((?:set-)?cookie{_SIGN}[\"']?)({_QUOTED})", re.IGNORECASE), rf"\1{PUT_IN}"),
    (
        re.compile(rf"\b((?:bearer|basic)[ \t]{{1,3}})(?=\S{{0,200}}[\d=+/._~-]|\S{{20}})({_VALUE})", re.IGNORECASE),
        rf"\1{PUT_IN}",
    ),
    (re.compile(rf"({_KEYS}{_SIGN}){_NOTHING}(\\?[\"']){_QUOTED}", re.IGNORECASE), rf"\1\2{PUT_IN}"),
    (re.compile(rf"({_KEYS}{_SIGN}){_NOTHING}({_VALUE})", re.IGNORECASE), rf"\1{PUT_IN}"),
    (re.compile(rf"(--?{_KEYS}[ \t]{{1,3}})(?!-)({_VALUE})", re.IGNORECASE), rf"\1{PUT_IN}"),
    (re.compile(rf"(--?{_KEYS}[ \t]{{1,3}}[\"'])({_QUOTED})", re.IGNORECASE), rf"\1{PUT_IN}"),
    # Lists in JSON: a name and its value as two texts, as of headers and command lines; or a list behind a name.
    (
        re.compile(rf"([\"'][\w-]{{0,40}}?{_NAMES}[\"']\s{{0,40}},\s{{0,40}}[\"'])(?!-)({_QUOTED})", re.IGNORECASE),
        rf"\1{PUT_IN}",
    ),
    (re.compile(rf"({_NAMES}[\"']\s{{0,3}}:\s{{0,3}}\[\s{{0,40}}[\"'])({_QUOTED})", re.IGNORECASE), rf"\1{PUT_IN}"),
    # FIX: Password (554), NewPassword (925), EncryptedPassword (1402).
    (re.compile(r"((?:^|[\x01|;^ ])(?:554|925|1402)=)[^\x01|;\s]++"), rf"\1{PUT_IN}"),
    (re.compile(r"(://)[^\s/@\"'\\?#]{1,300}+@"), rf"\1{PUT_IN}@"),
    (re.compile(r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?"), PUT_IN),
    (re.compile(r"\b(?:xox[a-z]-[\w-]{8,}+|gh[a-z]_\w{20,}+|(?:AKIA|ASIA)[A-Z0-9]{16}|sk_live_\w{8,}+)"), PUT_IN),
)
# A key of a table, the name of a header or of an argument, behind which a secret stands by itself.
_NAMES_ONE = re.compile(rf"(?:(?:^|[-_. ]){_KEYS}|^(?:proxy-)?authorization|^(?:set-)?cookie)$", re.IGNORECASE)
_ARGUMENT = re.compile(rf"--?(?:[\w-]{{0,40}}[-_])?{_KEYS}", re.IGNORECASE)
# One of these stands in every text that has a shape of the above: most texts are passed by at the cost of one search.
_SIGNS = re.compile(
    r"passw|passphrase|pwd|secret|token|key|credential|authorization|cookie|session|bearer|basic|://|"
    r"eyJ|xox|gh[a-z]_|AKIA|ASIA|sk_live|554=|925=|1402=",
    re.IGNORECASE,
)

Thing = TypeVar("Thing")


def redacted(message: Message, secrets: Iterable[str]) -> Message:
    """Give the message without any of the secrets, in its text, its detail and its files."""
    known = longest_first(secrets)
    files = tuple(Attachment(name=file.name, text=without(file.text, known)) for file in message.files)
    changed = {"text": without(message.text, known), "detail": without(message.detail, known), "files": files}
    return message.model_copy(update=changed)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Take out the secrets that are known, and what has the shape of one."""
    text = without(text, longest_first(secrets))
    if _SIGNS.search(text) is None:
        return text
    for shape, put_in in _SHAPES:
        text = shape.sub(put_in, text)
    return text


def cleaned(thing: Thing, secrets: Iterable[str] = ()) -> Thing:
    """Take the secrets out of every text of a value, however deep; what has none is given back as it is."""
    return _cleaned(thing, longest_first(secrets))


def longest_first(secrets: Iterable[str]) -> list[str]:
    """Put the secrets in the order in which they are taken out: one may be the beginning of another."""
    return sorted({one for one in secrets if len(one) >= SHORTEST_COUNT}, key=len, reverse=True)


def without(text: str, secrets: list[str]) -> str:
    """Take out the secrets that are known."""
    for secret in secrets:
        text = text.replace(secret, PUT_IN)
    return text


def _cleaned(thing: Thing, secrets: list[str]) -> Thing:
    found: object = thing
    if isinstance(thing, str):
        # An enum's member is one of our own words; the name of an asset class may come from an answer.
        clean = without_secrets(thing, secrets) if type(thing) in {str, AssetClass} else thing
        found = AssetClass("hidden") if isinstance(thing, AssetClass) and clean != thing else clean
    elif isinstance(thing, BaseModel):
        fields = {name: getattr(thing, name) for name in type(thing).model_fields}
        changed = {name: clean for name, value in fields.items() if (clean := _cleaned(value, secrets)) is not value}
        found = thing.model_copy(update=changed) if changed else thing
    elif isinstance(thing, dict):
        table = {key: _of_key(key, value, secrets) for key, value in thing.items()}
        found = table if any(table[key] is not value for key, value in thing.items()) else thing
    elif type(thing) in (tuple, list):
        parts = _of_list(list(thing), secrets)  # type: ignore[call-overload]
        same = all(part is value for part, value in zip(parts, thing, strict=True))  # type: ignore[call-overload]
        found = thing if same else type(thing)(parts)  # type: ignore[call-arg]
    return found  # type: ignore[return-value]


def _of_key(key: object, value: object, secrets: list[str]) -> object:
    """Take the secrets out of what stands behind a key: behind the name of a secret, every text is one."""
    if not isinstance(key, str) or _NAMES_ONE.search(key) is None:
        return _cleaned(value, secrets)
    match value:
        case str():
            return PUT_IN if value else value
        case list() | tuple():
            return type(value)(_of_key(key, one, secrets) for one in value)
        case _:
            return _cleaned(value, secrets)


def _of_list(parts: list[object], secrets: list[str]) -> list[object]:
    """Take the secrets out of a list, also where a name and its value are two: a header, two words of a command."""
    found = [_cleaned(one, secrets) for one in parts]
    for place, name in enumerate(parts[:-1]):
        value = parts[place + 1]
        if not isinstance(name, str) or not isinstance(value, str) or value.startswith("-"):
            continue
        is_pair = len(parts) == PAIR_COUNT and place == 0 and _NAMES_ONE.search(name) is not None
        if is_pair or _ARGUMENT.fullmatch(name):
            found[place + 1] = PUT_IN
    return found
