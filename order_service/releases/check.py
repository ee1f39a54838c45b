"""What a release says of itself: does its code compile, does its code take its routing table.

Run in a process of its own with the release's code on the path, so that the release's code answers, not ours.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from order_service.releases.errors import ReleaseCode, ReleaseError

_CHECK_TIMEOUT_S = 30


def environment_of(release: Path) -> dict[str, str]:
    """Give this environment with the release's code first on the path."""
    return {**os.environ, "PYTHONPATH": str(release / "code")}


def ask_release(release: Path) -> None:
    """Let a release check itself.

    Errors: ReleaseError with what the release said last.
    """
    command = [sys.executable, "-m", "order_service.releases", "check", "--release", str(release)]
    code, env = release / "code", environment_of(release)
    try:
        told = subprocess.run(
            command, cwd=code, env=env, capture_output=True, text=True, timeout=_CHECK_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise _broken(release.name, f"no answer in {_CHECK_TIMEOUT_S} s") from None
    if told.returncode != 0:
        raise _broken(release.name, (told.stderr.strip().splitlines() or [f"exit {told.returncode}"])[-1])


def check(release: Path) -> None:
    """Check the release that this very code belongs to.

    Errors: SyntaxError, or what the release's own routing module raises.
    """
    for path in sorted((release / "code").rglob("*.py")):
        compile(path.read_bytes(), str(path), "exec")
    from order_service.routing import parse_table  # noqa: PLC0415 - must come after the code is known to compile

    raw = (release / "config" / "routing.toml").read_bytes()
    parse_table(raw, frozenset(_named_gateways(raw)))


def _named_gateways(raw: bytes) -> set[str]:
    """Name the table's own gateways: their addresses belong to the place, not to the release."""
    gateways = tomllib.loads(raw.decode()).get("gateways", {})
    return set(gateways) if isinstance(gateways, dict) else set()


def _broken(version: str, was: str) -> ReleaseError:
    return ReleaseError(
        ReleaseCode.RELEASE_BROKEN,
        f"expected release {version} to compile and to take its own routing table, was: {was}; nothing was changed",
    )
