"""What a release's own record says of it: the manifest it was built with, the history of moves, how it ran."""

from collections.abc import Iterable
from typing import Any

from tasks.rules.diagnosis.recent_changes import ReleaseMove
from tasks.rules.formats.json_values import number_of, parse_object, table_of, text_of

ROLL_BACK = "roll-back"


def why_not_good(release: str, manifest: str, moves: Iterable[ReleaseMove], healthy: frozenset[str]) -> str | None:
    """Say why a release is not known to be good by its own record; None where it is.

    Runbook: §2.3 Roll back to the previous release.
    What cannot be read proves nothing.
    Steps: built with a fault, for drills: no · rolled away from, and not deployed since: no · no healthy run: no.
    """
    table = parse_object(manifest)
    if table is None or text_of(table, "version", 100) != release:
        return "its manifest cannot be read"
    if table.get("drill") is not None:
        fault = text_of(table_of(table, "drill"), "fault", 40)
        return f"it was built with the fault {fault} for drills"
    if release in rolled_away(moves):
        return "it was rolled away from, and not deployed since"
    return None if release in healthy else "no healthy run of it is recorded"


def rolled_away(moves: Iterable[ReleaseMove]) -> frozenset[str]:
    """Name the releases that were rolled away from and not made current since."""
    away: set[str] = set()
    for move in moves:
        if move.action == ROLL_BACK and move.before is not None:
            away.add(move.before)
        away.discard(move.to)
    return frozenset(away)


def ran_healthy(lines: Iterable[bytes]) -> frozenset[str]:
    """Name the releases that recorded a healthy run: for some time, with orders, and none that failed."""
    tables = (parse_object(line.decode("utf-8", errors="replace")) for line in lines)
    return frozenset(version for table in tables if table and (version := _ran(table)))


def _ran(table: dict[str, Any]) -> str | None:
    proven = (number_of(table, "for_s") or 0) > 0 and (number_of(table, "orders_count") or 0) > 0
    return text_of(table, "version", 100) if proven else None
