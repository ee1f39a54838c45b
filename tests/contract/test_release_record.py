"""Both sides' reading of the releases: what the store's listing calls good, the automation calls good as well."""

import hashlib
from pathlib import Path

import pytest

from order_service.releases.build import Drill, build
from order_service.releases.deploy import MoveRequest, deploy, roll_back
from order_service.releases.records import HealthyRun, append_run
from order_service.releases.standing import listing
from order_service.releases.store import ReleaseStore
from tasks.clients.process.releases_root import live_table_hash
from tasks.settings import ServiceSettings
from tasks.work.remediation.capabilities import kept_releases, not_known_good
from tests.order_service.releases.release_tree import PACKAGE

pytestmark = pytest.mark.live


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseStore:
    """Releases that ran well, never ran, were rolled away from, and are ill on purpose."""
    monkeypatch.setattr("order_service.releases.deploy.ask_release", lambda _: None)
    monkeypatch.setattr("order_service.releases.deploy.ask_release_of_table", lambda *_: None)
    store, request = ReleaseStore(tmp_path / "releases"), MoveRequest("kim", "", tmp_path / "state" / "routing.toml")
    build(store, "1.0.0", PACKAGE, None)
    for version, drill in (("1.1.0", None), ("1.2.0", None), ("9.0.0", Drill("order_errors"))):
        build(store, version, PACKAGE, None, drill)
    for version in ("1.0.0", "1.1.0", "9.0.0"):
        append_run(store.root, HealthyRun("2026-11-22T10:00:00Z", version, 600.0, 40, "t1", {}))
        deploy(store, version, request)
    roll_back(store, "1.0.0", request)
    deploy(store, "1.1.0", request)
    roll_back(store, "1.0.0", request)
    return store


def test_the_automation_and_the_store_call_the_same_releases_good(store: ReleaseStore) -> None:
    """A rollback that one side would refuse must not be what the other side asks for."""
    settings = ServiceSettings(base_url="http://127.0.0.1:9", releases_root=store.root)
    rows = listing(store)["releases"]
    assert isinstance(rows, list)
    bad = {row["version"] for row in rows if not row["known_good"]}

    assert set(not_known_good(settings, kept_releases(settings))) == bad == {"1.1.0", "1.2.0", "9.0.0"}


def test_the_automation_digests_the_very_table_that_the_next_start_reads(store: ReleaseStore, tmp_path: Path) -> None:
    """A service that is down tells no hash, and the guard of a rollback needs it."""
    settings = ServiceSettings(base_url="http://127.0.0.1:9", releases_root=store.root)
    live = tmp_path / "state" / "routing.toml"

    assert live_table_hash(settings) == hashlib.sha256(live.read_bytes()).hexdigest()
    live.unlink()
    assert live_table_hash(settings) is None
