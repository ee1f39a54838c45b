"""A small desk's service: `OK` as plain text, orders as forms, a ticket now and the fill later, no metrics at all.

It shares no code with ours. `GET /set/NAME` at its admin port: healthy, hung, rejecting, gateway-down.
"""

import asyncio
import itertools
import json
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs

from aiohttp import web

PORT, ADMIN_PORT, LOG = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
FILL_AFTER_S = 0.4
desk = {"fault": "healthy"}
awake = asyncio.Event()
tickets: dict[str, dict[str, object]] = {}
numbers = itertools.count(1)


def say(level: str, text: str) -> None:
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"{time.strftime('%d-%b-%Y %H:%M:%S')} [{level}] desk: {text}\n")


@web.middleware
async def hanging(request: web.Request, handler):
    await awake.wait()
    return await handler(request)


async def ping(_: web.Request) -> web.Response:
    if desk["fault"] == "gateway-down":
        return web.Response(text="NO BROKER\n")
    return web.Response(text="OK\n")


async def submit(request: web.Request) -> web.Response:
    form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
    if missing := {"ref", "sym", "bs", "qty"} - form.keys():
        return web.json_response({"err": f"missing {sorted(missing)}"}, status=400)
    ticket = f"T-{next(numbers)}"
    tickets[ticket] = {"ref": form["ref"], "at": time.monotonic(), "qty": form["qty"]}
    return web.json_response({"ticket": ticket}, status=202)


async def show(request: web.Request) -> web.Response:
    number = request.match_info["ticket"]
    ticket = tickets.get(number)
    if ticket is None:
        return web.json_response({"err": "no such ticket"}, status=404)
    if "phase" not in ticket and time.monotonic() - float(str(ticket["at"])) >= FILL_AFTER_S:
        ticket |= ended(number, str(ticket["qty"]))
    seen = {name: ticket[name] for name in ("ref", "phase", "done", "why") if name in ticket}
    return web.json_response({"ticket": number, "phase": "WORKING", **seen})


def ended(ticket: str, quantity: str) -> dict[str, object]:
    if desk["fault"] == "rejecting":
        say("E", f"{ticket} refused: account blocked")
        return {"phase": "REFUSED", "why": "account blocked"}
    if desk["fault"] == "gateway-down":
        say("E", f"{ticket} refused: no broker")
        return {"phase": "REFUSED", "why": "no broker"}
    say("I", f"{ticket} done")
    return {"phase": "DONE", "done": {"qty": quantity, "px": "64000.5"}}


async def main() -> None:
    awake.set()
    application, switch = web.Application(middlewares=[hanging]), web.Application()
    application.add_routes([web.get("/ping", ping), web.post("/submit", submit), web.get("/tickets/{ticket}", show)])

    async def set_fault(request: web.Request) -> web.Response:
        desk["fault"] = request.match_info["fault"]
        (awake.clear if desk["fault"] == "hung" else awake.set)()
        return web.Response(text=json.dumps(desk))

    switch.add_routes([web.get("/set/{fault}", set_fault)])
    for made, port in ((switch, ADMIN_PORT), (application, PORT)):
        runner = web.AppRunner(made, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
    say("I", f"desk open on {PORT}")
    await asyncio.Event().wait()


asyncio.run(main())
