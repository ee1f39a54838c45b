"""An ASP.NET-like order router: health checks at `/healthz`, OpenTelemetry's metrics, problem details, Serilog's log.

It shares no code with ours. It asks for a bearer token. `POST /fault?name=NAME` at its admin port: healthy, hung,
rejecting, gateway-down.
"""

import argparse
import json
import threading
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

arguments = argparse.ArgumentParser()
arguments.add_argument("--port", type=int, required=True)
arguments.add_argument("--admin-port", type=int, required=True)
arguments.add_argument("--log", required=True)
arguments.add_argument("--token", default="")
given = arguments.parse_args()
writing = threading.Lock()
PROBLEM, METRICS = "application/problem+json", "application/openmetrics-text; version=1.0.0; charset=utf-8"
EXCEPTION = """System.Net.Http.HttpRequestException: Connection refused (venue-cboe:9443)
 ---> System.Net.Sockets.SocketException (111): Connection refused
   at System.Net.Http.HttpConnectionPool.ConnectToTcpHostAsync(String host, Int32 port)
   --- End of inner exception stack trace ---
   at Desk.Router.Venues.CboeClient.SendAsync(Order order) in /src/Venues/CboeClient.cs:line 87"""


class Router:
    """What the router knows: its fault, its counts, which products are suspended."""

    fault = "healthy"
    filled, refused = 0, 0
    suspended: set[str] = set()  # noqa: RUF012 - one router a process
    awake = threading.Event()


def serilog(level: str, template: str, exception: str = "", **properties: object) -> None:
    event: dict[str, object] = {"@t": datetime.now(UTC).isoformat().replace("+00:00", "Z"), "@mt": template}
    event |= {"@l": level} if level != "Information" else {}
    event |= {"@x": exception} if exception else {}
    with writing, Path(given.log).open("a", encoding="utf-8") as log:
        log.write(json.dumps({**event, **properties, "SourceContext": "Desk.Router"}) + "\n")


def healthz() -> tuple[int, dict[str, Any]]:
    is_up = Router.fault != "gateway-down"
    venue = {"status": "Healthy" if is_up else "Unhealthy", "duration": "00:00:00.0012", "tags": ["venue"]}
    if not is_up:
        venue["exception"] = "Connection refused (venue-cboe:9443)"
    entries = {"self": {"data": {}, "status": "Healthy", "duration": "00:00:00.0001", "tags": []}, "CBOE": venue}
    # What the firm wrote: without its venue the router serves, with less.
    return 200, {"status": "Healthy" if is_up else "Degraded", "totalDuration": "00:00:00.0013", "entries": entries}


def metrics() -> str:
    common = 'otel_scope_name="Desk.Router",order_asset="option"'
    return (
        "# TYPE target_info gauge\n"
        'target_info{service_name="router",service_version="4.2.0"} 1\n'
        "# TYPE router_orders_processed_orders_total counter\n"
        f'router_orders_processed_orders_total{{{common},order_outcome="Filled"}} {Router.filled}\n'
        f'router_orders_processed_orders_total{{{common},order_outcome="Rejected"}} {Router.refused}\n'
        "# TYPE dotnet_process_memory_working_set_bytes gauge\n"
        'dotnet_process_memory_working_set_bytes{otel_scope_name="System.Runtime"} 88080384\n'
        "# EOF\n"
    )


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.wait_while_hung()
        if self.path == "/healthz":
            self.reply(*healthz())
        elif self.is_a_stranger():
            self.problem(401, "Unauthorized")
        elif self.path == "/metrics":
            self.reply(200, metrics(), METRICS)
        elif self.path.startswith("/products/"):
            self.reply(200, {"suspended": self.path.split("/")[2] in Router.suspended})
        else:
            self.problem(404, "Not Found")

    def do_POST(self) -> None:
        self.wait_while_hung()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.is_a_stranger():
            return self.problem(401, "Unauthorized")
        if self.path.startswith("/products/"):
            return self.switch(*self.path.split("/")[2:4])
        if self.path != "/v2/orders":
            return self.problem(404, "Not Found")
        try:
            return self.order(json.loads(body))
        except (ValueError, TypeError, KeyError) as error:
            return self.problem(400, "One or more validation errors occurred.", errors={"$": [type(error).__name__]})

    def switch(self, product: str, verb: str) -> None:
        (Router.suspended.add if verb == "suspend" else Router.suspended.discard)(product)
        serilog("Warning", "{Product} {Verb}", Product=product, Verb=verb)
        self.reply(200, {"suspended": product in Router.suspended})

    def order(self, asked: dict[str, Any]) -> None:
        reference, quantity = str(asked["reference"]), float(asked["quantity"])
        if Router.fault == "rejecting" or asked["product"] in Router.suspended:
            Router.refused += 1
            serilog("Error", "Order {Reference} rejected: {Code}", Reference=reference, Code="RISK-17")
            return self.problem(422, "Order rejected", "The order breaks limit RISK-17.", code="RISK-17")
        if Router.fault == "gateway-down":
            Router.refused += 1
            serilog("Error", "Order {Reference} could not be sent", EXCEPTION, Reference=reference)
            return self.problem(503, "Venue unavailable", "CBOE refused the connection.", code="VENUE-1")
        Router.filled += 1
        serilog("Information", "Order {Reference} filled", Reference=reference)
        execution = {"quantity": quantity, "price": 1.25, "venue": "CBOE", "executedAt": datetime.now(UTC).isoformat()}
        order = {"orderId": str(uuid.uuid4()), "reference": reference, "status": "Filled", "executions": [execution]}
        return self.reply(201, order)

    def is_a_stranger(self) -> bool:
        return bool(given.token) and self.headers.get("Authorization") != f"Bearer {given.token}"

    def wait_while_hung(self) -> None:
        Router.awake.wait()

    def problem(self, status: int, title: str, detail: str = "", **more: object) -> None:
        trace = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00"
        document = {"type": f"https://tools.ietf.org/html/rfc9110#{status}", "title": title, "status": status}
        self.reply(status, {**document, "detail": detail, "traceId": trace, **more}, PROBLEM)

    def reply(self, status: int, document: Any, kind: str = "application/json; charset=utf-8") -> None:
        body = (document if isinstance(document, str) else json.dumps(document)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Admin(Handler):
    def do_POST(self) -> None:
        Router.fault = parse_qs(urlsplit(self.path).query)["name"][0]
        (Router.awake.clear if Router.fault == "hung" else Router.awake.set)()
        self.reply(200, {"fault": Router.fault})


Router.awake.set()
admin = ThreadingHTTPServer(("127.0.0.1", given.admin_port), Admin)
threading.Thread(target=admin.serve_forever, args=(0.02,), daemon=True).start()
serilog("Information", "Now listening on: http://127.0.0.1:{Port}", Port=given.port)
ThreadingHTTPServer(("127.0.0.1", given.port), Handler).serve_forever()
