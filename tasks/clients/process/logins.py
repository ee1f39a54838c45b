"""Which login a command comes from: the one that came in to the host, also behind `sudo` and `su`.

Never the environment: `LOGNAME`, `USER` and `SUDO_USER` are what the caller makes them.
"""

import getpass
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

# The kernel keeps who logged in; nobody without rights over the audit changes it, and `sudo` does not.
AUDIT = Path("/proc/self/loginuid")
NO_UID = 0xFFFFFFFF
# What runs a command as somebody else. Only root can run a program under one of these names as root.
CHANGERS = frozenset({"sudo", "su", "doas", "runuser", "pkexec"})
_BROKEN = (psutil.Error, OSError)


def host_login() -> str:
    """Name the login that this process comes from.

    Steps: 1. who logged in, where the kernel knows it 2. who called `sudo` or `su` 3. whose process it is
    Errors: none; where nothing more is known, it is the user that the process runs as.
    """
    if not hasattr(os, "getuid"):
        return getpass.getuser()
    uid = _audit_uid()
    return _name(_uid_behind(os.getuid(), _parents()) if uid is None else uid)


def _audit_uid() -> int | None:
    try:
        uid = int(AUDIT.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return None if uid == NO_UID else uid


def _parents() -> Iterator[tuple[str, int]]:
    """Give name and effective user of each process above this one, the nearest first."""
    try:
        for process in psutil.Process().parents():
            yield process.name(), process.uids().effective
    except _BROKEN:
        return


def _uid_behind(own: int, parents: Iterator[tuple[str, int]]) -> int:
    """Follow each change of the user back to who asked for it."""
    uid, is_behind = own, False
    for name, effective in parents:
        is_changer = effective == 0 and name in CHANGERS
        if is_behind and not is_changer:
            uid = effective
        is_behind = is_changer
    return uid


def _name(uid: int) -> str:
    import pwd  # noqa: PLC0415 - Windows has none

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
