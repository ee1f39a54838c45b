"""Who gives a command on a host: the login that came in, and never what the environment claims."""

import os
import pwd
import subprocess
import sys

import pytest

from tasks.clients.process.logins import _uid_behind, host_login

ROOT, ADA, BOB, SERVICE = 0, 1000, 1001, 998


@pytest.mark.parametrize(
    ("own", "parents", "uid"),
    [
        (ADA, [("bash", ADA), ("sshd", ROOT)], ADA),
        (ROOT, [("sudo", ROOT), ("bash", ADA), ("sshd", ROOT)], ADA),
        (SERVICE, [("sudo", ROOT), ("sudo", ROOT), ("bash", ADA)], ADA),
        (ADA, [("bash", ADA), ("su", ROOT), ("bash", BOB)], BOB),
        (ROOT, [("bash", ROOT), ("su", ROOT), ("sudo", ROOT), ("bash", BOB), ("tmux", BOB)], BOB),
        # A program of one's own that is called sudo changes nobody.
        (BOB, [("sudo", BOB), ("bash", ADA)], BOB),
        # Whoever leaves the tree is only who the process runs as.
        (SERVICE, [("systemd", ROOT)], SERVICE),
        (SERVICE, [("sudo", ROOT)], SERVICE),
    ],
)
def test_each_change_of_the_user_is_followed_back(own: int, parents: list[tuple[str, int]], uid: int) -> None:
    """`sudo runbook approve` is approved by who typed it."""
    assert _uid_behind(own, iter(parents)) == uid


def test_the_environment_claims_nothing() -> None:
    """Anybody can set a variable."""
    lies = {**os.environ, "USER": "ada", "LOGNAME": "ada", "SUDO_USER": "ada", "USERNAME": "ada"}
    script = "from tasks.clients.process.logins import host_login; print(host_login())"
    said = subprocess.run([sys.executable, "-c", script], env=lies, capture_output=True, text=True, check=True)

    assert said.stdout.strip() == host_login() != "ada"
    assert host_login() in {one.pw_name for one in pwd.getpwall()}
