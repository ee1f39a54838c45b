"""What is known of each release: whether it was ever healthy, when it was current, what it brings along."""

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from order_service.releases.manifest import ROUTING_TABLE, Manifest, verify
from order_service.releases.records import (
    HealthyRun,
    Move,
    best_runs,
    read_moves,
    read_runs,
    roll_back_candidates,
    rolled_away,
)
from order_service.releases.store import ReleaseCode, ReleaseError, ReleaseStore


@dataclass(frozen=True, slots=True)
class Past:
    """Hold what both kinds of record know of all releases: the moves, and how releases ran."""

    moves: Sequence[Move]
    runs: Sequence[HealthyRun]


def standing(manifest: Manifest, release: Path, past: Past) -> dict[str, object]:
    """Give all that a roll-back to this release has to consider."""
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

    Steps: built broken on purpose: no · rolled away from and not deployed since: no · ran healthy by its record: yes.
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
    result = f"ran for {best.for_s:.0f} s until {best.at}, answered {best.orders_count} orders and failed none"
    return True, f"{result}, with the routing table {best.routing_hash[:12]}"


def previous_release(store: ReleaseStore) -> str | None:
    try:
        return previous(store, read_moves(store.history))
    except ReleaseError:
        return None


def previous(store: ReleaseStore, moves: list[Move]) -> str:
    """Name the nearest earlier release that is as it was built and known to be good by its own record."""
    candidates, past = roll_back_candidates(moves), Past(moves, read_runs(store.root))
    refused = []
    for version in candidates:
        try:
            is_good, because = known_good(verify(store.path(version)), past)
        except ReleaseError as error:
            is_good, because = False, str(error)
        if is_good:
            return version
        refused.append(f"{version} ({because})")
    raise ReleaseError(
        ReleaseCode.NO_PREVIOUS_RELEASE,
        f"expected an earlier release than {store.current()} that is known to be good, was: "
        f"{', '.join(refused) or 'none'}; name one by --to",
    )


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


Row = dict[str, object]
_NOTHING_KNOWN: Row = {
    "built_at": None,
    "digest": None,
    "known_good": False,
    "known_good_because": "not as it was built",
    "healthy_runs": [],
    "was_current": [],
    "routing_hash": None,
    "features": None,
    "drill": None,
}


def listing(store: ReleaseStore) -> dict[str, object]:
    past = _past(store)
    return {
        "current": store.current(),
        "previous": previous_release(store),
        "releases": [_row(store, version, past) for version in store.versions()],
        "history": [move.document() for move in past.moves],
    }


def lines(store: ReleaseStore) -> list[str]:
    current, past = store.current(), _past(store)
    rows = [_row(store, version, past) for version in store.versions()]
    return [
        f"{'*' if row['version'] == current else ' '} {row['version']:<20} {row['state']:<10} "
        f"{row['built_at'] or '':<25} {row['problem'] or row['known_good_because']}".rstrip()
        for row in rows
    ] or [f"no release under {store.root}"]


def _past(store: ReleaseStore) -> Past:
    return Past(read_moves(store.history), read_runs(store.root))


def _row(store: ReleaseStore, version: str, past: Past) -> Row:
    release = store.path(version)
    try:
        manifest = verify(release)
    except ReleaseError as error:
        return {"version": version, "state": "corrupted", "problem": str(error), **_NOTHING_KNOWN}
    known = {"built_at": manifest.built_at, "digest": manifest.digest, **standing(manifest, release, past)}
    return {"version": version, "state": "ok", "problem": None, **known}
