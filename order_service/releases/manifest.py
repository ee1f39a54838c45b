"""The manifest of a release: every file with its digest, so that what runs is provably what was built."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from order_service.releases.store import corrupted, missing

FILE_NAME = "manifest.json"
ROUTING_TABLE = "config/routing.toml"
_IGNORED = frozenset({"__pycache__"})


@dataclass(frozen=True, slots=True)
class Manifest:
    """Hold what a release consists of; the digest covers every file by name and content.

    `drill` is there for a release that was built broken on purpose, and says in which way.
    """

    version: str
    built_at: str
    digest: str
    files: Mapping[str, str]
    drill: Mapping[str, object] | None = None

    def document(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode() + b"\n"


def hash_files(release: Path) -> dict[str, str]:
    """Give the digest of every file under code and config, by its path in the release."""
    found = (path for part in ("code", "config") for path in (release / part).rglob("*"))
    files = sorted(path for path in found if path.is_file() and not _IGNORED.intersection(path.parts))
    return {path.relative_to(release).as_posix(): _sha256(path.read_bytes()) for path in files}


def digest_of(files: Mapping[str, str]) -> str:
    return _sha256(json.dumps(dict(sorted(files.items()))).encode())


def read_manifest(release: Path) -> Manifest:
    """Read a release's manifest.

    Errors: ReleaseError, missing or corrupted.
    """
    version = release.name
    if not release.is_dir():
        raise missing(version, f"nothing at {release}")
    try:
        document = json.loads((release / FILE_NAME).read_bytes())
        drill = document.get("drill")
        manifest = Manifest(
            document["version"],
            document["built_at"],
            document["digest"],
            dict(document["files"]),
            None if drill is None else dict(drill),
        )
    except FileNotFoundError:
        raise corrupted(version, f"without {FILE_NAME}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise corrupted(version, f"with an unreadable {FILE_NAME}") from None
    if manifest.version != version or digest_of(manifest.files) != manifest.digest:
        raise corrupted(version, f"with another {FILE_NAME}")
    return manifest


def verify(release: Path) -> Manifest:
    """Prove that a release is as it was built.

    Errors: ReleaseError, naming the first file that differs.
    """
    manifest = read_manifest(release)
    found = hash_files(release)
    for name in sorted(manifest.files.keys() | found.keys()):
        if name not in found:
            raise corrupted(release.name, f"without {name}")
        if name not in manifest.files:
            raise corrupted(release.name, f"with an added {name}")
        if found[name] != manifest.files[name]:
            raise corrupted(release.name, f"with a changed {name}")
    return manifest


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
