"""Measure how a person's clicks fare while the stack works: as plain HTTP, which is asked once and never again.

Steps:
    1. the whole local stack on SQLite, and on it its own server, then Prefect's `prefect server start` in its place;
       then the stack on PostgreSQL, where that is installed
    2. on each, for a while: a triage every few seconds beside the schedule and the service's heartbeats, and some
       people who list runs, start one, cancel one and resume one, each with what the UI sends
    3. of each kind of click: how long it took, and how many failed
"""

import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import httpx
import psutil

from bench.figures import Bench, Database, Figure, Run, row
from bench.stack import FINAL, HTTP, BenchStack, bench_stack, process_on, wait_for
from deployments.stack.environment import server_environment
from deployments.stack.ports import HOST, SERVER
from tests.fakes.stack.postgres import missing

STOCK, OURS, POSTGRES = "SQLite, stock server", "SQLite, our server", "PostgreSQL, our server"
TRIAGE_EVERY_S, SERVER_WITHIN_S, SETTLE_S = 4.0, 90.0, 5.0
THINK_S = (0.1, 0.5)
# Nobody waits longer for a click: no answer by then is a failure, and has the status 0.
GIVE_UP_S, NO_ANSWER = 30.0, 0
POOL = "bench-clicks"
STATES = (*FINAL, "SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING")
LIST = {"sort": "EXPECTED_START_TIME_DESC", "limit": 20, "flow_runs": {"state": {"type": {"any_": STATES}}}}
START = {"state": {"type": "SCHEDULED", "message": "Run from the Prefect UI"}, "parameters": {}}
CANCEL = {"state": {"type": "CANCELLING"}}
PAUSED = {"type": "PAUSED", "name": "Paused", "state_details": {"pause_reschedule": False}}


class Click(NamedTuple):
    """One click. Units: seconds to its answer."""

    kind: str
    seconds: float
    http_status: int


class Person:
    """Somebody who lists runs, starts one, cancels it, pauses and resumes another, again and again."""

    def __init__(self, stack: BenchStack, number: int, over: threading.Event) -> None:
        self.clicks: list[Click] = []
        self._dice, self._over = random.Random(number), over  # noqa: S311 - when somebody clicks
        self._http = httpx.Client(base_url=stack.api, timeout=GIVE_UP_S, trust_env=False)
        self._flow, self._deployment = wait_for(self._place_to_click, GIVE_UP_S, "NO_DEPLOYMENT: see the server's log")
        self.thread = threading.Thread(target=self._click_until_over)

    def _place_to_click(self) -> tuple[str, str] | None:
        """Make a flow and a deployment in a pool that nobody works on: what is started there costs no run."""
        self._post("/work_pools/", {"name": POOL, "type": "process"})
        _, flow = self._post("/flows/", {"name": "clicked"})
        place = {"name": f"{self._dice.random()}", "entrypoint": "clicked", "work_pool_name": POOL}
        schema = {"parameter_openapi_schema": {"type": "object"}}
        _, made = self._post("/deployments/", {**place, "flow_id": (flow or {}).get("id"), **schema})
        return (flow["id"], made["id"]) if flow and made else None

    def _click_until_over(self) -> None:
        while not self._over.is_set():
            self._click("list runs", "/flow_runs/filter", LIST)
            run = self._click("start a run", f"/deployments/{self._deployment}/create_flow_run", START)
            if run:
                self._click("cancel", f"/flow_runs/{run['id']}/set_state", CANCEL)
            # What prepares a run that waits for an answer is no click, and what fails there is not counted.
            _, waiting = self._post("/flow_runs/", {"flow_id": self._flow, "state": {"type": "RUNNING"}})
            if waiting and self._post(f"/flow_runs/{waiting['id']}/set_state", {"state": PAUSED, "force": True})[1]:
                self._click("resume", f"/flow_runs/{waiting['id']}/resume", {})

    def _click(self, kind: str, path: str, body: object) -> Any:
        self._over.wait(self._dice.uniform(*THINK_S))
        began_s = time.perf_counter()
        status, answer = self._post(path, body)
        self.clicks.append(Click(kind, time.perf_counter() - began_s, status))
        return answer

    def _post(self, path: str, body: object) -> tuple[int, Any]:
        """Send it once."""
        try:
            answer = self._http.post(path, json=body)
            return answer.status_code, answer.json() if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            return NO_ANSWER, None


def measure(run: Run) -> Iterator[Figure]:
    """Measure our server, then the stock one in its place, on one database; then ours on PostgreSQL."""
    with bench_stack(run, Database.SQLITE, scheduled=True) as stack:
        ours = [(OURS, clicked(stack, run))]
        with stock_server(stack):
            stock = clicked(stack, run)
    if missing():
        sys.stderr.write(f"{missing()}; left out\n")
    else:
        with bench_stack(run, Database.POSTGRESQL, scheduled=True) as stack:
            ours.append((POSTGRES, clicked(stack, run)))
    run.details |= {"people": run.given.people, "seconds": run.given.seconds}
    run.details["clicks"] = {name: [click._asdict() for click in clicks] for name, clicks in (*ours, (STOCK, stock))}
    for name, clicks in ours:
        note, failed = f"{len(clicks)} clicks", {STOCK: failed_percent(stock)}
        yield row(f"clicks that fail, {name}", "%", failed_percent(clicks), failed, note=note)
        yield row(f"a click, {name}", "ms", waits_ms(clicks), {STOCK: waits_ms(stock)})
        for kind in sorted({click.kind for click in clicks}):
            yield row(f"  {kind}", "ms", waits_ms(clicks, kind), {STOCK: waits_ms(stock, kind)})


def failed_percent(clicks: list[Click]) -> list[float]:
    return [100 * sum(not 200 <= click.http_status < 300 for click in clicks) / len(clicks)]


def waits_ms(clicks: list[Click], kind: str = "") -> list[float]:
    return [1000 * click.seconds for click in clicks if kind in {"", click.kind}]


def clicked(stack: BenchStack, run: Run) -> list[Click]:
    """Let people click for a while, beside a triage every few seconds."""
    over = threading.Event()
    people = [Person(stack, number, over) for number in range(run.given.people)]

    def start_triage() -> bool:
        # This load is asked for until it is taken, unlike a click.
        with suppress(httpx.HTTPError):
            stack.call("POST", f"/deployments/{stack.deployment_id('triage/do-triage')}/create_flow_run", {})
            return True
        return False

    wait_for(start_triage, GIVE_UP_S, "NO_TRIAGE: expected the server to take a triage was none")
    time.sleep(SETTLE_S)
    for person in people:
        person.thread.start()
    ends_s = time.monotonic() + run.given.seconds
    while time.monotonic() < ends_s:
        wait_for(start_triage, GIVE_UP_S, "NO_TRIAGE: expected the server to take a triage was none")
        time.sleep(TRIAGE_EVERY_S)
    over.set()
    for person in people:
        person.thread.join()
    return [click for person in people for click in person.clicks]


@contextmanager
def stock_server(stack: BenchStack) -> Iterator[None]:
    """Put Prefect's own server in the place of the stack's, on the same port and database."""
    ours, ports = psutil.Process(stack.record.parts[SERVER].identity.pid), stack.record.ports
    ours.terminate()
    ours.wait(30)

    def answers() -> bool:
        with suppress(httpx.HTTPError):
            return HTTP.get(f"http://{HOST}:{ports[SERVER]}/api/health").is_success
        return False

    words = ("-m", "prefect", "server", "start", "--host", HOST, "--port", str(ports[SERVER]))
    with process_on(stack, *words, **server_environment(stack.state, ports)):
        wait_for(answers, SERVER_WITHIN_S, "NO_SERVER: expected prefect server start to answer was none")
        time.sleep(SETTLE_S)
        yield


BENCH = Bench("clicks", measure, options={"seconds": (30, 8), "people": (4, 4)})
