"""Make a change the way a service's description says: a call or a command, once; and ask for its proof."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.process.commands import Surroundings, run_command
from tasks.clients.service.http import Call, exchange
from tasks.clients.service.instances import instance_of, instances_of
from tasks.clients.service.one_pass import service_client
from tasks.model.probes.control import (
    ControlAnswer,
    ControlCode,
    ControlOutcome,
    ControlReason,
    GatewayState,
    TradingState,
)
from tasks.model.probes.probes import Exchange, Fault
from tasks.model.remediation.in_force import Held
from tasks.model.service.control_settings import ControlAction, ControlKey
from tasks.rules.messages.redaction import cleaned
from tasks.rules.probes.control import judge_control
from tasks.rules.service.control_action import (
    ControlRequest,
    all_show,
    is_proven,
    not_available,
    proof_of,
    request_of,
    standing_of,
)
from tasks.settings import ServiceSettings

ANSWER_LIMIT_BYTES = 65_536
AGAIN_S = 0.2

Values = Mapping[str, str]


class _Sent(NamedTuple):
    """What became of what was sent; `text` is what it came back with where that may prove anything."""

    answer: ControlAnswer
    text: str | None = None
    by_command: bool = False


async def change_described(
    service: ServiceSettings, key: ControlKey, values: Values, why: ControlReason
) -> ControlAnswer:
    """Make one change, once, and wait until it is proven, for `effect_wait_s` at most.

    Errors: none; every end is a `ControlAnswer`. Done is only what is proven: what was sent and is not is *unknown*,
    whatever its status or exit code.
    """
    action = service.control.action(key) if service.control else None
    fault = not_available(key, action, values, service.known_classes)
    if fault or action is None:
        return ControlAnswer(outcome=ControlOutcome.NOT_AVAILABLE, detail=fault, code=ControlCode.NOT_DESCRIBED)
    request = request_of(action, values, why)
    if isinstance(request, str):
        return ControlAnswer(outcome=ControlOutcome.REFUSED, detail=request, code=ControlCode.BAD_NAME)
    sent = await _send(service, action, request)
    if sent.answer.outcome not in {ControlOutcome.DONE, ControlOutcome.UNKNOWN}:
        return sent.answer
    proven = await _proven_within(service, action, values, sent)
    return cleaned(_judged(sent.answer, proven, action), secret_values(service))


def _judged(answer: ControlAnswer, proven: bool | None, action: ControlAction) -> ControlAnswer:
    if proven:
        return answer.model_copy(update={"outcome": ControlOutcome.DONE, "code": None, "is_proven": True})
    if not action.has_proof:
        because = "no proven_when, proven_matches or proven_by says how it shows"
    else:
        because = "it does not show" if proven is False else "its proof could not be read"
    detail = f"sent, not proven: {because} ({answer.detail})"
    return answer.model_copy(
        update={"outcome": ControlOutcome.UNKNOWN, "code": ControlCode.NOT_PROVEN, "detail": detail}
    )


async def _proven_within(service: ServiceSettings, action: ControlAction, values: Values, sent: _Sent) -> bool | None:
    if proof_of(action, values) is None:
        # The answer is that of one instance alone.
        return None if instances_of(service) and not sent.by_command else _judge_proof(action, values, sent)
    ends_at = time.monotonic() + service.remediation.effect_wait_s
    while True:
        proven = await ask_for_proof(service, action, values)
        if proven or time.monotonic() > ends_at:
            return proven
        await asyncio.sleep(AGAIN_S)


async def ask_for_proof(service: ServiceSettings, action: ControlAction, values: Values) -> bool | None:
    """Ask once whether a change is in force; None where nothing is described, or nothing usable came back.

    Errors: none. A command that does not end with 0 says nothing: it may have failed to ask. Of several instances each
    must show it: behind a common address a change may reach one of them.
    """
    request = proof_of(action, values)
    if request is None:
        return None
    names = () if request.command else tuple(instances_of(service))
    asked = [instance_of(service, name) for name in names] or [service]
    found = await asyncio.gather(*(_send(one, action, request) for one in asked))
    return all_show(_judge_proof(action, values, sent) for sent in found)


def _judge_proof(action: ControlAction, values: Values, sent: _Sent) -> bool | None:
    return None if sent.text is None else is_proven(action, values, sent.text, by_command=sent.by_command)


async def _send(service: ServiceSettings, action: ControlAction, request: ControlRequest) -> _Sent:
    sent = await (_run(service, action, request) if request.command else _call(service, action, request))
    return sent._replace(answer=cleaned(sent.answer, secret_values(service)))


async def _call(service: ServiceSettings, action: ControlAction, request: ControlRequest) -> _Sent:
    token = service.control_token.get_secret_value() if service.control_token else ""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if request.body:
        headers["content-type"] = action.content_type
    call = Call(
        method=request.method,
        url=f"{service.url}{request.path}",
        deadline_s=action.timeout_s,
        body=request.body.encode(),
        headers=headers,
        body_limit_bytes=ANSWER_LIMIT_BYTES,
    )
    async with service_client(service) as client:
        answered = await exchange(client, call)
    good = answered.fault is Fault.NONE and (answered.http_status or 0) // 100 == 2
    answer = judge_control(answered)
    if answer.outcome is ControlOutcome.UNKNOWN:
        answer = answer.model_copy(update={"detail": _told(answered)})
    return _Sent(answer, answered.body if good else None)


def _told(answered: Exchange) -> str:
    return f"{answered.fault}: {answered.detail}" if answered.fault else f"http_status={answered.http_status}"


async def _run(service: ServiceSettings, action: ControlAction, request: ControlRequest) -> _Sent:
    where = Surroundings(service.start_environment, service.working_directory)
    end = await asyncio.to_thread(run_command, request.command, action.timeout_s, where)
    if not end.ran:
        detail = f"{end.fault}; nothing was sent"
        answer = ControlAnswer(outcome=ControlOutcome.REFUSED, detail=detail, code=ControlCode.NOT_REACHED)
        return _Sent(answer, by_command=True)
    answer = ControlAnswer(outcome=ControlOutcome.UNKNOWN, detail=f"{request.command[0]} {end.story}")
    return _Sent(answer, end.output if end.succeeded else None, by_command=True)


async def standings_now(service: ServiceSettings) -> tuple[dict[str, str], tuple[str, ...]]:
    """Ask the described proofs how each asset class and gateway stands now; nothing is changed.

    Errors: none; what is not known is empty, and what could not be read is named, too.
    """
    questions = [
        *((f"{Held.TRADING}/{name}", _states_of_class(service, name)) for name in sorted(service.known_classes)),
        *((f"{Held.GATEWAY}/{name}", _states_of_gateway(service, name)) for name in sorted(service.gateways)),
    ]
    answers: _Answers = {}
    found = await asyncio.gather(*(_standing(service, states, answers) for _, states in questions))
    known = {name: state or "" for (name, _), state in zip(questions, found, strict=True)}
    return known, tuple(name for name, states in questions if states and not known[name])


_Question = tuple[ControlAction, dict[str, str]]
# Several states are often read off one answer: it is asked for once.
_Answers = dict[ControlRequest, asyncio.Task[_Sent]]


def _states_of_class(service: ServiceSettings, name: str) -> list[_Question]:
    wanted = (
        (ControlKey.PAUSE, TradingState.HALTED),
        (ControlKey.PAUSE, TradingState.REDUCING),
        (ControlKey.RESUME, TradingState.ACTIVE),
    )
    return _questions(service, ((key, {"asset_class": name, "state": state.value}) for key, state in wanted))


def _states_of_gateway(service: ServiceSettings, name: str) -> list[_Question]:
    wanted = ((ControlKey.MARK_DEGRADED, GatewayState.DEGRADED), (ControlKey.CLEAR_MARK, GatewayState.ENABLED))
    return _questions(service, ((key, {"gateway": name, "state": state.value}) for key, state in wanted))


def _questions(service: ServiceSettings, wanted: Iterable[tuple[ControlKey, dict[str, str]]]) -> list[_Question]:
    pairs = ((key, service.control.action(key) if service.control else None, values) for key, values in wanted)
    return [
        (action, values)
        for key, action, values in pairs
        if action is not None
        and action.proven_by is not None
        and not not_available(key, action, values, service.known_classes)
    ]


async def _standing(service: ServiceSettings, states: list[_Question], answers: _Answers) -> str | None:
    asked: list[tuple[str, bool | None]] = []
    for action, values in states:
        request = proof_of(action, values)
        if request is not None:
            if request not in answers:
                answers[request] = asyncio.create_task(_send(service, action, request))
            asked.append((values["state"], _judge_proof(action, values, await answers[request])))
    return standing_of(asked)
