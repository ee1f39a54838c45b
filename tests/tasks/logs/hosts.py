"""Logs as they lie on hosts, with what a person says of them; written for these tests."""

import json
from typing import Any, NamedTuple


class Host(NamedTuple):
    """A log: the lines with an error, and the exceptions named in it with their root causes."""

    name: str
    content: bytes
    errors: tuple[int, ...]
    exceptions: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    template: str = ""


def docker(*lines: str, stream: str = "stdout", end: str = "\n") -> str:
    return "".join(
        json.dumps({"log": line + end, "stream": stream, "time": f"2026-11-29T10:00:{number:02}.5Z"}) + "\n"
        for number, line in enumerate(lines)
    )


def tight(**table: Any) -> str:
    return json.dumps(table, separators=(",", ":")) + "\n"


def text(*lines: str) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


def prefixed(prefix: str, body: str) -> list[str]:
    return [prefix + line for line in body.split("\n")]


JAVA = (
    "desk.orders.GatewayException: no session to venue\n\tat desk.orders.Gateway.send(Gateway.java:215)\n"
    "\tat desk.orders.Router.route(Router.java:97)\nCaused by: java.net.ConnectException: Connection refused\n"
    "\tat java.base/sun.nio.ch.Net.connect(Net.java:10)\n\t... 2 more"
)
PYTHON = (
    'Traceback (most recent call last):\n  File "/srv/orders/router.py", line 41, in route\n    raise ValueError("bad")\n'
    "ValueError: bad lot size"
)
GO = (
    "panic: runtime error: invalid memory address or nil pointer dereference\n"
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48]\n\ngoroutine 1 [running]:\n"
    "main.route(0x0)\n\t/srv/orders/router.go:41 +0x1d\nmain.main()\n\t/srv/orders/main.go:9 +0x2a\nexit status 2"
)
SOH = "\x01"


def fix(*fields: str, at: str = "20261129-10:00:00.000") -> str:
    return f"{at} : 8=FIX.4.4{SOH}9=100{SOH}" + SOH.join(fields) + f"{SOH}10=001{SOH}"


def export(*records: dict[str, str]) -> bytes:
    return "".join("".join(f"{key}={value}\n" for key, value in record.items()) + "\n" for record in records).encode()


def binary_export(message: bytes, priority: int) -> bytes:
    size = len(message).to_bytes(8, "little")
    head = b"__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1796033000000000\nPRIORITY=%d\n" % priority
    return head + b"MESSAGE\n" + size + message + b"\n_PID=1\n\n"


def otlp(*records: dict[str, Any]) -> str:
    return tight(resourceLogs=[{"resource": {}, "scopeLogs": [{"logRecords": list(records)}]}])


def azure(kind: str, **base: Any) -> str:
    return tight(name="AppTraces", time="2026-11-29T10:00:00Z", data={"baseType": kind, "baseData": {"ver": 2, **base}})


def journal(message: Any, priority: int = 6, **more: Any) -> str:
    return tight(
        __CURSOR="s=1", __REALTIME_TIMESTAMP="1796033000000000", PRIORITY=str(priority), MESSAGE=message, **more
    )


WINDOWS = "2026-11-29 10:00:00 ERROR order router stopped\r\n2026-11-29 10:00:01 INFO order router started\r\n"
CHUNK = "2026-11-29 10:00:00 ERROR batch " + "x" * 300

ENCODINGS = (
    Host("utf-16-le with a mark", b"\xff\xfe" + WINDOWS.encode("utf-16-le"), (1,), template="order router stopped"),
    Host("utf-16-be with a mark", b"\xfe\xff" + WINDOWS.encode("utf-16-be"), (1,), template="order router stopped"),
    Host("utf-16-le without a mark", WINDOWS.encode("utf-16-le"), (1,)),
    Host("utf-16-be without a mark", WINDOWS.encode("utf-16-be"), (1,)),
    Host("utf-16 with no last line end", b"\xff\xfe" + WINDOWS.strip().encode("utf-16-le"), (1,)),
    Host("utf-16 in Cyrillic", b"\xff\xfe" + "10:00:00 ОШИБКА: нет связи\n10:00:01 INFO да\n".encode("utf-16-le"), (1,)),
    Host("utf-8 with a mark, text", b"\xef\xbb\xbf" + b"ERROR: down\r\nINFO: error gone\r\n", (1,)),
    Host("utf-8 with a mark, letter", b"\xef\xbb\xbf" + b"E1129 10:00:00.1 1 a.go:1] down\nI1129 10:00:00.1 1 a.go:1] error\n", (1,)),
    Host("latin-1", "2026-11-29 10:00:00 ERROR Verbindung getr\xe4nnt\n".encode("latin-1"), (1,)),
    Host("colours", b"\x1b[90m10:00AM\x1b[0m \x1b[31mERR\x1b[0m no route\n\x1b[90m10:00AM\x1b[0m \x1b[32mINF\x1b[0m error gone\n", (1,)),
    Host("colours in brackets", b"[\x1b[31;1mERROR\x1b[0m] no route\n[\x1b[32mINFO\x1b[0m] errors cleared\n", (1,)),
)  # fmt: skip
CARRIED = (
    Host("docker, text", docker("10:00:00 ERROR no route", "10:00:01 INFO error gone", "fine, failed=0").encode(), (1,)),
    Host("docker, klog", docker("E1129 10:00:00.123456 1 a.go:1] down", "I1129 10:00:00.1 1 a.go:1] error").encode(), (1,)),
    Host("docker, pino", docker('{"level":50,"msg":"down"}', '{"level":30,"msg":"error"}').encode(), (1,), template="down"),
    Host("docker, tight", (tight(log="ERROR down\n", stream="stderr", time="2026-11-29T10:00:00Z")).encode(), (1,), template="down"),
    Host("docker, stderr says nothing", docker("INFO: started", "listening", stream="stderr").encode(), ()),
    Host("docker, python", docker(*PYTHON.split("\n")).encode(), (1,), ("ValueError",)),
    Host("docker, go", docker(*GO.split("\n")).encode(), (1,), ("panic",)),
    Host("docker, java below its record", docker("2026-11-29 10:00:00 ERROR [main] a.B - failed", *JAVA.split("\n"), "INFO fine").encode(), (1,), ("desk.orders.GatewayException",), ("java.net.ConnectException",)),
    Host("docker, in pieces", (docker(CHUNK, CHUNK, end="") + docker("end of it", "INFO failed before")).encode(), (1,)),
    Host("docker, JSON in pieces", (docker('{"level":"info","msg":"x', end="") + docker(' error","a":1}', '{"level":"error","msg":"y"}')).encode(), (3,)),
    Host("docker, level in the second piece", (docker('{"msg":"x', end="") + docker('","level":"error"}', "INFO x")).encode(), (1,)),
    Host("fluent bit", (tight(date=1.0, stream="stderr", logtag="F", log="ERROR down") + tight(stream="stdout", logtag="P", log="INFO an err") + tight(stream="stdout", logtag="F", log="or was here")).encode(), (1,)),
    Host("docker, chained JSON trace", docker(json.dumps({"level": "error", "msg": "x", "stack": JAVA})).encode(), (1,), ("desk.orders.GatewayException",)),
    Host("cri, java", text(*prefixed("2026-11-29T10:00:00.123456789Z stderr F ", "ERROR failed\n" + JAVA)), (1,), ("desk.orders.GatewayException",)),
    Host("cri, offset and tags", text("2026-11-29T10:00:00.1+01:00 stdout F:x W1129 10:00:00.1 1 a.go:1] slow", "2026-11-29T10:00:00.1+01:00 stderr F E1129 10:00:00.1 1 a.go:1] down"), (2,)),
    Host("cri, two streams in pieces", text("2026-11-29T10:00:00.1Z stdout P INFO a long er", "2026-11-29T10:00:00.1Z stderr F ERROR other", "2026-11-29T10:00:00.1Z stdout F ror here"), (2,)),
    Host("cri, an error in three pieces", text("2026-11-29T10:00:00.1Z stdout P ERR", "2026-11-29T10:00:00.1Z stdout P OR no ro", "2026-11-29T10:00:00.1Z stdout F ute to XNAS failed"), (1,), template="no route to XNAS"),
    Host("compose", text("orders-1   | 2026-11-29 10:00:00 ERROR down", "gateway-1  | 2026-11-29 10:00:00 INFO error gone", "db_1  | 2026-11-29 10:00:00.1 UTC [1] LOG:  error free"), (1,)),
    Host("compose, klog and JSON", text('orders-1  | E1129 10:00:00.1 1 a.go:1] down', 'orders-1  | {"level":"info","msg":"error"}', 'orders-1  | {"level":"fatal","msg":"x"}'), (1, 3)),
    Host("compose, python", text(*prefixed("orders-1  | ", PYTHON), "gw-1  | fine"), (1,), ("ValueError",)),
    Host("kubectl", text("[pod/orders-7d9c/orders] ERROR down", "[pod/orders-7d9c/orders] level=info msg=error"), (1,)),
)  # fmt: skip
JOURNAL = (
    Host("own level", (journal("INFO ok error", 3) + journal("level=error msg=x", 6) + journal("[warning] failed", 3)).encode(), (2,)),
    Host("priority alone", (journal("disk is gone", 2) + journal("no level error", 6) + journal("x", 4)).encode(), (1,)),
    Host("JSON inside", (journal('{"level":"error","msg":"down"}', 6) + journal('{"level":"info","msg":"error"}', 3)).encode(), (1,), template="down"),
    Host("bytes", (journal(list(b"ERROR down \xff"), 6) + journal(list(b"INFO error"), 3)).encode(), (1,), template="down"),
    Host("null", (journal(None, 3) + journal("ERROR x", 6)).encode(), (1, 2)),
    Host("bytes with a trace", journal(list(PYTHON.encode()), 6).encode(), (1,), ("ValueError",)),
    Host("trace in one message", journal("request failed\n" + JAVA, 3).encode(), (1,), ("desk.orders.GatewayException",)),
    Host("trace, one record a line", "".join(journal(line) for line in PYTHON.split("\n")).encode(), (1,), ("ValueError",)),
    Host("segfault", journal("orders[4711]: segfault at 0 ip 0 sp 0 error 4", 6).encode(), (1,)),
    Host("export", export({"__CURSOR": "s=1", "__REALTIME_TIMESTAMP": "1796033000000000", "PRIORITY": "6", "MESSAGE": "ERROR down", "_PID": "1"}, {"__CURSOR": "s=2", "PRIORITY": "6", "_CMDLINE": "error", "MESSAGE": "INFO error"}, {"__CURSOR": "s=3", "MESSAGE": "gone", "PRIORITY": "3"}), (4, 13), template="down"),
    Host("export, binary", binary_export(b"ERROR down\nsecond line", 6) + binary_export(b"INFO error\nx", 3), (4,)),
    Host("export, trace", binary_export(PYTHON.encode(), 6), (4,), ("ValueError",)),
)  # fmt: skip
SYSLOG = (
    Host("rfc 3164", text("<27>Nov 29 10:00:00 h orders[1]: INFO ok", "<30>Nov 29 10:00:00 h orders[1]: ERROR x", "<27>Nov 29 10:00:00 h orders[1]: gone", "<30>Nov 29 10:00:00 h orders: fine"), (2, 3)),
    Host("rfc 3164 without a priority", text("Nov 29 10:00:00 h orders[1]: {\"level\":\"error\",\"msg\":\"x\"}", "Nov  9 10:00:00 h error-reporter[1]: started", "Nov 29 10:00:00 h orders[1]: INFO: failed before"), (1,)),
    Host("rfc 5424", text('<11>1 2026-11-29T10:00:00Z h orders 1 ID [a@1 error="none"] gone', '<11>1 2026-11-29T10:00:00Z h orders 1 - - INFO fine', '<14>1 2026-11-29T10:00:00Z h orders 1 - [x@1 level="error"][y@2 a="]"] \ufefflevel=error x', "<14>1 2026-11-29T10:00:00Z h orders - - - no errors"), (1, 3)),
    Host("rfc 5424 with lengths", text("54 <11>1 2026-11-29T10:00:00Z h orders 1 - - gone", "60 <14>1 2026-11-29T10:00:00Z h orders 1 - - ERROR down"), (1, 2)),
    Host("line ends escaped", text("<11>Nov 29 10:00:00 h orders[1]: ERROR failed#012" + JAVA.replace("\n", "#012").replace("\t", "#011")), (1,), ("desk.orders.GatewayException",), ("java.net.ConnectException",)),
    Host("line ends escaped, python", text("Nov 29 10:00:00 h orders[1]: " + PYTHON.replace("\n", "#012")), (1,), ("ValueError",)),
    Host("rsyslog", text("2026-11-29T10:00:00.123456+01:00 h orders[1]: ERROR x", "2026-11-29T10:00:00.123456+01:00 h orders[1]: INFO error"), (1,)),
    Host("java over syslog", text(*prefixed("Nov 29 10:00:00 h orders[1]: ", JAVA)), (1,), ("desk.orders.GatewayException",)),
    Host("docker driver", text("<30>Nov 29 10:00:00 h orders/abc[1]: level=error msg=x", "<27>Nov 29 10:00:00 h orders/abc[1]: [info] error"), (1,)),
)  # fmt: skip
TELEMETRY = (
    Host("otlp", (otlp({"severityNumber": 21, "body": {"stringValue": "halt"}}) + otlp({"severityNumber": 9, "body": {"stringValue": "error"}})).encode(), (1,), template="halt"),
    Host("otlp, text alone", (otlp({"severityText": "Error", "body": {"stringValue": "no route"}}) + otlp({"severityText": "WARN", "body": {"stringValue": "failed"}})).encode(), (1,), template="no route"),
    Host("otlp, names of numbers", (otlp({"severityNumber": "SEVERITY_NUMBER_ERROR2", "body": {"stringValue": "x"}}) + otlp({"severityNumber": "SEVERITY_NUMBER_INFO", "body": {"stringValue": "error"}})).encode(), (1,)),
    Host("otlp, exception", otlp({"severityNumber": 17, "body": {"stringValue": "x"}, "attributes": [{"key": "exception.stacktrace", "value": {"stringValue": PYTHON}}]}).encode(), (1,), ("ValueError",)),
    Host("application insights", (azure("MessageData", message="down", severityLevel=3) + azure("MessageData", message="error", severityLevel=1) + azure("MessageData", message="x", severityLevel="Critical")).encode(), (1, 3), template="down"),
    Host("application insights, exception", azure("ExceptionData", exceptions=[{"typeName": "Desk.SessionDownException", "message": "no session", "stack": "   at Desk.Router.Route() in C:\\src\\Router.cs:line 41"}]).encode(), (1,), ("Desk.SessionDownException",)),
    Host("application insights, flat", (tight(timestamp="2026-11-29T10:00:00Z", message="x", severityLevel=4, itemType="trace") + tight(message="error", severityLevel=1, itemType="trace")).encode(), (1,)),
)  # fmt: skip
LIBRARIES = (
    Host("serilog compact", (tight(**{"@t": "2026-11-29T10:00:00Z", "@mt": "lost {V}", "@l": "Fatal"}) + tight(**{"@t": "2026-11-29T10:00:00Z", "@m": "no Error"}) + tight(**{"@t": "x", "@mt": "slow", "@l": "Warning", "@x": "A.BException: failed"})).encode(), (1,)),
    Host("serilog console", text("[10:00:00 FTL] down", "[10:00:00 INF] error", "[10:00:00 WRN] failed", "2026-11-29 10:00:00.123 +01:00 [ERR] no route"), (1, 4)),
    Host("structlog json", (tight(event="x failed", level="error", timestamp="2026-11-29T10:00:00Z") + tight(event="error", level="info")).encode(), (1,)),
    Host("structlog console", text("2026-11-29 10:00:00 [error    ] order failed  [router] a=1", "2026-11-29 10:00:00 [info     ] errors cleared", "2026-11-29T10:00:00Z [critical ] stop"), (1, 3)),
    Host("zap", text("2026-11-29T10:00:00.123Z\tERROR\tmain.go:1\tdown\t{\"error\": \"x\"}", "1796033000.123\terror\tmain.go:1\tdown", "1796033000.123\tinfo\tmain.go:1\terror", "2026-11-29T10:00:00.123+0100\tDPANIC\tx"), (1, 2, 4)),
    Host("spdlog", text("[2026-11-29 10:00:00.123] [orders] [error] down", "[2026-11-29 10:00:00.123] [info] error", "[2026-11-29 10:00:00.123] [E] [a.cpp:1] down", "[10:00:00] [critical] x"), (1, 3, 4)),
    Host("quill", text("10:00:00.123456789 [1] a.cpp:1  LOG_CRITICAL  root  x", "10:00:00.1 [1] a.cpp:1  LOG_INFO  root  error", "2026-11-29 10:00:00.1 [1] a.cpp:1 ERROR root down"), (1, 3)),
    Host("bunyan and pino", text('{"name":"a","level":60,"msg":"x"}', '{"level":30,"msg":"error"}', '{"level": 50 , "msg":"y"}', '{"level":"50","msg":"y"}'), (1, 3, 4)),
    Host("monolog", text("[2026-11-29T10:00:00.1+00:00] app.ERROR: no route {\"a\":1} []", "[2026-11-29 10:00:00] local.INFO: error gone", '{"message":"x","level":400,"level_name":"ERROR"}', '{"message":"error","level":200,"level_name":"INFO"}'), (1, 3)),
    Host("google cloud", text('{"severity":"ERROR","message":"x"}', '{"severity":500,"message":"x"}', '{"severity":200,"message":"error"}', '{"severity":400,"message":"failed"}'), (1, 2)),
    Host("logrus and log15", text("ERRO[0001] down   a=1", "INFO[0001] error", "FATA[0002] x", 't=2026-11-29T10:00:00+0000 lvl=eror msg=x', "lvl=dbug msg=error", "PANI[0001] y"), (1, 3, 4, 6)),
    Host("logcat", text("E/Orders(  123): down", "I/Orders(  123): error", "11-29 10:00:00.123  1  2 F Orders: x", "W/Orders: failed"), (1, 3)),
    Host("npm", text("npm ERR! code ELIFECYCLE", "npm error code 1", "npm WARN deprecated x failed", "npm notice error", "npm warn old lockfile failed"), (1, 2)),
    Host("yarn and node", text('error Command failed with exit code 1.', "info No error", "warning failed to resolve", "(node:12) Warning: failed", "(node:12) [DEP0001] DeprecationWarning: error is old"), (1,)),
    Host("first words", text("Warning: it failed", "error: no route to host", "WARNING - failed", "Error\t11/29/2026 10:00:00 AM\tSvc\t7031\tgone", "Information\t11/29/2026 10:00:00 AM\tSvc\t1\terror", "fatal: repository gone", "notice: error", "debug: failed"), (2, 4, 6)),
    Host("after a comma", text("2026-11-29 10:00:00,Error,Svc,broken", "2026-11-29 10:00:00, Info  Svc  Failed", "11/29/2026 10:00:00 AM, Warning, failed", "2026-11-29,10:00:00,INFO,error"), (1,)),
    Host("iis", text("#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port", "2026-11-29 10:00:00 10.0.0.1 GET /errors/index.html status=error&x=1 443 - 10.0.0.2 - 200 0 0 15", "2026-11-29 10:00:00 10.0.0.1 POST /orders - 443 - 10.0.0.2 - 200 0 0 15"), ()),
    Host("letters", text("[E] down", "(W) failed", "10:00:00 E down", "[I] error", "2026-11-29T10:00:00Z|E|down", "<E> x"), (1, 3, 5, 6)),
    Host("keys with a colon", text("time: 10:00 level: error msg: x", "severity: INFO error here", "Level=Error Message=x"), (1, 3)),
    Host("java.util.logging in German", text("Nov 29, 2026 10:00:00 AM desk.Router route", "SCHWERWIEGEND: keine Verbindung", "INFORMATION: error", "WARNUNG: failed"), (2,)),
)  # fmt: skip
FIX_LINES = (
    Host("messages", text(fix("35=3", "58=Bad tag"), fix("35=0"), fix("35=j", "58=x"), fix("35=8", "39=0", "150=0"), fix("35=8", "150=8", "39=8", "58=Unknown symbol"), fix("35=5"), fix("35=5", "58=MsgSeqNum too low, expecting 5"), fix("35=9", "58=Too late to cancel"), fix("35=A")), (1, 3, 5, 7, 8), template="Unknown symbol"),
    Host("pipes", text("8=FIX.4.2|9=10|35=3|58=x|10=1|", "8=FIX.4.2|9=10|35=D|58=error|10=1|", "<incoming> 8=FIXT.1.1|9=10|35=j|58=y|10=1|", "8=FIX.4.4^A9=1^A35=8^A39=8^A10=1^A"), (1, 3, 4)),
    Host("orderly logout", text(fix("35=5", "58=Session ended normally"), fix("35=5", "58=User requested logout"), fix("35=5", "58=Invalid password")), (3,)),
    Host("quoted in a levelled log", text("2026-11-29 10:00:00 INFO sent 8=FIX.4.4|9=1|35=3|58=x|10=1|", "2026-11-29 10:00:00 ERROR got 8=FIX.4.4|9=1|35=0|10=1|"), (2,)),
    Host("events", text("20261129-10:00:00.000 : Received logon", "20261129-10:00:01.000 : MsgSeqNum too low, expecting 7 but received 1", "20261129-10:00:02.000 : Timed out waiting for heartbeat", "20261129-10:00:03.000 : Socket Error: Connection refused", "20261129-10:00:04.000 : Initiated logon request"), (2, 3, 4)),
    Host("events, rejected", text("20261129-10:00:00.000 : Session FIX.4.4:A->B schedule is daily", "20261129-10:00:01.000 : Message 5 Rejected: Required tag missing:11", "20261129-10:00:01.000 : Invalid message: Incorrect BodyLength", "20261129-10:00:02.000 : Disconnecting", "20261129-10:00:02.000 : Verify failed"), (2, 3, 5)),
)  # fmt: skip
DATABASE = (
    Host("german, french, spanish", text("2026-11-29 10:00:00.1 CET [1] FEHLER:  x", "2026-11-29 10:00:00.1 CET [1] HINWEIS:  error", "2026-11-29 10:00:00.1 CET [1] ERREUR:  x", "2026-11-29 10:00:00.1 CET [1] PANIK:  x", "2026-11-29 10:00:00.1 CET [1] ATTENTION:  failed", "2026-11-29 10:00:00.1 CET [1] SENTENCIA:  SELECT error", "2026-11-29 10:00:00.1 CET [1] INSTRUCTION :  SELECT 'ERROR'"), (1, 3, 4)),
    Host("many tongues", text("2026-11-29 10:00:00.1 MSK [1] ОШИБКА:  x", "2026-11-29 10:00:00.1 MSK [1] ВАЖНО:  x", "2026-11-29 10:00:00.1 JST [1] エラー:  x", "2026-11-29 10:00:00.1 KST [1] 오류:  x", "2026-11-29 10:00:00.1 UTC [1] ERRO:  x", "2026-11-29 10:00:00.1 UTC [1] BŁĄD:  x", "2026-11-29 10:00:00.1 UTC [1] HATA:  x", "2026-11-29 10:00:00.1 UTC [1] 警告:  failed", "2026-11-29 10:00:00.1 UTC [1] ERRORE:  x"), (1, 2, 3, 4, 5, 6, 7, 9)),
    Host("with codes", text("2026-11-29 10:00:00.1 UTC [1] 23505 KESALAHAN:  x", "2026-11-29 10:00:00.1 UTC [1] 00000 LOG:  error x", "2026-11-29 10:00:00.1 UTC [1] 01000 WARNUNG:  failed", "2026-11-29 10:00:00.1 UTC [1] 57P03 FATAL:  x", "2026-11-29 10:00:00.1 UTC [1] 23505 DETAIL:  error"), (1, 4)),
    Host("csv and json", text('2026-11-29 10:00:00.1 UTC,"a","b",1,"10.0.0.1:1",67.1,3,"INSERT",2026-11-29 10:00:00 UTC,4/1,0,ERROR,23505,"x"', '2026-11-29 10:00:00.1 UTC,"a","b",1,"10.0.0.1:1",67.1,3,"",2026-11-29 10:00:00 UTC,4/1,0,LOG,00000,"error"', '{"timestamp":"2026-11-29 10:00:00.1 UTC","error_severity":"FEHLER","state_code":"23505","message":"x"}', '{"error_severity":"LOG","message":"error"}'), (1, 3)),
)  # fmt: skip
NATIVE = (
    Host("glibc", text("*** buffer overflow detected ***: terminated", "malloc(): invalid size (unsorted)", "free(): double free detected in tcache 2", "corrupted size vs. prev_size", "munmap_chunk(): invalid pointer", "realloc(): invalid next size", "Fatal glibc error: malloc.c:2599"), (1, 2, 3, 4, 5, 6, 7)),
    Host("assertions and signals", text("orders: a.cpp:4: int f(): Assertion `x > 0' failed.", "Aborted", "Segmentation fault (core dumped)", "Floating point exception (core dumped)", "./run.sh: line 3:  4711 Killed                  ./orders", "terminate called without an active exception", "Trace/breakpoint trap"), (1, 2, 3, 4, 5, 6, 7)),
    Host("kernel", text("Nov 29 10:00:00 h kernel: [1.2] orders[1]: segfault at 8 ip 0 sp 0 error 6", "[12.3] Out of memory: Killed process 1 (orders)", "kernel: oom-kill:constraint=CONSTRAINT_MEMCG", "kernel: Memory cgroup out of memory: Killed process 4", "kernel: watchdog: BUG: soft lockup - CPU#1 stuck", "kernel: orders invoked oom-killer: gfp_mask=0x1", "kernel: EXT4-fs (sda1): mounted filesystem"), (1, 2, 3, 4, 5, 6)),
    Host("docker", docker("free(): invalid pointer", "Aborted (core dumped)", "Killed").encode(), (1, 2, 3)),
    Host("systemd", text("Nov 29 10:00:00 h systemd[1]: orders.service: Main process exited, code=dumped, status=11/SEGV", "Nov 29 10:00:00 h systemd[1]: orders.service: Failed with result 'core-dump'.", "Nov 29 10:00:00 h systemd[1]: Started orders.service."), (1, 2)),
    Host("loader", text("./orders: error while loading shared libraries: libx.so", "./orders: symbol lookup error: undefined symbol: f"), (1, 2)),
)  # fmt: skip
HARMLESS = (
    Host("values of nothing", text("done error=<nil>", "done err=null x=1", "error: none", "errors: []", "failed: no", "failed=0 total=3", "error=nil took=3ms", "exception: null", 'err=""', "last_error=none", "errors: {}", "fail: false", "error = None", "lastError: n/a", "err=- n=2", "failures: 0%", "errors:0", "panic=false", "timeouts: 0, rejects: 0"), ()),
    Host("counts of nothing", text("0 timed out", "0 errors", "no errors were found", "0/25 failed", "failed 0 of 25", "errors 0", "without any error", "zero failures", "error rate: 0%", "error rate is 0.0", "25 ok, 0 failed, 0 rejected", "0 orders were rejected", "none failed", "error count 0", "finished: no failures, no timeouts"), ()),
    Host("names", text("ErrorHandler registered", "ErrorHandler registered for TimeoutException", "Mapped to com.oms.web.OrderRejectedException", "handler installed on java.io.IOException", "registered error handler for /x", "exception mapper loaded", "error-free start", "failover configured", "fail-fast is on", "loading /etc/error.conf?x=1", "error log: /var/log/x.log", "timeout handler set, timeout=30s"), ()),
    Host("addresses", text('10.0.0.1 - - [29/Nov/2026:10:00:00 +0000] "GET /orders?status=error HTTP/1.1" 200 5 "-" "curl"', '10.0.0.1 - - [29/Nov/2026:10:00:00 +0000] "GET /errors.css HTTP/1.1" 200 5 "https://x.test/?q=failed" "curl"', "GET /orders/failed 200 3ms", "fetched https://x.test/error/panic in 3 ms", '{"path":"/errors?x=failed","status":200}', '{"method":"GET","url":"https://x.test/a?level=error","status":200}'), ()),
    Host("own levels", text("2026-11-29 10:00:00 INFO error: failed", "2026-11-29 10:00:00 DEBUG java.lang.IllegalStateException seen", '{"level":"debug","msg":"panic: failed"}', "level=info msg=\"fatal error\"", "I1129 10:00:00.1 1 a.go:1] failed", "[2026-11-29 10:00:00] [debug] critical failure", "<14>Nov 29 10:00:00 h a[1]: error"), ()),
    Host("what is wrong all the same", text("error: no route to host", "error: none of the gateways answered", "err=refused", "failed: no session", "error: null pointer dereference", "0 orders filled, 3 failed", "error handling order A1", "TypeError: undefined is not a function", "no answer from XNAS: timed out", "POST /orders failed", "error: 5 of 25", "failed=1", "errors: [\"x\"]", "failed: 3 orders"), tuple(range(1, 15))),
)  # fmt: skip
TRACES = (
    Host("java, suppressed with a cause", text("java.lang.IllegalStateException: closed", "\tat a.B.c(B.java:1)", "\tSuppressed: java.io.IOException: pipe", "\t\tat a.B.d(B.java:2)", "\t\t... 1 more", "\tCaused by: java.io.EOFException", "\t\tat a.B.e(B.java:3)", "Caused by: java.net.SocketTimeoutException: late", "\tat a.B.f(B.java:4)"), (1,), ("java.lang.IllegalStateException",), ("java.net.SocketTimeoutException",)),
    Host("java, root cause first", text("java.net.ConnectException: refused", "\tat a.B.c(B.java:1)", "Wrapped by: desk.GatewayException: no session", "\tat a.B.d(B.java:2)"), (1,), ("desk.GatewayException",), ("java.net.ConnectException",)),
    Host("java, blank lines", text("ERROR failed", "desk.GatewayException: no session", "", "\tat a.B.c(B.java:1)", "", "Caused by: java.io.IOException: pipe", "\tat a.B.d(B.java:2)"), (1,), ("desk.GatewayException",), ("java.io.IOException",)),
    Host("kotlin", text('Exception in thread "main" kotlin.UninitializedPropertyAccessException: lateinit property x', "\tat desk.RouterKt.route(Router.kt:41)", "\t(Coroutine boundary)", "\tat desk.MainKt.main(Main.kt:9)"), (1,), ("kotlin.UninitializedPropertyAccessException",)),
    Host("python in colours", b"Traceback (most recent call last):\n  File \x1b[35m\"/srv/a.py\"\x1b[0m, line \x1b[35m41\x1b[0m, in \x1b[35mroute\x1b[0m\n    \x1b[31mf\x1b[0m\x1b[1;31m()\x1b[0m\n\x1b[1;35mValueError\x1b[0m: \x1b[35mbad\x1b[0m\n", (1,), ("ValueError",)),
    Host("python, group", text("  + Exception Group Traceback (most recent call last):", '  |   File "/srv/a.py", line 1, in f', "  |     raise g", "  | ExceptionGroup: two (2 sub-exceptions)", "  +-+---------------- 1 ----------------", '    | Traceback (most recent call last):', '    |   File "/srv/a.py", line 2, in g', "    | ValueError: bad", "    +---------------- 2 ----------------", "    | TypeError: worse", "    +------------------------------------"), (1,), ("ExceptionGroup",), ("ValueError",)),
    Host("atheris", text(" === Uncaught Python exception: ===", "ValueError: bad", "Traceback (most recent call last):", '  File "/srv/fuzz.py", line 4, in test', "    f(data)", ""), (1,), ("ValueError",)),
    Host("two panics", (GO + "\n" + GO.replace("runtime error: invalid memory address or nil pointer dereference", "late") + "\n").encode(), (1, 10), ("panic",)),
    Host("rust", text("thread 'main' panicked at src/router.rs:41:9:", "no session", "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace"), (1,), ("panic",)),
    Host("node", text("/srv/router.js:41", "  throw new TypeError('bad')", "  ^", "", "TypeError: bad", "    at route (/srv/router.js:41:9)", "    at main (/srv/main.js:1:1)", "", "Node.js v22.1.0"), (1,), ("TypeError",)),
    Host("dotnet, aggregate", text("System.AggregateException: One or more errors occurred. (a) (b)", " ---> Desk.AException: a", " ---> System.IO.IOException: pipe", "   at A.B() in /a.cs:line 1", "   --- End of inner exception stack trace ---", "   at A.C() in /a.cs:line 2", "   --- End of inner exception stack trace ---", "   at A.D() in /a.cs:line 3", " ---> (Inner Exception #1) Desk.BException: b", "   at A.E() in /a.cs:line 4<---"), (1,), ("System.AggregateException",), ("System.IO.IOException",)),
    Host("dotnet, on one line", text("fail: Desk.Router[0]", "      order failed", "      System.AggregateException: x ---> Desk.AException: a ---> System.IO.IOException: pipe", "         at A.B() in /a.cs:line 1"), (1,), ("System.AggregateException",), ("System.IO.IOException",)),
    Host("ruby", text("/srv/router.rb:41:in `route': no session (SessionDown)", "\tfrom /srv/main.rb:9:in `<main>'"), (1,), ("SessionDown",)),
    Host("rails", text("F, [2026-11-29T10:00:00.123456 #12] FATAL -- :   ", "ActionController::RoutingError (No route matches [GET] \"/x\"):", "  ", "app/controllers/x.rb:12:in `index'", "app/main.rb:1:in `call'"), (1,), ("ActionController::RoutingError",)),
    Host("php, chained", text("PHP Fatal error:  Uncaught RuntimeException: pipe in /srv/a.php:1", "Stack trace:", "#0 /srv/b.php(12): f()", "#1 {main}", "", "Next LogicException: no session in /srv/c.php:2", "Stack trace:", "#0 {main}", "  thrown in /srv/c.php on line 2"), (1,), ("LogicException",), ("RuntimeException",)),
    Host("php, with times", text("[29-Nov-2026 10:00:00 UTC] PHP Fatal error:  Uncaught TypeError: bad in /srv/a.php:1", "Stack trace:", "#0 {main}", "  thrown in /srv/a.php on line 1", "[29-Nov-2026 10:00:01 UTC] PHP Warning:  failed in /srv/a.php on line 2"), (1,), ("TypeError",)),
    Host("laravel", text('[2026-11-29 10:00:00] production.ERROR: no session {"exception":"[object] (RuntimeException(code: 0): no session at /srv/Router.php:41)', "[stacktrace]", "#0 /srv/Gateway.php(12): Router->route()", "#1 {main}", '"} '), (1,), ("RuntimeException",)),
    Host("dart", text("Unhandled exception:", "Bad state: no session", "#0      Router.route (package:orders/router.dart:41:5)", "<asynchronous suspension>", "#1      main (package:orders/main.dart:9:3)"), (1,), ("StateError",)),
    Host("dart, own type", text("Unhandled exception:", "SessionDownException: XNAS", "#0      main (package:orders/main.dart:9:3)"), (1,), ("SessionDownException",)),
    Host("elixir", text("10:00:00.123 [error] GenServer Orders.Router terminating", "** (RuntimeError) no session", "    (stdlib 5.0) gen_server.erl:1: :gen_server.x/1", "    (orders 0.1.0) lib/orders/router.ex:41: Orders.Router.route/1", "Last message: :tick", "State: %{}"), (1,), ("RuntimeError",)),
    Host("erlang", text("=ERROR REPORT==== 29-Nov-2026::10:00:00.123456 ===", "** Generic server router terminating ", "** Last message in was tick", "** Reason for termination ==", '** {no_session,[{router,route,1,[{file,"src/router.erl"},{line,41}]}]}', "", "fine"), (1,), ("no_session",)),
    Host("asan", text("==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x1", "READ of size 4 at 0x1 thread T0", "    #0 0x1 in route router.cpp:41", "SUMMARY: AddressSanitizer: heap-use-after-free router.cpp:41 in route", "==1==ABORTING"), (1,), ("AddressSanitizer: heap-use-after-free",)),
    Host("tsan", text("==================", "WARNING: ThreadSanitizer: data race (pid=1)", "  Write of size 4 at 0x1 by thread T1:", "    #0 route router.cpp:41 (orders+0x1)", "SUMMARY: ThreadSanitizer: data race router.cpp:41 in route", "=================="), (1,), ("ThreadSanitizer: data race",)),
    Host("ubsan", text("router.cpp:41:9: runtime error: signed integer overflow: 1 + 2 cannot be represented", "    #0 0x1 in route router.cpp:41"), (1,), ("UndefinedBehaviorSanitizer",)),
)  # fmt: skip
MORE = (
    Host("with timestamps", text("2026-11-29T10:00:00.123456789Z ERROR x", '2026-11-29T10:00:00.123456789Z {"level":"info","msg":"error"}', "2026-11-29T10:00:00.123456789Z E1129 10:00:00.1 1 a.go:1] x", "2026-11-29T10:00:00.123456789Z I1129 10:00:00.1 1 a.go:1] error"), (1, 3)),
    Host("swarm, and colours of compose", text("orders.1.abc@node1    | ERROR x", "\x1b[36morders-1  |\x1b[0m INFO error", "\x1b[36morders-1  |\x1b[0m E1129 10:00:00.1 1 a.go:1] x"), (1, 3)),
    Host("utf-16 with a trace", b"\xff\xfe" + ("ERROR x\r\n" + JAVA.replace("\n", "\r\n") + "\r\nINFO ok\r\n").encode("utf-16-le"), (1,), ("desk.orders.GatewayException",)),
    Host("bytes of the same length", (journal(list(b"ERROR down now"), 6) + journal(list(b"INFO: failed x"), 6) + journal(list(b"ERROR down too"), 6)).encode(), (1, 3)),
    Host("application insights, alike", (azure("MessageData", message="failed", severityLevel=3) + azure("MessageData", message="failed", severityLevel=1) + azure("MessageData", message="failed", severityLevel=3)).encode(), (1, 3)),
    Host("docker, alike", docker("ERROR failed 1", "INFO failed 2", "ERROR failed 3", "INFO failed 4", "level=50 failed", "level=30 failed").encode(), (1, 3, 5)),
    Host("priorities alike", (journal("failed", 3) + journal("failed", 6) + journal("failed", 3)).encode() + text("<11>Nov 29 10:00:00 h a[1]: failed", "<14>Nov 29 10:00:00 h a[1]: failed"), (1, 3, 4)),
    Host("docker, console logger", docker("fail: Desk.Router[0]", "      order failed", "      System.Exception: x", "         at A.B() in /a.cs:line 1", "info: Desk[0]", "      no error", "      it failed before").encode(), (1,), ("System.Exception",)),
    Host("docker, php", docker("PHP Fatal error:  Uncaught PDOException: gone in /srv/a.php:1", "Stack trace:", "#0 /srv/a.php(1): f()", "#1 {main}", "  thrown in /srv/a.php on line 1").encode(), (1,), ("PDOException",)),
    Host("docker, 16 kB", (tight(log="2026-11-29 10:00:00 INFO " + "x" * 16_359, stream="stdout", time="2026-11-29T10:00:00Z") + tight(log=" error at its end\n", stream="stdout", time="2026-11-29T10:00:00Z") + tight(log="ERROR " + "y" * 16_378, stream="stdout", time="2026-11-29T10:00:00Z") + tight(log=" failed\n", stream="stdout", time="2026-11-29T10:00:00Z")).encode(), (3,)),
    Host("php on a terminal", text("PHP Warning:  Undefined variable $error in /a.php on line 1", "PHP Parse error:  syntax error in /a.php on line 2", "PHP Deprecated:  error x in /a.php on line 1", "Fatal error: Uncaught Error: Call to undefined function f() in /a.php:3", "Stack trace:", "#0 {main}", "  thrown in /a.php on line 3"), (2, 4), ("Error",)),
    Host("flutter", text("[ERROR:flutter/runtime/dart_vm_initializer.cc(41)] Unhandled Exception: FormatException: bad", "#0      f (package:o/a.dart:1:2)"), (1,), ("FormatException",)),
    Host("elixir, exit", text("10:00:00.1 [error] Task #PID<0.1.0> started from Orders terminating", "** (exit) exited in: GenServer.call(Orders, :x, 5000)", "    ** (EXIT) time out", "    (orders 0.1.0) lib/o.ex:4: O.f/1", "10:00:01.1 [info] error gone"), (1,), ("exit",)),
    Host("erlang, crash and note", text("=CRASH REPORT==== 29-Nov-2026::10:00:00.1 ===", "  crasher:", "    exception error: bad argument", "      in function  router:route/1 (src/router.erl, line 41)", "", "=INFO REPORT==== 29-Nov-2026::10:00:00.1 ===", "  error gone", ""), (1,)),
    Host("node, several at once", text("AggregateError: All promises were rejected", "    at async f (/a.js:1:1) {", "  [errors]: [", "    Error: a", "        at g (/a.js:2:1),", "    Error: b", "        at h (/a.js:3:1)", "  ]", "}"), (1,), ("AggregateError",)),
    Host("dotnet, aggregate printed twice", text("Unhandled Exception: System.AggregateException: x ---> System.InvalidOperationException: bad ---> System.IO.IOException: pipe", "   at A.B() in /a.cs:line 1", "   --- End of inner exception stack trace ---", "   at A.C()", "---> (Inner Exception #0) System.InvalidOperationException: bad ---> System.IO.IOException: pipe", "   at A.B() in /a.cs:line 1<---"), (1,), ("System.AggregateException",), ("System.IO.IOException",)),
    Host("a trace escaped twice", tight(level="ERROR", message="x", stack_trace=JAVA.replace("\n", "\\n").replace("\t", "\\t")).encode(), (1,), ("desk.orders.GatewayException",)),
    Host("nlog and console JSON", text('{"Timestamp":"2026-11-29T10:00:00Z","Level":"Error","Exception":"System.AggregateException: a ---> System.IO.IOException: b\\n   at A.B()"}', '{"LogLevel":"Information","Category":"a","Message":"error"}', '{"LogLevel":"Critical","Message":"x"}'), (1, 3), ("System.AggregateException",), ("System.IO.IOException",)),
    Host("odd levels", text("ERR! x", "[WRN] failed", "|E| x", "2026-11-29 10:00:00 <Error> x", "** ERROR ** x", "E: x", "W: failed", "level=50 msg=x", "level=30 msg=error", "(ERROR) x"), (1, 3, 4, 5, 6, 8, 10)),
    Host("windows events", text("Level,Date and Time,Source,Event ID,Task Category", "Error,11/29/2026 10:00:03 AM,OrderService,1000,None,gone", "Information,11/29/2026 10:00:03 AM,OrderService,1,None,error", "Critical,11/29/2026 10:00:03 AM,Kernel-Power,41,(63),x"), (2, 4)),
    Host("more values of nothing", text("error_count: 0", "err: <nil>", "exception=", "no failed orders today", "0 rejected / 25 accepted", "is_error=false", "last_error_at=never", "errors: none so far", "fail_count 0", "reject_rate=0.0%", "error=0x0", "retry_on_failure=true", "timeouts=0ms", "not an error", "error? no"), ()),
    Host("kernel with times", text("[Sun Nov 29 10:00:00 2026] orders[1]: segfault at 0 ip 0 sp 0 error 4", "[1.0] BUG: kernel NULL pointer dereference, address: 0", "[2.0] Kernel panic - not syncing: x", "[3.0] ACPI: Interpreter enabled"), (1, 2, 3)),
)  # fmt: skip
HOSTS = (
    *ENCODINGS, *CARRIED, *JOURNAL, *SYSLOG, *TELEMETRY, *LIBRARIES, *FIX_LINES, *DATABASE, *NATIVE, *HARMLESS, *TRACES,
    *MORE,
)  # fmt: skip
