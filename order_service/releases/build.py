"""Building: a copy of the package and its configuration, sealed, and put in place by one rename."""

import compileall
import shutil
import tempfile
from pathlib import Path
from py_compile import PycInvalidationMode

from order_service.releases.drills import FOLDER, Drill, make_ill
from order_service.releases.errors import ReleaseCode, ReleaseError
from order_service.releases.history import now
from order_service.releases.manifest import FILE_NAME, Manifest, digest_of, hash_files, verify
from order_service.releases.store import ReleaseStore

PACKAGE = "order_service"
_BUILD_PREFIX = ".build-"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", FOLDER)


def build(store: ReleaseStore, version: str, source: Path, config: Path | None, drill: Drill | None = None) -> Manifest:
    """Build a release from a source tree, or a drill release that is ill on purpose.

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
        make_ill(work / "code" / PACKAGE, package, drill)
    shutil.copytree(config, work / "config", ignore=_LEFT_OUT)


def _seal(work: Path, version: str, drill: Drill | None) -> Manifest:
    # Bytecode that holds as long as its source is unchanged: a start need not compile, nor write into the release.
    compileall.compile_dir(work / "code", quiet=2, stripdir=work, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    files = hash_files(work)
    manifest = Manifest(version, now(), digest_of(files), files, None if drill is None else drill.document())
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
