"""Servers of several processes: who holds the socket, who serves on it, and what belongs to them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.clients.process.processes import identify, terminate

# A parent that holds a listening socket, as systemd does for a socket unit, and a child that serves on it.
HOLDER = """
import os, socket, sys, time
held = socket.socket(); held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
held.bind(("127.0.0.1", int(sys.argv[1]))); held.listen(64)
child = os.fork()
if child == 0:
    while True:
        client, _ = held.accept()
        client.recv(65536)
        client.sendall(b"HTTP/1.1 204 No Content\\r\\nConnection: close\\r\\n\\r\\n")
        client.close()
print(child, flush=True)
time.sleep(600)
"""
# A server that serves by epoll or in a thread, and a helper that has inherited its socket and never looks at it.
INHERITS = """
import asyncio, os, socket, sys, threading, time
held = socket.socket(); held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
held.bind(("127.0.0.1", int(sys.argv[1]))); held.listen(64)
helper = os.fork()
if helper == 0:
    time.sleep(600)
print(helper, flush=True)
if sys.argv[2] == "thread":
    threading.Thread(target=held.accept, daemon=True).start()
    time.sleep(600)
async def serve():
    await (await asyncio.start_server(lambda *_: None, sock=held)).serve_forever()
asyncio.run(serve())
"""
# A server that several processes hold and nobody is seen to serve.
NOBODY = """
import os, socket, sys, time
held = socket.socket(); held.bind(("127.0.0.1", int(sys.argv[1]))); held.listen(64)
child = os.fork()
if child:
    print(child, flush=True)
time.sleep(600)
"""
# A server with one worker that has taken a lot of memory, one that left for a session of its own, and one in its group.
FORKS = """
import os, socket, sys, time
def fork(work):
    pid = os.fork()
    if pid == 0:
        work()
        time.sleep(600)
    return pid
def fill():
    global kept
    kept = bytearray(os.urandom(1)) * (int(sys.argv[2]) * 1024 * 1024)
worker, daemon = fork(fill), fork(os.setsid)
held = socket.socket(); held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
held.bind(("127.0.0.1", int(sys.argv[1]))); held.listen(64)
print(worker, daemon, flush=True)
time.sleep(600)
"""


@contextmanager
def script(text: str, *arguments: str, leads: bool = True) -> Iterator[tuple[int, list[int]]]:
    """Run a script that names its children in one line; end all of them afterwards, by pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", text, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=leads
    )
    assert process.stdout
    children = [int(word) for word in process.stdout.readline().split()]
    try:
        yield process.pid, children
    finally:
        for pid in (process.pid, *children):
            identity = identify(pid)
            if identity is not None:
                terminate(identity, grace_s=0)
        process.wait()
        process.stdout.close()
