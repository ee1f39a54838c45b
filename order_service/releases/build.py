"""Building: a copy of the package and its configuration, sealed, and put in place by one rename.

A drill release gets one fault on top; the code of the faults is in no other release.
"""

import compileall
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from types import MappingProxyType

from order_service.releases.manifest import FILE_NAME, Manifest, digest_of, hash_files, verify
from order_service.releases.store import ReleaseCode, ReleaseError, ReleaseStore
from order_service.runtime.clock import now_text

FOLDER = "drill_faults"
FAULTS = MappingProxyType(
    {
        "order_errors": "30 % of the orders end in a 500 before they are sent",
        "slow_orders": "every order takes five times as long, 50 ms longer at least",
        "orders_hang": "POST /orders is never answered, everything else works",
        "health_broken": "/health says error with 503, while orders fill",
        "crash_at_start": "ends with a traceback before it listens",
        "crash_loop": "ends five seconds after each start",
        "feature_breaks_crypto": "brings the feature crypto_price_guard, which breaks crypto orders while it is on",
        "memory_leak": "takes 8 MiB more each second, up to 1 GiB",
        "cpu_spin": "its event loop spins from five seconds after the start",
        "blocked_loop": "its event loop stands still for five seconds, once",
    }
)
# It cannot wait for a signal, since it never listens for one.
AT_START_ONLY = frozenset({"crash_at_start"})
_MAIN = '''"""A drill release, broken on purpose: {summary}. Never for real orders."""

import sys

from order_service.{folder}.main import main

if __name__ == "__main__":
    sys.exit(main("{name}", on_signal={on_signal}))
'''


@dataclass(frozen=True, slots=True)
class Drill:
    """Name the fault of a drill release, and whether it waits for SIGUSR2 instead of coming by itself."""

    fault: str
    on_signal: bool = False

    def document(self) -> dict[str, object]:
        return {"fault": self.fault, "on_signal": self.on_signal}


def put_fault_in(package: Path, source: Path, drill: Drill) -> None:
    """Put a fault into a copy of the package.

    Errors: ReleaseError when the source holds no faults: a release that was built holds none.
    """
    if not (source / FOLDER / "faults.py").is_file():
        raise ReleaseError(
            ReleaseCode.SOURCE_INVALID,
            f"expected the fault {drill.fault} in {source / FOLDER}, was none; build drill releases from a checkout",
        )
    shutil.copytree(source / FOLDER, package / FOLDER, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    main = _MAIN.format(summary=FAULTS[drill.fault], folder=FOLDER, name=drill.fault, on_signal=drill.on_signal)
    (package / "__main__.py").write_text(main, encoding="utf-8")


PACKAGE = "order_service"
_BUILD_PREFIX = ".build-"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", FOLDER)


def build(store: ReleaseStore, version: str, source: Path, config: Path | None, drill: Drill | None = None) -> Manifest:
    """Build a release from a source tree, or a drill release that is broken on purpose.

    Errors: ReleaseError when the source is none, or the version exists with other content.
    Steps:
        1. Copy into a directory that no reader takes for a release.
        2. Write the manifest and make every file read-only.
        3. Rename into place; the same content built again is the release that is there already.
    """
    package = _package_of(source)
    settings = config or package / "config"
    if not (settings / "routing.toml").is_file():
        raise ReleaseError(ReleaseCode.SOURCE_INVALID, f"expected routing.toml in {settings}, was none; name --config")
    with store.locked():
        _clear_away_killed_builds(store.root)
        work = Path(tempfile.mkdtemp(prefix=_BUILD_PREFIX, dir=store.root))
        try:
            _copy(work, package, settings, drill)
            manifest = _seal(work, version, drill)
            return _put_in_place(store, work, manifest)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _package_of(source: Path) -> Path:
    for package in (source, source / PACKAGE):
        if package.name == PACKAGE and (package / "__init__.py").is_file():
            return package
    raise ReleaseError(
        ReleaseCode.SOURCE_INVALID, f"expected the package {PACKAGE} at {source}, was none; name another --source"
    )


def _clear_away_killed_builds(root: Path) -> None:
    for left in root.glob(f"{_BUILD_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


def _copy(work: Path, package: Path, config: Path, drill: Drill | None) -> None:
    shutil.copytree(package, work / "code" / PACKAGE, ignore=_LEFT_OUT)
    if drill is not None:
        put_fault_in(work / "code" / PACKAGE, package, drill)
    shutil.copytree(config, work / "config", ignore=_LEFT_OUT)


def _seal(work: Path, version: str, drill: Drill | None) -> Manifest:
    # Bytecode that holds as long as its source is unchanged: a start need not compile, nor write into the release.
    compileall.compile_dir(work / "code", quiet=2, stripdir=work, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    files = hash_files(work)
    manifest = Manifest(version, now_text(), digest_of(files), files, None if drill is None else drill.document())
    (work / FILE_NAME).write_bytes(manifest.document())
    for path in (path for path in work.rglob("*") if path.is_file()):
        path.chmod(0o444)
    work.chmod(0o755)
    return manifest


def _put_in_place(store: ReleaseStore, work: Path, manifest: Manifest) -> Manifest:
    target = store.path(manifest.version)
    if not target.exists():
        work.rename(target)
        return manifest
    there = verify(target)
    if there.digest != manifest.digest:
        raise ReleaseError(
            ReleaseCode.RELEASE_EXISTS,
            f"expected a new version or the same content, was release {manifest.version} with digest "
            f"{there.digest[:12]}, not {manifest.digest[:12]}; build under another version",
        )
    return there
