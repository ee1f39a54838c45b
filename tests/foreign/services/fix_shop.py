"""A FIX shop: gateways that are FIX sessions over TCP, no control plane, orders over an HTTP bridge in tag=value codes.

It shares no code with ours. A word on its admin port sets its fault: healthy, hung, rejecting, gateway-down.
"""

import itertools
import json
import os
import resource
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT, ADMIN_PORT, LOG = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
STARTED_S, SOH = time.time(), "\x01"
now = {"fault": "healthy"}
awake = threading.Event()
awake.set()
counter = itertools.count(1)


def fix_log(message: dict[str, str]) -> None:
    """Write as QuickFIX's message log does."""
    stamp = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
    body = SOH.join(f"{tag}={value}" for tag, value in message.items())
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"{stamp}.000 : 8=FIX.4.4{SOH}9=1{SOH}{body}{SOH}10=000{SOH}\n")


def execution_report(order: dict[str, str]) -> dict[str, str]:
    number = next(counter)
    report = {"35": "8", "11": order["11"], "37": f"O{number}", "17": f"E{number}", "55": order["55"]}
    quantity = order["38"]
    if now["fault"] == "rejecting":
        return report | {"150": "8", "39": "8", "103": "3", "58": "Order exceeds limit", "14": "0", "151": "0"}
    if now["fault"] == "gateway-down":
        return report | {"150": "8", "39": "8", "103": "2", "58": "Session XFIX is down", "14": "0", "151": "0"}
    fill = {"150": "F", "39": "2", "32": quantity, "31": "10.00", "14": quantity, "151": "0", "6": "10.00"}
    return report | fill


def process_metrics() -> str:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return (
        f"process_cpu_seconds_total {usage.ru_utime + usage.ru_stime}\n"
        f"process_resident_memory_bytes {pages * os.sysconf('SC_PAGE_SIZE')}\n"
        f"process_open_fds {len(list(Path('/proc/self/fd').iterdir()))}\nprocess_max_fds 1024\n"
        f"process_start_time_seconds {STARTED_S}\n"
    )


class Bridge(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._hang()
        if self.path == "/status":
            logged_on = now["fault"] != "gateway-down"
            self._send(200, {"engine": "running", "sessions": [{"comp": "XFIX", "loggedOn": logged_on}]})
        elif self.path == "/metrics":
            self._send(200, process_metrics())
        else:
            self._send(404, {"err": "no such path"})

    def do_POST(self) -> None:
        self._hang()
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/fix" or order.get("35") != "D" or not {"11", "38", "54", "55"} <= order.keys():
            return self._send(400, {"35": "3", "58": "Required tag missing"})
        fix_log(order)
        report = execution_report(order)
        fix_log(report)
        return self._send(200, report)

    def _hang(self) -> None:
        awake.wait()

    def _send(self, status: int, document: object) -> None:
        body = (document if isinstance(document, str) else json.dumps(document)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(document, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Switch(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        now["fault"] = self.rfile.readline().decode().strip()
        (awake.clear if now["fault"] == "hung" else awake.set)()
        self.wfile.write(b"done\n")


switch = socketserver.ThreadingTCPServer(("127.0.0.1", ADMIN_PORT), Switch)
threading.Thread(target=switch.serve_forever, args=(0.02,), daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", PORT), Bridge).serve_forever()
