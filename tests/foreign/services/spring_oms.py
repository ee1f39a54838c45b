"""A Spring-like order service: Actuator's health, Micrometer's metrics, camel-case orders, logback with Java traces.

It shares no code with ours. `PUT /fault/NAME` at its admin port: healthy, hung, rejecting, gateway-down.
"""

import argparse
import itertools
import json
import threading
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FAULTS = ("healthy", "hung", "rejecting", "gateway-down")
TRACE = """com.desk.oms.venue.VenueException: XNAS: logon refused
\tat com.desk.oms.venue.FixSession.send(FixSession.java:118)
\tat com.desk.oms.order.OrderRouter.route(OrderRouter.java:64)
\tat java.base/java.lang.Thread.run(Thread.java:1583)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
\t... 12 common frames omitted"""
arguments = argparse.ArgumentParser()
arguments.add_argument("--port", type=int, required=True)
arguments.add_argument("--admin-port", type=int, required=True)
arguments.add_argument("--log", required=True)
given = arguments.parse_args()
started_s, numbers, lock = time.time(), itertools.count(1), threading.Lock()
halts: dict[str, str] = {}
counts: dict[str, int] = {"FILLED": 0, "KO": 0}
orders: dict[str, dict[str, Any]] = {}
state: dict[str, Any] = {"fault": "healthy"}
awake = threading.Event()
awake.set()


def logback(level: str, logger: str, text: str) -> None:
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    with lock, Path(given.log).open("a", encoding="utf-8") as log:
        log.write(f"{stamp} {level:>5} 4711 --- [nio-8443-exec-{next(numbers) % 9 + 1}] {logger:<40} : {text}\n")


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, document: Any, kind: str = "application/json") -> None:
        body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def sent(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def log_message(self, *_: object) -> None:
        pass


class Oms(Answering):
    def do_GET(self) -> None:
        hang()
        if self.path == "/actuator/health":
            status, document = health()
            self.answer(status, document, "application/vnd.spring-boot.actuator.v3+json")
        elif self.path == "/actuator/prometheus":
            self.answer(200, prometheus(), "text/plain; version=0.0.4; charset=utf-8")
        elif self.path.startswith("/admin/halt/"):
            self.answer(200, {"state": halts.get(self.path.rsplit("/", 1)[1], "active")})
        elif self.path == "/api/v1/orders?state=PENDING":
            self.answer(200, {"data": {"orders": []}})
        else:
            self.answer(404, {"timestamp": iso(), "status": 404, "error": "Not Found", "path": self.path})

    def do_POST(self) -> None:
        hang()
        body = self.sent()
        if self.path != "/api/v1/orders":
            return self.answer(404, {"timestamp": iso(), "status": 404, "error": "Not Found", "path": self.path})
        try:
            asked = json.loads(body)["order"]
            fields = {key: asked[key] for key in ("clOrdId", "instrument", "side", "qty", "type", "product")}
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"timestamp": iso(), "status": 400, "error": "Bad Request", "path": self.path})
        return self.answer(201, {"data": {"order": placed(fields)}})

    def do_PUT(self) -> None:
        hang()
        body = json.loads(self.sent())
        halts[self.path.rsplit("/", 1)[1]] = body["state"]
        logback("WARN", "c.d.oms.admin.HaltController", f"{self.path}: {body}")
        self.answer(200, {"state": body["state"]})


def placed(asked: dict[str, Any]) -> dict[str, Any]:
    number = next(numbers)
    order = {
        "id": f"OMS-{number}",
        "clOrdId": asked["clOrdId"],
        "instrument": asked["instrument"],
        "fills": [],
        "venue": "XNAS",
    }
    order["fills"] = []
    ko = refusal(asked)
    if ko:
        logback("ERROR", "c.d.oms.order.OrderRouter", f"order {order['id']} KO: {ko['code']} {ko['text']}")
        if state["fault"] == "gateway-down":
            with Path(given.log).open("a", encoding="utf-8") as log:
                log.write(TRACE + "\n")
        counts["KO"] += 1
        return {**order, "state": "KO", "reason": ko}
    counts["FILLED"] += 1
    logback("INFO", "c.d.oms.order.OrderRouter", f"order {order['id']} DONE")
    fill = {"execId": f"X{number}", "lastQty": asked["qty"], "lastPx": 10.0, "venue": "XNAS", "at": iso()}
    return {**order, "state": "DONE", "reason": None, "fills": [fill]}


def refusal(asked: dict[str, Any]) -> dict[str, str] | None:
    if halts.get(asked["product"], "active") != "active":
        return {"code": "HALTED", "text": f"{asked['product']} is halted"}
    if state["fault"] == "rejecting":
        return {"code": "XNAS_099", "text": "the venue refuses every account"}
    if state["fault"] == "gateway-down":
        return {"code": "VENUE_DOWN", "text": "XNAS is not connected"}
    return None


def health() -> tuple[int, dict[str, Any]]:
    is_up = state["fault"] != "gateway-down"
    word = "UP" if is_up else "DOWN"
    components = {
        "diskSpace": {"status": "UP", "details": {"total": 250_000_000_000, "free": 100_000_000_000}},
        "ping": {"status": "UP"},
        "XNAS": {"status": word, "details": {"session": "FIX.4.4:DESK->XNAS"}},
    }
    return 200 if is_up else 503, {"status": word, "components": components}


def prometheus() -> str:
    up = int(state["fault"] != "gateway-down")
    return f"""# HELP oms_orders_submitted_total orders by result
# TYPE oms_orders_submitted_total counter
oms_orders_submitted_total{{application="oms",product="EQ",result="done",venue="XNAS",}} {float(counts["FILLED"])}
oms_orders_submitted_total{{application="oms",product="EQ",result="ko",venue="XNAS",}} {float(counts["KO"])}
# TYPE oms_venue_connected gauge
oms_venue_connected{{application="oms",venue="XNAS",}} {float(up)}
# TYPE jvm_memory_used_bytes gauge
jvm_memory_used_bytes{{application="oms",area="heap",id="G1 Eden Space",}} 2.5165824E7
# TYPE process_start_time_seconds gauge
process_start_time_seconds{{application="oms",}} {started_s:.3f}
# TYPE process_cpu_usage gauge
process_cpu_usage{{application="oms",}} 0.01
"""


def iso() -> str:
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def hang() -> None:
    awake.wait()


class Admin(Answering):
    def do_PUT(self) -> None:
        self.sent()
        state["fault"] = self.path.removeprefix("/fault/")
        (awake.clear if state["fault"] == "hung" else awake.set)()
        self.answer(200 if state["fault"] in FAULTS else 404, {"fault": state["fault"]})


def serve(port: int, handler: type[Answering]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


serve(given.admin_port, Admin)
logback("INFO", "c.d.oms.OmsApplication", "Started OmsApplication in 0.2 seconds (process running for 0.3)")
ThreadingHTTPServer(("127.0.0.1", given.port), Oms).serve_forever()
