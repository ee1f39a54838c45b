"""Spoil the text of a routing table in the ways that people do."""

from tasks.model.drills.drills import Spoil

CORRUPTED = "[routes\n"


def spoiled(table: str, how: Spoil) -> str:
    """Spoil a table.

    Errors: ValueError where the table has not what would be spoiled; a drill that changes nothing proves nothing.
    """
    match how:
        case Spoil.WRONG_GATEWAY:
            return _with_equity_at_fxall(table)
        case Spoil.CLASS_MISSING:
            return _without(table, "[routes.crypto]")
        case Spoil.CORRUPTED:
            return CORRUPTED


def _with_equity_at_fxall(table: str) -> str:
    """Route equity to a gateway that the table says takes it, and that does not: the service takes such a table."""
    head, rest = _parted(table, "[gateways.FXALL]")
    classes = _replaced(rest, '["fx"]', '["fx", "equity"]')
    led = _replaced(classes, 'gateway = "XNAS"', 'gateway = "FXALL"')
    return f"{head}[gateways.FXALL]{led}"


def _without(table: str, section: str) -> str:
    head, rest = _parted(table, section)
    _, next_section, others = rest.partition("\n[")
    return f"{head}{'[' if next_section else ''}{others}"


def _parted(table: str, section: str) -> tuple[str, str]:
    if table.count(section) != 1:
        raise ValueError(f"expected one {section}, found {table.count(section)}")
    head, _, rest = table.partition(section)
    return head, rest


def _replaced(text: str, old: str, new: str) -> str:
    if old not in text:
        raise ValueError(f"expected {old}, found none")
    return text.replace(old, new, 1)
