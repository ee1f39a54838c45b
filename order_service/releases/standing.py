"""What is known of a release: whether it was ever healthy, when it was current, what it brings along."""

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from order_service.releases.history import Move, rolled_away
from order_service.releases.manifest import ROUTING_TABLE, Manifest
from order_service.releases.runs import HealthyRun, best_runs


@dataclass(frozen=True, slots=True)
class Past:
    """Hold what both kinds of record tell of all releases: the moves, and how releases ran."""

    moves: Sequence[Move]
    runs: Sequence[HealthyRun]


def standing(manifest: Manifest, release: Path, past: Past) -> dict[str, object]:
    """Tell all that a roll-back to this release would have to weigh."""
    runs = best_runs(past.runs, manifest.version)
    is_good, because = known_good(manifest, past)
    return {
        "known_good": is_good,
        "known_good_because": because,
        "healthy_runs": [{**asdict(run), "features": dict(run.features)} for run in runs],
        "was_current": periods(past.moves, manifest.version),
        "routing_hash": manifest.files.get(ROUTING_TABLE),
        "features": shipped_features(release),
        "drill": manifest.drill,
    }


def known_good(manifest: Manifest, past: Past) -> tuple[bool, str]:
    """Say whether a release is known to be good, and from what.

    Steps: built ill on purpose: no · rolled away from, and not deployed since: no · ran healthy by its own record: yes.
    """
    if manifest.drill is not None:
        return False, f"built with the fault {manifest.drill.get('fault')} for drills"
    away_at = rolled_away(past.moves).get(manifest.version)
    if away_at is not None:
        return False, f"rolled away from at {away_at}, and not deployed since"
    runs = best_runs(past.runs, manifest.version)
    if not runs:
        return False, "no healthy run of it is recorded"
    best = max(runs, key=lambda run: run.for_s)
    told = f"ran for {best.for_s:.0f} s until {best.at}, answered {best.orders_count} orders and failed none"
    return True, f"{told}, with the routing table {best.routing_hash[:12]}"


def periods(moves: Sequence[Move], version: str) -> list[dict[str, str | None]]:
    """Give the times in which a release was current; the last one is open while it is."""
    found: list[dict[str, str | None]] = []
    for move in moves:
        is_open = bool(found) and found[-1]["until"] is None
        if move.to_version == version and not is_open:
            found.append({"from": move.at, "until": None})
        elif move.to_version != version and is_open:
            found[-1]["until"] = move.at
    return found


def shipped_features(release: Path) -> dict[str, bool] | None:
    """Give the features that the shipped table names, and whether it switches them on."""
    try:
        table = tomllib.loads((release / ROUTING_TABLE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    features = table.get("features", {})
    return {name: bool(rules.get("enabled")) for name, rules in features.items() if isinstance(rules, dict)}
