"""What can be wrong with a release, said in one line each."""

from enum import StrEnum


class ReleaseCode(StrEnum):
    """Name the ways a release command ends without effect."""

    RELEASE_MISSING = "RELEASE_MISSING"
    RELEASE_CORRUPTED = "RELEASE_CORRUPTED"
    RELEASE_EXISTS = "RELEASE_EXISTS"
    RELEASE_BROKEN = "RELEASE_BROKEN"
    NO_PREVIOUS_RELEASE = "NO_PREVIOUS_RELEASE"
    LIVE_TABLE_REFUSED = "LIVE_TABLE_REFUSED"
    ROUTING_FILE_UNKNOWN = "ROUTING_FILE_UNKNOWN"
    SOURCE_INVALID = "SOURCE_INVALID"
    RELEASES_LOCKED = "RELEASES_LOCKED"
    FILES_UNUSABLE = "FILES_UNUSABLE"


class ReleaseError(Exception):
    """Carry one such line to the door that prints it."""

    def __init__(self, code: ReleaseCode, detail: str) -> None:
        super().__init__(f"{code}: {' '.join(detail.split())}")
        self.code = code


def missing(version: str, was: str) -> ReleaseError:
    """Tell that a release is not there."""
    return ReleaseError(
        ReleaseCode.RELEASE_MISSING, f"expected release {version}, was {was}; list shows what there is, build makes one"
    )


def corrupted(version: str, was: str) -> ReleaseError:
    """Tell that a release is not what was built."""
    return ReleaseError(
        ReleaseCode.RELEASE_CORRUPTED,
        f"expected release {version} as built, was {was}; build it under a new version or deploy another",
    )
