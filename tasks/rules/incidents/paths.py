"""Name the files of one incident. Its id comes from a ledger that others write too, so it is never a path."""

import re
from hashlib import sha256

NAME_LIMIT_COUNT = 120
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


def file_stem(incident_id: str) -> str:
    """Name the files of an incident: its own id where that is a plain name, else what is plain of it and a hash.

    Errors: none; two ids never share a name.
    """
    if len(incident_id) <= NAME_LIMIT_COUNT and _PLAIN.fullmatch(incident_id) and not _is_ambiguous(incident_id):
        return incident_id
    plain = _OTHER.sub("-", incident_id).strip("-.")[:60]
    return f"{plain or 'incident'}~{_hash(incident_id)}"


def artifact_key(incident_id: str) -> str:
    """Name the artifact of an incident: small letters, digits and dashes, as Prefect asks for."""
    stem = file_stem(incident_id)
    key = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    return (
        f"postmortem-{key}" if re.fullmatch(r"[A-Za-z0-9_-]+", stem) else f"postmortem-{key}-{_hash(incident_id)[:8]}"
    )


def _is_ambiguous(incident_id: str) -> bool:
    # A name that ends in a dot, or in an ending of ours, is another file on some systems.
    return incident_id.endswith((".", ".md", ".json", ".gz", ".new"))


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
