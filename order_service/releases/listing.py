"""What there is: every release with its state, the current one, and where a roll-back would lead."""

from order_service.releases.deploy import previous_release
from order_service.releases.errors import ReleaseError
from order_service.releases.history import read_moves
from order_service.releases.manifest import verify
from order_service.releases.store import ReleaseStore


def listing(store: ReleaseStore) -> dict[str, object]:
    """Show everything as one JSON document."""
    moves = read_moves(store.history)
    return {
        "current": store.current(),
        "previous": previous_release(store),
        "releases": [_row(store, version) for version in store.versions()],
        "history": [move.document() for move in moves],
    }


def lines(store: ReleaseStore) -> list[str]:
    """Show every release as a line a person reads."""
    current, rows = store.current(), [_row(store, version) for version in store.versions()]
    return [
        f"{'*' if row['version'] == current else ' '} {row['version']:<20} {row['state']:<10} "
        f"{row['built_at'] or '':<25} {row['problem'] or ''}".rstrip()
        for row in rows
    ] or [f"no release under {store.root}"]


def _row(store: ReleaseStore, version: str) -> dict[str, object]:
    row: dict[str, object] = {"version": version, "state": "ok", "built_at": None, "digest": None, "problem": None}
    try:
        manifest = verify(store.path(version))
    except ReleaseError as error:
        return {**row, "state": "corrupted", "problem": str(error)}
    return {**row, "built_at": manifest.built_at, "digest": manifest.digest}
