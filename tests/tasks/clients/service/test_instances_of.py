"""Each instance is a service of its own: its address, process, unit and commands, and nothing of the others."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.clients.process.probe import find_process
from tasks.clients.service.instances import instance_of, instances_of
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.settings import ServiceSettings

SERVICE = ServiceSettings.model_validate(
    {
        "base_url": "http://oms:8600",
        "base_urls": ["http://127.0.0.1:8601", "http://[::1]:8602/"],
        "instances": {"c": {"base_url": "http://10.0.0.7", "pid_file": "/run/third.pid", "systemd_unit": "third"}},
        "pid_file": "/run/oms-${port}.pid",
        "process_pattern": r"oms --port ${port}$",
        "systemd_unit": "oms@${port}",
        "supervisor": "systemd",
        "start_command": ["oms", "--url", "${base_url}", "$HOME", "${other}"],
        "start_environment": {"NAME": "${instance}"},
    }
)


def test_instances_are_named_by_their_table_or_their_host_and_port() -> None:
    """The name is what a report, a plan and a form speak of."""
    assert list(instances_of(SERVICE)) == ["127.0.0.1:8601", "::1:8602", "c"]


def test_an_instance_has_its_own_values_where_the_service_names_them() -> None:
    """Every other dollar sign is the command's own."""
    one = instance_of(SERVICE, "127.0.0.1:8601")

    assert (one.url, one.port, one.pid_file) == ("http://127.0.0.1:8601", 8601, Path("/run/oms-8601.pid"))
    assert one.start_command == ("oms", "--url", "http://127.0.0.1:8601", "$HOME", "${other}")
    assert (one.systemd_unit, one.start_environment) == ("oms@8601", {"NAME": "127.0.0.1:8601"})
    assert one.process_pattern is not None
    assert one.process_pattern.search("oms --port 8601")
    assert not one.process_pattern.search("oms --port 8602")


def test_the_table_of_an_instance_goes_before_the_services_own() -> None:
    """One of them may be different."""
    one = instance_of(SERVICE, "c")

    assert (one.pid_file, one.systemd_unit, one.url) == (Path("/run/third.pid"), "third", "http://10.0.0.7")


def test_the_process_behind_the_common_address_is_never_taken_for_the_services() -> None:
    """It is a proxy, and nobody's to end."""
    found = find_process(SERVICE)

    assert isinstance(found, ProcessCheck)
    assert found.state is ProcessState.NOT_AVAILABLE


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base_urls": ["http://a:1", "http://a:1/"]}, "twice"),
        ({"base_urls": ["http://a:1"], "pid_file": "/run/oms.pid"}, "pid_file"),
        ({"base_urls": ["http://a:1"], "start_command": ["oms"]}, "start_command"),
        ({"base_urls": ["http://a:1"], "health": {"path": "http://b:2/health"}}, "health.path"),
        ({"base_urls": ["http://a:1"], "supervisor": "systemd", "systemd_unit": "oms"}, "systemd_unit"),
    ],
)
def test_instances_that_cannot_be_told_apart_are_refused(changes: dict[str, object], said: str) -> None:
    """A command for all of them would stop the healthy ones, too."""
    with pytest.raises(ValidationError) as error:
        ServiceSettings.model_validate(changes)

    assert said in str(error.value)


@pytest.mark.parametrize("name", ["../a", "a b", ""])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """It stands in keys and files."""
    with pytest.raises(ValidationError):
        ServiceSettings.model_validate({"instances": {name: {"base_url": "http://a"}}})
