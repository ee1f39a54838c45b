"""The admin port: shows and sets the fault, and answers questions truthfully whatever the fault is."""

from aiohttp import web

from order_service.gateway_simulator.fault import InvalidFault, parse_fault
from order_service.gateway_simulator.fault_switch import FaultSwitch
from order_service.gateway_simulator.order_server import OrderServer, answer, problem


class AdminServer:
    """Answer on the admin port: GET and PUT /faults, and GET of /health, /orders and /orders/ID."""

    def __init__(self, switch: FaultSwitch, orders: OrderServer) -> None:
        self._switch = switch
        self._orders = orders

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        refusal = self._orders.refusal(request)
        if refusal is not None:
            return refusal
        if request.path != "/faults":
            return self._orders.read(request.path) if request.method == "GET" else _only_get_and_put(request)
        if request.method == "GET":
            return answer(200, self._switch.fault.document())
        if request.method == "PUT":
            return await self._put(request)
        return _only_get_and_put(request)

    async def _put(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            fault = parse_fault(await request.read())
        except InvalidFault as error:
            return problem(400, "INVALID_FAULT", str(error))
        try:
            await self._switch.set(fault)
        except OSError as error:
            return problem(500, "FAULT_NOT_SET", f"expected the port to follow, was {error}")
        return answer(200, self._switch.fault.document())


def _only_get_and_put(request: web.BaseRequest) -> web.Response:
    return problem(405, "METHOD_NOT_ALLOWED", f"expected GET, or PUT /faults, was {request.method}")
