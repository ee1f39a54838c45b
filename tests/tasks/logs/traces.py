"""Stack traces as their runtimes print them, with what a person would name; written for these tests."""

from typing import NamedTuple


class Trace(NamedTuple):
    """A trace, and the exception that left the program; `root` is the type of the first of its chain."""

    name: str
    text: str
    type: str
    message: str
    frame: str
    root: str | None = None


TRACES: tuple[Trace, ...] = (
    Trace(
        "python",
        """\
Traceback (most recent call last):
  File "/app/orders/router.py", line 42, in route
    return table[asset_class]
           ~~~~~^^^^^^^^^^^^^
  File "/app/orders/table.py", line 7, in __getitem__
    raise KeyError(name)
KeyError: 'fx'
""",
        "KeyError", "'fx'", "/app/orders/table.py:7 in __getitem__",
    ),
    Trace(
        "python chained",
        """\
Traceback (most recent call last):
  File "/app/a.py", line 3, in connect
    sock.connect(address)
ConnectionRefusedError: [Errno 111] Connection refused

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/a.py", line 9, in send
    connect()
  File "/app/a.py", line 5, in connect
    raise GatewayDown("XNAS")
acme.errors.GatewayDown: XNAS
""",
        "acme.errors.GatewayDown", "XNAS", "/app/a.py:5 in connect", "ConnectionRefusedError",
    ),
    Trace(
        "python direct cause",
        """\
Traceback (most recent call last):
  File "/app/a.py", line 3, in parse
    int(text)
ValueError: invalid literal for int() with base 10: 'x'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/a.py", line 5, in <module>
    raise RuntimeError("bad order") from error
RuntimeError: bad order
""",
        "RuntimeError", "bad order", "/app/a.py:5 in <module>", "ValueError",
    ),
    Trace(
        "python group",
        """\
  + Exception Group Traceback (most recent call last):
  |   File "/app/g.py", line 12, in main
  |     async with asyncio.TaskGroup() as group:
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/g.py", line 5, in probe
    |     raise TimeoutError("XNAS")
    | TimeoutError: XNAS
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File "/app/g.py", line 7, in probe
    |     raise ValueError("XNYS")
    | ValueError: XNYS
    +------------------------------------
""",
        "ExceptionGroup", "unhandled errors in a TaskGroup (2 sub-exceptions)", "/app/g.py:12 in main", "TimeoutError",
    ),
    Trace(
        "java",
        """\
Exception in thread "main" java.lang.IllegalStateException: no route for fx
\tat com.acme.orders.Router.route(Router.java:42)
\tat com.acme.orders.Main.main(Main.java:12)
""",
        "java.lang.IllegalStateException", "no route for fx", "com.acme.orders.Router.route(Router.java:42)",
    ),
    Trace(
        "java caused by",
        """\
java.lang.RuntimeException: order failed
\tat com.acme.orders.Service.send(Service.java:80)
\tat com.acme.orders.Main.main(Main.java:12)
Caused by: com.acme.GatewayException: XNAS
\tat com.acme.Gateway.send(Gateway.java:33)
\t... 1 more
\tSuppressed: java.io.IOException: close failed
\t\tat com.acme.Gateway.close(Gateway.java:50)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
\tat com.acme.Gateway.connect(Gateway.java:21)
\t... 23 more
""",
        "java.lang.RuntimeException", "order failed", "com.acme.orders.Service.send(Service.java:80)",
        "java.net.ConnectException",
    ),
    Trace(
        "go panic",
        """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47b2a1]

goroutine 7 [running]:
panic({0x4a1ee0?, 0x55b2a0?})
\t/usr/local/go/src/runtime/panic.go:770 +0x132
main.(*Router).Route(0xc000012345, {0x4b1, 0x2})
\t/app/router.go:42 +0x1d
main.main()
\t/app/main.go:12 +0x1f
created by main.start in goroutine 1
\t/app/main.go:30 +0x2f

goroutine 1 [chan receive]:
main.wait()
\t/app/main.go:31 +0x2f
exit status 2
""",
        "panic", "runtime error: invalid memory address or nil pointer dereference",
        "main.(*Router).Route /app/router.go:42",
    ),
    Trace(
        "go fatal",
        """\
fatal error: concurrent map writes

goroutine 7 [running]:
main.book()
\t/app/book.go:9 +0x1d
""",
        "fatal error", "concurrent map writes", "main.book /app/book.go:9",
    ),
    Trace(
        "node",
        """\
/app/orders.js:12
    throw new TypeError("no route");
    ^

TypeError: no route
    at route (/app/orders.js:12:11)
    at Object.<anonymous> (/app/main.js:3:1)
    at node:internal/main/run_main_module:28:49

Node.js v20.11.0
""",
        "TypeError", "no route", "route (/app/orders.js:12:11)",
    ),
    Trace(
        "node cause",
        """\
Error: order failed
    at send (/app/orders.js:20:9)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {
  code: 'ORDER_FAILED',
  [cause]: Error: connect ECONNREFUSED 127.0.0.1:8701
      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16) {
    errno: -111,
    code: 'ECONNREFUSED'
  }
}
""",
        "Error", "order failed", "send (/app/orders.js:20:9)", "Error",
    ),
    Trace(
        "csharp",
        """\
Unhandled exception. System.InvalidOperationException: order failed
 ---> System.Net.Sockets.SocketException (111): Connection refused
   at Acme.Gateway.Connect(String host) in /src/Gateway.cs:line 21
   --- End of inner exception stack trace ---
   at Acme.Router.Send(Order order) in /src/Router.cs:line 42
   at Acme.Program.Main(String[] args) in /src/Program.cs:line 12
""",
        "System.InvalidOperationException", "order failed", "Acme.Router.Send(Order order) in /src/Router.cs:line 42",
        "System.Net.Sockets.SocketException",
    ),
    Trace(
        "ruby",
        """\
/app/router.rb:12:in `route': no route for fx (ArgumentError)
\tfrom /app/orders.rb:7:in `send'
\tfrom /app/main.rb:3:in `<main>'
""",
        "ArgumentError", "no route for fx", "/app/router.rb:12:in `route'",
    ),
    Trace(
        "address sanitizer",
        """\
=================================================================
==1234==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x0000004c3 bp 0x7ffd sp 0x7ffc
READ of size 4 at 0x602000000010 thread T0
    #0 0x4c3f1a in Book::top(int) /src/book.cpp:42:13
    #1 0x4c4011 in main /src/main.cpp:12:3

0x602000000010 is located 0 bytes inside of 4-byte region [0x602000000010,0x602000000014)
freed by thread T0 here:
    #0 0x493d9d in operator delete(void*) (/app/orders+0x493d9d)
SUMMARY: AddressSanitizer: heap-use-after-free /src/book.cpp:42:13 in Book::top(int)
==1234==ABORTING
""",
        "AddressSanitizer: heap-use-after-free", "heap-use-after-free on address 0x602000000010",
        "Book::top(int) /src/book.cpp:42:13",
    ),
    Trace(
        "undefined behaviour sanitizer",
        """\
/src/price.cpp:42:15: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'
    #0 0x4c3f1a in add(int) /src/price.cpp:42:15
SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior /src/price.cpp:42:15 in
""",
        "UndefinedBehaviorSanitizer", "signed integer overflow", "/src/price.cpp:42:15",
    ),
    Trace(
        "thread sanitizer",
        """\
==================
WARNING: ThreadSanitizer: data race (pid=1234)
  Write of size 4 at 0x7b0400000000 by thread T1:
    #0 Book::add(int) /src/book.cpp:17:5 (orders+0x4c3f1a)
    #1 worker /src/main.cpp:9:3 (orders+0x4c4011)

  Previous read of size 4 at 0x7b0400000000 by main thread:
    #0 Book::top() /src/book.cpp:21:5 (orders+0x4c3f2a)

SUMMARY: ThreadSanitizer: data race /src/book.cpp:17:5 in Book::add(int)
==================
""",
        "ThreadSanitizer: data race", "data race", "Book::add(int) /src/book.cpp:17:5",
    ),
    Trace(
        "rust",
        """\
thread 'main' panicked at src/router.rs:42:5:
no route for fx
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
""",
        "panic", "no route for fx", "src/router.rs:42:5",
    ),
    Trace(
        "c++ terminate",
        """\
terminate called after throwing an instance of 'std::runtime_error'
  what():  no route for fx
""",
        "std::runtime_error", "no route for fx", "",
    ),
)  # fmt: skip
