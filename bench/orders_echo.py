"""The least that FastAPI can do with an order under the same server settings: read it and send it back."""

import socket

import uvicorn
from fastapi import FastAPI, Request, Response

app = FastAPI()


@app.post("/orders", status_code=201)
async def echo(request: Request) -> Response:
    return Response(await request.body(), 201, media_type="application/json")


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        print(f"echo on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(app, log_config=None, access_log=False, backlog=2048, server_header=False)
        uvicorn.Server(config).run(sockets=[listener])
