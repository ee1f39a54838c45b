"""A person at the Prefect UI: each click is one HTTP request with what the UI sends, and is never sent again."""

import json
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

from deployments.local_http import without_login

# Nobody waits longer for a click: no answer by then is a failure.
GIVE_UP_S = 30.0
THINK_S = (0.1, 0.5)
NO_ANSWER = 0
POOL = "bench-clicks"


class Person:
    """Somebody who looks at runs, starts one, cancels it, pauses and resumes another, again and again."""

    def __init__(self, api: str, number: int) -> None:
        self._api = api
        self._random = random.Random(number)  # noqa: S311 - when somebody clicks
        self._flow_id, self._deployment_id = _place_to_click(api)
        # Kind, seconds, HTTP status.
        self.clicks: list[tuple[str, float, int]] = []

    def click_until(self, over: threading.Event) -> None:
        """Click, with a moment between two clicks, until it is over."""
        while not over.is_set():
            self._list_runs(over)
            run = self._start_run(over)
            if run is not None:
                self._click("cancel", f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}}, over)
            paused = self._paused_run()
            if paused is not None:
                self._click("resume", f"/flow_runs/{paused}/resume", {}, over)

    def _list_runs(self, over: threading.Event) -> None:
        question = {"sort": "EXPECTED_START_TIME_DESC", "limit": 20, "flow_runs": {"state": {"type": {"any_": STATES}}}}
        self._click("list runs", "/flow_runs/filter", question, over)

    def _start_run(self, over: threading.Event) -> str | None:
        body = {"state": {"type": "SCHEDULED", "message": "Run from the Prefect UI"}, "parameters": {}}
        made = self._click("start a run", f"/deployments/{self._deployment_id}/create_flow_run", body, over)
        return str(made["id"]) if made else None

    def _paused_run(self) -> str | None:
        """Prepare a run that waits for an answer. It is no click, and what fails here is not counted."""
        state = {"type": "PAUSED", "name": "Paused", "state_details": {"pause_reschedule": False}}
        _, made = _post(f"{self._api}/flow_runs/", {"flow_id": self._flow_id, "state": {"type": "RUNNING"}})
        if not made:
            return None
        status, _ = _post(f"{self._api}/flow_runs/{made['id']}/set_state", {"state": state, "force": True})
        return str(made["id"]) if 200 <= status < 300 else None

    def _click(self, kind: str, path: str, body: object, over: threading.Event) -> Any:
        over.wait(self._random.uniform(*THINK_S))
        began_s = time.perf_counter()
        status, answer = _post(f"{self._api}{path}", body)
        self.clicks.append((kind, time.perf_counter() - began_s, status))
        return answer


STATES = ["SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING", "COMPLETED", "FAILED", "CRASHED", "CANCELLED"]


def _place_to_click(api: str) -> tuple[str, str]:
    """Make a flow and a deployment in a pool that nobody works on: what is started there costs no run.

    Errors: SystemExit when the server takes none of it.
    """
    for _ in range(20):
        _post(f"{api}/work_pools/", {"name": POOL, "type": "process"})
        _, flow = _post(f"{api}/flows/", {"name": "clicked"})
        if flow is None:
            continue
        body = {"name": uuid.uuid4().hex[:8], "flow_id": flow["id"], "entrypoint": "clicked", "work_pool_name": POOL}
        _, made = _post(f"{api}/deployments/", {**body, "parameter_openapi_schema": {"type": "object"}})
        if made is not None:
            return str(flow["id"]), str(made["id"])
    raise SystemExit(f"NO_DEPLOYMENT: expected a deployment to click on was none; look at the log of {api}")


def _post(url: str, body: object) -> tuple[int, Any]:
    """Send it once. Errors: none; no answer is status 0."""
    data = json.dumps(body).encode()
    url, login = without_login(url)
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json", **login})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=GIVE_UP_S) as answer:  # noqa: S310
            return int(answer.status), json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, None
    except (OSError, ValueError):
        return NO_ANSWER, None
