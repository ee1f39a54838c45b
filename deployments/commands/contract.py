"""`runbook contract`: can a triage work with a service as it is described, or as it could be described?"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import ValidationError
from rich.text import Text

from deployments.commands.answer import FAILED, OK, UNKNOWN, Answer, give
from deployments.commands.options import SWITCH, JsonOutput, Service, monitored_service
from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, line
from deployments.views.words import safe
from tasks.model.errors import Code, RunbookError
from tasks.model.service.contract import Contract, ContractMark, ContractRule
from tasks.rules.service.first_description import FirstDescription, first_description
from tasks.settings import ServiceSettings, load_settings, new_config_path, settings_without_file
from tasks.work.contract.ask_contract import ask_contract
from tasks.work.contract.try_dialects import answered_by

STYLES = {
    ContractMark.PASSED: GOOD,
    ContractMark.FAILED: BAD,
    ContractMark.UNKNOWN: UNSURE,
    ContractMark.NOT_AVAILABLE: DIM,
    ContractMark.NOT_ASKED: DIM,
}
EXIT_CODES = {True: OK, False: FAILED, None: UNKNOWN}
MARK_WIDTH, RULE_WIDTH = 14, 17
FIRST_NAME = "order-service"
SendOrder = Annotated[
    str | None, Parameter(help="SENDS one small TEST ORDER of this asset class; without it, none is sent.")
]
Write = Annotated[bool, SWITCH, Parameter(help="Write a first runbook.toml by what it answers; never over one.")]
Url = Annotated[str | None, Parameter(help="With --write: where the service answers, as http://127.0.0.1:8080.")]


def contract(
    *,
    service: Service = None,
    send_order: SendOrder = None,
    write: Write = False,
    url: Url = None,
    json_output: JsonOutput = False,
) -> None:
    """Ask a service once for everything that its description names, and say rule by rule what could be read.

    Exit 0 where a triage can work with it, 1 where something that is described fails, 3 where we could not see. It
    sends no order without --send-order, and never acts.
    """
    if write:
        give(lambda: _written(service or FIRST_NAME, url), json_output=json_output)
    give(lambda: _asked(service, send_order), json_output=json_output)


async def _asked(service: str | None, send_order: str | None) -> Answer:
    settings, name, _ = monitored_service(service)
    found = await ask_contract(settings, name, send_order)
    return Answer(_document(found), contract_lines(found), EXIT_CODES[found.works])


async def _written(name: str, url: str | None) -> Answer:
    """Write the description of a service that has none yet.

    Errors: `BAD_SETTING` where a settings file stands already, `BAD_ARGUMENT` without an address.
    """
    path = new_config_path()
    made = first_description(name, await answered_by(_undescribed(name, url)))
    _write(path, made.text)
    found = await ask_contract(load_settings(), name)
    document = {**_document(found), "file": str(path), "fill_in": list(made.fill_in)}
    return Answer(document, [*_fill_in_lines(path, made), line(), *contract_lines(found)], EXIT_CODES[found.works])


def _undescribed(name: str, url: str | None) -> ServiceSettings:
    """Take what the environment says of the service, as its login; the address may be given beside it."""
    known = settings_without_file().services.get(name)
    if url is None and known is None:
        raise RunbookError(Code.BAD_ARGUMENT, "expected where the service answers, found nothing; add --url http://…")
    try:
        given = ServiceSettings.model_validate({"base_url": url}) if url else known
    except ValidationError:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected an address like http://host:port, found {url!r}") from None
    return known.model_copy(update={"base_url": given.base_url}) if known and given else given or ServiceSettings()


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RunbookError(Code.BAD_SETTING, f"expected no file was {path}; it is never overwritten") from None


def _document(found: Contract) -> dict[str, object]:
    return {**found.model_dump(mode="json"), "works": found.works, "summary": _summary(found)}


def _fill_in_lines(path: Path, made: FirstDescription) -> list[Text]:
    todo = [line("  ", one.removeprefix("FILL IN: ")) for one in made.fill_in]
    return [line((f"Wrote {path}. A person must fill in {len(todo)} lines, marked FILL IN:", BOLD)), *todo]


def contract_lines(found: Contract) -> list[Text]:
    """Lay out each rule with what was read from where, then whether a triage can work with it."""
    rows = [row for rule in found.rules for row in _rule_lines(found.service, rule)]
    style = GOOD if found.works else UNSURE if found.works is None else BAD
    return [*rows, line(), line((_summary(found), style))]


def _rule_lines(service: str, rule: ContractRule) -> Iterable[Text]:
    asked = f"{rule.asked}: " if rule.mark in {ContractMark.PASSED, ContractMark.FAILED} else ""
    yield line((rule.mark.ljust(MARK_WIDTH), STYLES[rule.mark]), rule.rule.ljust(RULE_WIDTH), asked, rule.answered)
    indent = " " * (MARK_WIDTH + RULE_WIDTH)
    for one in rule.read:
        where = f" = {one.where}" if one.where else ""
        yield line(indent, f"{one.what} = {one.value}", (f"  from {one.key}{where}", DIM))
    if rule.key:
        yield line(indent, ("change ", BOLD), f"services.{service}.{rule.key}")


def _summary(found: Contract) -> str:
    counts = ", ".join(f"{len(found.having(mark))} {mark}" for mark in ContractMark if found.having(mark))
    if found.works:
        return safe(f"A triage can work with {found.service}: {counts}.")
    if found.works is None:
        return safe(f"Whether a triage can work with {found.service} is unknown: {counts}.")
    keys = ", ".join(dict.fromkeys(one.key for one in found.having(ContractMark.FAILED) if one.key))
    return safe(f"A triage cannot work with {found.service} as it is described: {counts}. Change {keys}.")
