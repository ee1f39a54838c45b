"""What there is: every release with its state and its standing, the current one, and where a roll-back would lead."""

from order_service.releases.deploy import previous_release
from order_service.releases.errors import ReleaseError
from order_service.releases.history import read_moves
from order_service.releases.manifest import verify
from order_service.releases.runs import read_runs
from order_service.releases.standing import Past, standing
from order_service.releases.store import ReleaseStore

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
    """Show everything as one JSON document."""
    past = _past(store)
    return {
        "current": store.current(),
        "previous": previous_release(store),
        "releases": [_row(store, version, past) for version in store.versions()],
        "history": [move.document() for move in past.moves],
    }


def lines(store: ReleaseStore) -> list[str]:
    """Show every release as a line a person reads."""
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
