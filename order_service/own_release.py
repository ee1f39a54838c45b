"""Where this very code was shipped: inside a release, or in a plain checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def release_folder(package: Path = _PACKAGE) -> Path | None:
    """Give the folder of the release that this code runs from; nothing for code that was never released."""
    release = package.parent.parent
    is_released = package.parent.name == "code" and (release / "manifest.json").is_file()
    return release if is_released else None


def shipped_table(package: Path = _PACKAGE) -> Path:
    """Give the routing table that this code was shipped with."""
    return (release_folder(package) or package) / "config" / "routing.toml"
