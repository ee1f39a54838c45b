"""The OpenAPI document says what the service does, held against generated requests over a real socket."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

from tests.fakes.ports import free_port
from tests.order_service.desk import TOKEN, lay_out
from tests.order_service.process import service_process

pytestmark = pytest.mark.live

OPERATIONS = [
    *(("POST", "/orders"), ("GET", "/orders"), ("GET", "/orders/{client_order_id}")),
    *(("DELETE", "/orders/{client_order_id}"), ("GET", "/health"), ("GET", "/metrics"), ("GET", "/routing")),
    *(("PUT", "/control/gateways/{gateway}"), ("PUT", "/control/routes/{asset_class}")),
    *(("PUT", "/control/trading/{asset_class}"), ("PUT", "/control/features/{feature}")),
    *(("PUT", "/control/strategies/{strategy}"), ("POST", "/control/reload"), ("POST", "/control/restore")),
    ("POST", "/control/drain"),
]
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service whose gateways are all closed ports, so that each order ends as denied at once."""
    state_dir, port = tmp_path_factory.mktemp("openapi"), free_port()
    lay_out(Path(state_dir), "http://127.0.0.1:9")
    url = f"http://127.0.0.1:{port}"
    with service_process(Path(state_dir), port):
        _wait_until_up(url)
        yield url


@pytest.fixture(scope="module")
def document(base_url: str) -> schemathesis.BaseSchema:
    """The service's own document."""
    schema: schemathesis.BaseSchema = schemathesis.openapi.from_url(f"{base_url}/openapi.json")
    return schema


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_documented(
    document: schemathesis.BaseSchema, method: str, path: str, mode: schemathesis.GenerationMode
) -> None:
    """A client generated from the document never meets an answer it does not know, and never a 500."""
    operation = document[path][method]
    if mode is schemathesis.GenerationMode.NEGATIVE and not (
        operation.body or operation.path_parameters or operation.query
    ):
        pytest.skip("nothing can be wrong about a request without parameters")

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        response = case.call(headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.status_code != 500
        case.validate_response(response, checks=CHECKS)

    holds()


def test_the_document_names_every_operation(document: schemathesis.BaseSchema) -> None:
    """An operation that is not driven here could lie unseen."""
    found = {(result.ok().method.upper(), result.ok().path) for result in document.get_all_operations()}

    assert found == set(OPERATIONS)


def _wait_until_up(url: str) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            httpx.get(f"{url}/health")
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
