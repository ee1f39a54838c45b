"""The pytest plugin: a triage of one scenario, or of a firm's own service, as a fixture.

    @pytest.mark.scenario("hung")
    def test_a_hung_service_is_restarted(triaged):
        assert triaged.shows(cause="service_hung", plan="restart service", says="has been hung")

All scenarios that are selected run at once, from the first test on; Prefect's server is started once a session.
"""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployments.ci.session import Triages
    from deployments.ci.triage_seen import TriageSeen

MARK, CACHE = "scenario", "trading-runbook"
MARK_HELP = (
    "scenario(name, mode='observe', service=''): run a triage of the stub in this scenario, for the fixture `triaged`; "
    "with a service of runbook.toml, the stub speaks as that one is described"
)


def pytest_configure(config: pytest.Config) -> None:
    """Know the marker, also where markers are strict."""
    config.addinivalue_line("markers", MARK_HELP)


@pytest.fixture(scope="session")
def triages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Triages]":
    """Start Prefect's server, and every scenario of this session's tests."""
    from deployments.ci.session import Triages  # noqa: PLC0415 - a session without triages waits for nothing

    # There is none where its plugin is switched off.
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    kept = cache.mkdir(CACHE) if cache else tmp_path_factory.mktemp(CACHE)
    running = Triages(tmp_path_factory.mktemp("triages"), 2 * (os.cpu_count() or 1), kept)
    try:
        for item in request.session.items:
            if mark := item.get_closest_marker(MARK):
                running.start_scenario(*mark.args, **mark.kwargs)
        yield running
    finally:
        running.close()


@pytest.fixture
def triaged(
    request: pytest.FixtureRequest, triages: "Triages", record_property: Callable[[str, object], None]
) -> "TriageSeen":
    """Give what the triage of this test's scenario saw; its first line stands in the JUnit file, too."""
    mark = request.node.get_closest_marker(MARK)
    if mark is None:
        raise pytest.UsageError(
            'expected @pytest.mark.scenario("…"), found none; `python -m order_service.stub --list`'
        )
    seen = triages.seen(triages.start_scenario(*mark.args, **mark.kwargs))
    record_property("summary", seen.summary)
    return seen


@pytest.fixture
def triage_now(triages: "Triages") -> "Callable[..., TriageSeen]":
    """Give a function that runs a triage of a service of `runbook.toml`, as the service is now."""
    return lambda service, mode="observe": triages.seen(triages.start_service(service, mode))
