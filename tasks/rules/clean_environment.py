"""Say which of our own variables a watched service and its commands may see: nothing of the automation's secrets."""

from collections.abc import Mapping

# What any program needs: where programs, libraries and certificates are, who runs it, its language and time zone, the
# way to the user's systemd; what Windows needs; and the marks by which the processes of a stack are found.
PLAIN = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TERM", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP", "TEMP"}
    | {
        "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "JAVA_HOME",
        "VIRTUAL_ENV",
    }
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE"}
    | {"APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"}
    | {"TRADING_RUNBOOK_STACK", "TRADING_RUNBOOK_STATE_DIR"}
)
# Whole families: the language, Python's own switches, and what the bundled order service reads.
PLAIN_PREFIXES = ("LC_", "PYTHON", "ORDER_SERVICE_")


def clean_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Keep of our own variables what any program needs, and leave out all others.

    Errors: none; what a service needs beyond these is named in its `start_environment`. A list of what is secret would
    miss the next secret.
    """
    return {name: value for name, value in ours.items() if _is_plain(name.upper())}


def _is_plain(name: str) -> bool:
    return name in PLAIN or name.startswith(PLAIN_PREFIXES)
